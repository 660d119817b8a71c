"""Which orders of a day's customers count as missed, and how each is repaired."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine

from loyaltyview.events import missed_orders, order_backfill
from loyaltyview.events.models import Event, EventState, Order
from loyaltyview.events.reconcile import find_gaps
from loyaltyview.newstore.data_query import Page
from loyaltyview.newstore.errors import NewStoreRejected, NewStoreUnavailable, NewStoreUnexpected
from loyaltyview.newstore.orders import ListedOrder, order_from
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import Redemption

from .conftest import Deliver, Work
from .deliveries import CODE, ORDER, order
from .vendor import Books

DAY = date(2026, 3, 4)
PAID = datetime(2026, 3, 4, 15, 20, tzinfo=UTC)
LOST = "order with our code never reached us"


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    """It is two hours after the sale."""
    with time_machine.travel(PAID + timedelta(hours=2), tick=False) as traveller:
        yield traveller


class Tenant:
    """NewStore's side: one order in the list of each customer, or an error for the list or the order."""

    def __init__(self) -> None:
        self.placed_at = PAID
        self.list_error: Exception | None = None
        self.order_error: Exception | None = None
        self.changes: dict[str, Any] = {}
        self.item: dict[str, Any] = {}
        self.asked: list[str] = []

    def list_orders(self, program: Program, customer_id: str) -> tuple[ListedOrder, ...]:
        self.asked.append(customer_id)
        if self.list_error:
            raise self.list_error
        return (ListedOrder(order_id=ORDER, placed_at=self.placed_at),)

    def read_order(self, program: Program, order_id: str) -> Any:
        self.asked.append(order_id)
        if self.order_error:
            raise self.order_error
        item = {
            "id": "item-1",
            "product_id": "100045",
            "status": "complete",
            "price": {"base": 100, "discount": 10, "tax": 5},
            "discounts": [{"coupon_code": CODE}],
        }
        whole = {
            "id": "ACM000123",
            "origin_id": order_id,
            "status": "closed",
            "channel_type": "store",
            "store_id": "US_BOSTON_01",
            "currency": "USD",
            "placed_at": self.placed_at.isoformat(),
            "customer": {"id": "NS-1", "email": "mia@example.test"},
            "items": [item | self.item],
        }
        return order_from(whole | self.changes)


@pytest.fixture
def tenant(monkeypatch: pytest.MonkeyPatch, program: Program, books: Books, redemption: Redemption) -> Tenant:
    Redemption.objects.update(
        profile_id="NS-1", requested_at=PAID - timedelta(minutes=9), due_at=PAID + timedelta(days=1)
    )
    tenant = Tenant()
    monkeypatch.setattr(missed_orders, "list_orders", tenant.list_orders)
    monkeypatch.setattr(missed_orders, "read_order", tenant.read_order)
    monkeypatch.setattr(order_backfill, "read_order", tenant.read_order)
    return tenant


def causes(program: Program) -> list[str]:
    return [gap.cause for gap in find_gaps(program, DAY)]


def test_each_customer_is_asked_for_once(program: Program, tenant: Tenant, redemption: Redemption) -> None:
    row = Redemption.objects.get()
    row.pk, row.key, row.member_ref, row._state.adding = None, "k-2", "leo", True
    row.save(force_insert=True)
    tenant.list_error = NewStoreRejected("404", "", 404)
    causes(program)
    assert tenant.asked == ["NS-1"]


@pytest.mark.parametrize(
    ("changes", "item"),
    [
        ({"status": "on_hold"}, {}),
        ({"status": "failed"}, {}),
        ({"status": "created_for_blind_return"}, {}),
        ({}, {"status": "cancelled"}),
        ({"channel_type": "web"}, {"discounts": []}),
    ],
)
def test_an_order_that_is_no_sale_or_of_an_unreported_channel_is_no_gap(
    program: Program, tenant: Tenant, changes: dict[str, Any], item: dict[str, Any]
) -> None:
    tenant.changes, tenant.item = changes, item
    assert causes(program) == []


def test_an_order_without_a_code_earns_too(program: Program, tenant: Tenant, books: Books) -> None:
    tenant.item = {"discounts": []}
    (gap,) = find_gaps(program, DAY)
    assert gap.cause == "order never reached us"


