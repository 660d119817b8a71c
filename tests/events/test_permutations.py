"""Every order in which the events of one sale may come, each delivered twice, with the house program: the
customer's points, the reward and the inbox end the same."""

from itertools import permutations
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from loyaltyview.events.inbox import store_delivery
from loyaltyview.events.models import Earning, Event, EventState, Order, ReturnRecord, ReturnState
from loyaltyview.events.processing import run_one
from loyaltyview.programs.models import Program, ReturnPolicy
from loyaltyview.redemptions.models import IssuedCode, Redemption, State
from providers.house.ledger import adjust

from .deliveries import cancelled, completed, envelope, item, order, returned
from .house import COST, OPENING, balance, build_house, spend

SALE = ("order.created", "order.opened", "order.completed", "return 1", "return 2")
ALL = (*SALE, "order.cancelled")
EARNED, TAKEN = 180, 150  # $90 earn, $30 and $45 come back
SLICES = 12  # so that the runner can share them out


def delivery(name: str, number: int) -> bytes:
    order_id, code = f"order-{number}", f"CODE-{number}"
    if name in ("order.created", "order.opened"):
        fields = {"id": order_id, "discounts": [{"coupon_code": code}], "items": [item(discounts=[])]}
        return envelope(name, order(**fields))
    if name == "order.completed":
        return envelope(name, completed(id=order_id))
    if name == "order.cancelled":
        return envelope(name, cancelled("item-1", id=order_id))
    net = 30.0 if name == "return 1" else 45.0
    return envelope("return.processed", returned(net, id=f"{name} of {number}", order_id=order_id))


def play(program: Program, names: tuple[str, ...], number: int) -> None:
    """Deliver each event twice, let the worker look after each pair, and at last until nothing waits."""
    for name in names:
        for _ in range(2):
            store_delivery(program, delivery(name, number), {})
        while run_one():
            pass
    for _ in range(3):
        if not Event.objects.filter(due_at__isnull=False).update(due_at=timezone.now()):
            break
        while run_one():
            pass


def new_sale(first: Redemption, ref: str, number: int) -> Redemption:
    """Another redemption like the first of the test, revealed, whose code order `number` carries."""
    redemption = Redemption(
        **{field.attname: getattr(first, field.attname) for field in Redemption._meta.fields}
    )
    redemption.pk = uuid4()
    redemption.key = f"key-{number}"
    redemption.code = f"CODE-{number}"
    spend(redemption, ref)
    IssuedCode.objects.create(
        program=redemption.program, redemption=redemption, code=redemption.code, issued_at=timezone.now()
    )
    return redemption


pytestmark = pytest.mark.once  # an order of events is the same on every database; the storm runs on both


@pytest.fixture
def ref(program: Program) -> str:
    return build_house(program)


@pytest.mark.parametrize("part", range(SLICES))
def test_a_cancelled_sale_leaves_no_trace_in_points(
    part: int, program: Program, redemption: Redemption, ref: str
) -> None:
    for number, names in enumerate(list(permutations(ALL))[part::SLICES]):
        used = new_sale(redemption, ref, number)
        assert balance() == OPENING - COST
        play(program, names, number)
        used.refresh_from_db()
        assert (balance(), used.state) == (OPENING, State.RELEASED), names
        sold = Order.objects.get(order_id=f"order-{number}")
        assert sold.earning in (Earning.NOTHING, Earning.TAKEN_BACK)
        assert None not in (
            sold.created_seen_at, sold.opened_seen_at, sold.completed_seen_at, sold.cancelled_seen_at
        )  # fmt: skip
        assert all_is_done(number), names


@pytest.mark.parametrize(
    ("policy", "state", "back"),
    [
        (ReturnPolicy.NONE, State.SETTLED, 0),
        (ReturnPolicy.PRO_RATA, State.SETTLED, COST * 75 // 90),
        (ReturnPolicy.FULL, State.RELEASED, COST),
    ],
)
def test_a_sale_with_two_returns_ends_the_same(
    policy: ReturnPolicy, state: State, back: int, program: Program, redemption: Redemption, ref: str
) -> None:
    Program.objects.update(return_policy=policy)
    opening = balance()
    for number, names in enumerate(list(permutations(SALE))[:: 1 if policy == ReturnPolicy.PRO_RATA else 8]):
        used = new_sale(redemption, ref, number)
        play(program, names, number)
        used.refresh_from_db()
        gained = EARNED - TAKEN - COST + back
        assert (balance() - opening, used.state) == (gained, state), names
        assert Order.objects.get(order_id=f"order-{number}").earned_points == EARNED
        records = ReturnRecord.objects.filter(order_id=f"order-{number}")
        assert sum(record.points_taken or 0 for record in records) == -TAKEN
        assert {record.state for record in records} == {ReturnState.DONE}
        assert all_is_done(number), names
        top_up(program, ref, opening)


def top_up(program: Program, ref: str, opening: int) -> None:
    lost = opening - balance()
    if lost:
        reference = f"top-up-{timezone.now().timestamp()}"
        adjust(program.slug, ref, lost, reference=reference, note="for the next one")


def all_is_done(number: int) -> bool:
    """Each event was stored once and handled."""
    events: Any = Event.objects.filter(subject=f"order-{number}")
    return set(events.values_list("state", flat=True)) == {EventState.DONE} and events.count() in (5, 6)
