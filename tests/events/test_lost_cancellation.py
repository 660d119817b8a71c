"""The event of a cancellation was lost: NewStore's order says which items are cancelled."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from loyaltyview.events import missed_orders, order_backfill, reconcile
from loyaltyview.events.models import Order
from loyaltyview.events.reconcile import find_gaps
from loyaltyview.newstore.orders import order_from
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import Redemption, State

from .conftest import Deliver, Work
from .deliveries import CODE, ORDER, item, order, returned
from .house import COST, OPENING, balance, build_house, spend

SOLD = datetime(2026, 3, 4, 15, 20, tzinfo=UTC)


def rest_item(item_id: str, status: str) -> dict[str, Any]:
    price = {"base": 100, "discount": 10, "tax": 5}
    return {
        "id": item_id,
        "product_id": "100045",
        "status": status,
        "price": price,
        "discounts": [{"coupon_code": CODE}],
    }


@pytest.fixture
def host(
    program: Program, redemption: Redemption, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., None]]:
    """Say how NewStore has the order: its status, and that of each item."""

    def says(status: str, *items: str) -> None:
        body = {
            "id": "ACM000123", "origin_id": ORDER, "status": status, "channel_type": "store",
            "store_id": "US_BOSTON_01", "currency": "USD", "placed_at": SOLD.isoformat(), "customer": {},
            "items": [rest_item(f"item-{number}", each) for number, each in enumerate(items, start=1)],
        }  # fmt: skip
        for module in (missed_orders, order_backfill, reconcile):
            monkeypatch.setattr(module, "read_order", lambda *_: order_from(body))

    monkeypatch.setattr(missed_orders, "list_orders", lambda *_: ())
    with time_machine.travel(SOLD, tick=False) as clock:
        spend(redemption, build_house(program))
        Redemption.objects.update(requested_at=SOLD - timedelta(minutes=9))
        says.clock = clock  # type: ignore[attr-defined]
        yield says


def repair() -> None:
    with suppress(CommandError):  # what is left is for a person
        call_command("reconcile", "--day", "2026-03-04", "--program", "acme", "--repair")


@pytest.mark.parametrize("discount", [10.0, 100.0])
def test_an_order_that_was_cancelled_is_not_taken_for_a_completed_one(
    discount: float, host: Any, deliver: Deliver, work: Work, redemption: Redemption
) -> None:
    deliver("order.opened", order(items=[item(order_discounts=discount)]))
    work()
    host("closed", "cancelled")
    host.clock.shift(86_400)
    repair()
    redemption.refresh_from_db()
    assert Order.objects.get().earned_points is None
    assert (balance(), redemption.state) == (OPENING, State.RELEASED)


def test_what_was_cancelled_in_part_does_not_earn(host: Any, deliver: Deliver, work: Work) -> None:
    deliver("order.opened", order(items=[item("item-1"), item("item-2")]))
    work()
    host("closed", "complete", "cancelled")
    host.clock.shift(86_400)
    repair()
    assert balance() == OPENING - COST + 180


def test_a_return_that_implies_the_completion_does_not_let_cancelled_goods_earn(
    host: Any, deliver: Deliver, work: Work
) -> None:
    deliver("order.opened", order(items=[item("item-1"), item("item-2")]))
    work()
    host("closed", "returned", "cancelled")
    host.clock.shift(120)
    deliver("return.processed", returned(90.0))
    host.clock.shift(120)
    work(2)
    # Nothing was kept: nothing is earned, and what the reward cost is back.
    assert balance() == OPENING


@pytest.mark.parametrize(("status", "item_status"), [("failed", "pending"), ("closed", "cancelled")])
def test_an_order_that_was_created_and_then_cancelled_is_a_gap(
    status: str,
    item_status: str,
    host: Any,
    program: Program,
    deliver: Deliver,
    work: Work,
    redemption: Redemption,
) -> None:
    deliver("order.created", order())
    work()
    redemption.refresh_from_db()
    assert redemption.state == State.USED
    host(status, item_status)
    host.clock.shift(86_400)
    assert find_gaps(program, SOLD.date())
    repair()
    redemption.refresh_from_db()
    assert (balance(), redemption.state) == (OPENING, State.RELEASED)
