"""Our code comes back in another spelling: it is ours all the same."""

from datetime import timedelta

import pytest
from django.utils import timezone

from loyaltyview.events.models import Alarm, AlarmKind, Event, Order
from loyaltyview.events.order_lookup import has_unread
from loyaltyview.events.reconcile import find_gaps
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.codes import is_used_twice, known_codes
from loyaltyview.redemptions.models import IssuedCode, Redemption, State
from loyaltyview.work.worker import drain

from . import house
from .conftest import Deliver, Work
from .deliveries import CODE, completed, item, order
from .vendor import Books

SPELLINGS = ["loy-7qk2", "LOY-7QK2 ", "Loy-7qk2", "LOY- 7QK2", "\u2068LOY-7QK2\u2069"]


def order_with(code: str) -> dict[str, object]:
    discounts = [{"coupon_code": code}]
    return order(discounts=discounts, items=[item(discounts=discounts)])


@pytest.mark.parametrize("code", SPELLINGS)
def test_the_reward_is_settled_and_its_points_do_not_come_back(
    code: str, deliver: Deliver, program: Program, redemption: Redemption
) -> None:
    house.spend(redemption, house.build_house(program))
    deliver("order.opened", order_with(code))
    deliver("order.completed", completed())
    drain()
    # Its code has run out, and the worker gives back what was not used.
    Redemption.objects.update(due_at=timezone.now())
    drain()
    redemption.refresh_from_db()
    assert redemption.state == State.SETTLED
    assert house.balance() == house.OPENING - house.COST + 180


def test_news_that_waits_is_seen_in_every_spelling(
    deliver: Deliver, program: Program, redemption: Redemption
) -> None:
    deliver("order.opened", order_with("loy-7qk2"))
    Event.objects.update(attempts=1)
    later = timezone.now() + timedelta(minutes=1)
    assert has_unread(program, (CODE,), later)
    assert not has_unread(program, ("LOY-OTHER",), later)


def test_a_code_in_two_orders_is_an_alarm_in_every_spelling(
    deliver: Deliver, work: Work, books: Books, redemption: Redemption
) -> None:
    deliver("order.opened", order_with(CODE))
    work()
    deliver("order.opened", {**order_with("loy-7qk2 "), "id": "order-2"})
    work()
    assert Alarm.objects.filter(kind=AlarmKind.TWICE, subject="order-2").exists()


def test_an_old_and_a_renewed_code_in_one_order_raise_an_alarm_and_a_repeated_code_raises_none(
    program: Program, redemption: Redemption
) -> None:
    IssuedCode.objects.create(
        program=program, redemption=redemption, code="LOY-NEW1", issued_at=timezone.now()
    )
    assert not is_used_twice(program, ("loy-7qk2", CODE))
    assert is_used_twice(program, ("loy-7qk2", "loy-new1"))


def test_a_code_that_an_order_spells_otherwise_is_reconciled(
    program: Program, redemption: Redemption, books: Books
) -> None:
    placed_at = timezone.now() - timedelta(days=1)
    Order.objects.create(
        program=program,
        order_id="order-1",
        placed_at=placed_at,
        opened_seen_at=placed_at,
        channel_type="store",
        currency="USD",
        codes=["loy-7qk2"],
        earning="nothing",
    )
    causes = [gap.cause for gap in find_gaps(program, placed_at.date())]
    assert "code used, redemption not" in causes


def test_a_code_that_was_issued_in_small_letters_is_found_as_it_was_issued(
    program: Program, redemption: Redemption
) -> None:
    IssuedCode.objects.create(
        program=program, redemption=redemption, code="loy-small", issued_at=timezone.now()
    )
    assert known_codes(program.pk, ["loy-small", "loy-7qk2 ", "SUMMER"]) == {
        "loy-small": "loy-small",
        "loy-7qk2 ": CODE,
    }