def test_an_order_that_is_still_open_is_used_now_and_earns_later(
    program: Program, tenant: Tenant, books: Books
) -> None:
    tenant.changes = {"status": "open"}
    (gap,) = find_gaps(program, DAY)
    assert gap.repair
    gap.repair()
    assert Redemption.objects.get().order_id == ORDER
    assert books.entries == {}
    assert causes(program) == []


def test_a_web_order_with_our_code_is_one_of_ours(program: Program, tenant: Tenant) -> None:
    tenant.changes = {"channel_type": "web"}
    assert causes(program) == [LOST]


@pytest.mark.parametrize(
    "placed_at", [PAID - timedelta(days=1), PAID + timedelta(days=1), PAID + timedelta(hours=1.5)]
)
def test_another_days_order_and_one_that_may_still_come_are_no_gaps(
    program: Program, tenant: Tenant, placed_at: datetime
) -> None:
    tenant.placed_at = placed_at
    assert causes(program) == []


def test_a_code_that_was_shown_before_midnight_may_be_paid_with_after_it(
    program: Program, tenant: Tenant, clock: Any
) -> None:
    clock.move_to(datetime(2026, 3, 5, 12, tzinfo=UTC))
    tenant.placed_at = datetime(2026, 3, 5, 0, 10, tzinfo=UTC)
    assert causes(program) == [LOST]


def test_a_code_that_another_order_has_used_is_for_a_person(program: Program, tenant: Tenant) -> None:
    Redemption.objects.update(order_id="order-0", state="settled")
    (gap,) = find_gaps(program, DAY)
    assert (gap.cause, gap.repair) == (LOST, None)


def test_an_order_of_which_only_its_creation_came_is_found_without_a_customer(
    program: Program, tenant: Tenant, deliver: Deliver, work: Work
) -> None:
    Redemption.objects.update(profile_id="")
    deliver("order.created", order())
    work()
    assert causes(program) == [LOST]
    assert tenant.asked == [ORDER]


@pytest.mark.parametrize("state", [EventState.WAITING, EventState.DEAD])
def test_an_order_whose_event_is_waiting_or_dead_is_not_lost(
    program: Program, tenant: Tenant, deliver: Deliver, state: EventState
) -> None:
    deliver("order.opened", order())
    Event.objects.update(state=state)
    assert LOST not in causes(program)


def test_an_order_that_reached_us_is_not_read(
    program: Program, tenant: Tenant, deliver: Deliver, work: Work
) -> None:
    deliver("order.opened", order())
    work()
    assert Order.objects.exists()
    find_gaps(program, DAY)
    assert ORDER not in tenant.asked


def test_a_newstore_that_is_down_is_reported_once(program: Program, tenant: Tenant) -> None:
    tenant.list_error = NewStoreUnavailable("503")
    (gap,) = find_gaps(program, DAY)
    assert (gap.cause, gap.about, gap.detail) == ("NewStore cannot be asked", "the orders of the day", "503")


def test_a_list_that_cannot_be_read_hides_no_other_gap(
    program: Program, tenant: Tenant, deliver: Deliver, work: Work
) -> None:
    deliver("order.created", order(id="order-2", items=[]))
    work()
    tenant.list_error = NewStoreUnexpected("placed_at is missing")
    assert [gap.about for gap in find_gaps(program, DAY)] == ["a customer's orders", "order-2"]


def test_an_order_that_cannot_be_read_is_reported(program: Program, tenant: Tenant) -> None:
    tenant.order_error = NewStoreRejected("404 resource_not_found", "", 404)
    (gap,) = find_gaps(program, DAY)
    assert (gap.cause, gap.about) == ("NewStore cannot be asked", ORDER)


def test_what_graphql_lists_and_nobody_can_read_is_a_gap(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.newstore_find_missed_events = True
    page: Page[Any] = Page(found=(), cursor="", unreadable=("order-9: placedAt is not a time",))
    for name in ("orders_of", "returns_of"):
        monkeypatch.setattr(missed_orders, name, lambda *args: page)
    gaps = [(gap.cause, gap.about, gap.repair) for gap in find_gaps(program, DAY)]
    assert gaps == [("NewStore's answer cannot be read", "order-9: placedAt is not a time", None)] * 2
