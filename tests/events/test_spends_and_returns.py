"""Pro rata, where the reward paid for all of the goods; and a reward that went on into an exchange."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from loyaltyview.events.models import Alarm, AlarmKind, Event, EventState
from loyaltyview.programs.models import Program, ReturnPolicy
from loyaltyview.redemptions.models import Redemption
from providers.sales import SpendKind

from .conftest import Deliver, Work
from .deliveries import cancelled, completed, item, order, returned
from .house import COST, OPENING, balance, build_house, spend
from .test_exchanges import exchange


@pytest.mark.parametrize(("came_back", "given"), [(("item-1",), 100), (("item-1", "item-2"), 200)])
def test_goods_that_points_paid_in_full_give_back_their_points(
    came_back: tuple[str, ...],
    given: int,
    program: Program,
    redemption: Redemption,
    deliver: Deliver,
    work: Work,
) -> None:
    Program.objects.update(return_policy=ReturnPolicy.PRO_RATA)
    spend(redemption, build_house(program))
    free = [item("item-1", 5.0, order_discounts=5.0), item("item-2", 5.0, order_discounts=5.0)]
    deliver("order.opened", order(items=free))
    deliver("order.completed", completed())
    work()
    assert balance() == OPENING - COST
    for number, item_id in enumerate(came_back):
        back = {
            "id": item_id,
            "product_id": "100045",
            "quantity": 1,
            "refund_amount": 0,
            "refund_excl_tax": 0,
        }
        deliver("return.processed", returned(0, id=f"return-{number}", items=[back]))
        work(2)
    assert balance() == OPENING - COST + given


Play = Callable[..., None]
BACK = ("return.processed", returned(90.0))
EXCHANGED = ("order.opened", exchange())
NEW_BACK = {
    "id": "item-9", "product_id": "100045", "quantity": 1, "refund_amount": 60, "refund_excl_tax": 60
}  # fmt: skip
EXCHANGE_BACK = ("return.processed", returned(60.0, id="return-2", order_id="order-2", items=[NEW_BACK]))


@pytest.fixture(params=[ReturnPolicy.PRO_RATA, ReturnPolicy.FULL])
def play(request: Any, program: Program, redemption: Redemption, deliver: Deliver, work: Work) -> Play:
    """A sale of $90 with a reward; then let these events come, each twice."""
    Program.objects.update(return_policy=request.param)
    spend(redemption, build_house(program))
    deliver("order.opened", order())
    deliver("order.completed", completed())
    work()

    def play(*events: tuple[str, Any]) -> None:
        for event in events:
            for _ in range(2):
                deliver(*event)
                work(2)

    return play


def test_an_exchange_that_takes_the_discount_over_keeps_the_points_spent(play: Play) -> None:
    play(EXCHANGED, BACK, ("order.completed", completed(id="order-2")))
    assert balance() == OPENING - COST + 120
    assert not Alarm.objects.exists()


def test_the_goods_of_the_exchange_give_back_what_it_took_over(play: Play, work: Work) -> None:
    play(EXCHANGED, BACK, ("order.completed", completed(id="order-2")), EXCHANGE_BACK)
    assert balance() == OPENING
    Event.objects.update(state=EventState.WAITING, due_at=timezone.now())
    work(2)
    assert balance() == OPENING
    assert not Alarm.objects.exists()


def test_a_cancelled_exchange_lets_the_first_return_give_back(play: Play, work: Work) -> None:
    play(EXCHANGED, BACK, ("order.cancelled", cancelled("item-9", id="order-2")))
    work(2)
    assert balance() == OPENING


def test_points_that_went_back_before_their_exchange_arrived_raise_an_alarm(play: Play) -> None:
    play(BACK, EXCHANGED, ("order.completed", completed(id="order-2")))
    # Points are back and the discount went on: a person must know.
    assert Alarm.objects.get(closed_at=None).kind == AlarmKind.TWICE


def test_an_offer_in_an_exchange_that_came_late_is_no_alarm(play: Play) -> None:
    """Whichever way its return went, an offer gave nothing back."""
    Redemption.objects.update(kind=SpendKind.OFFER)
    play(BACK, EXCHANGED, ("order.completed", completed(id="order-2")))
    assert not Alarm.objects.exists()
