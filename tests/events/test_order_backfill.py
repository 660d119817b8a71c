"""Orders whose events were lost: waited for, then read from NewStore, and dead only when it has none."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from loyaltyview.events import earning, order_backfill
from loyaltyview.events.models import Earning, Event, EventState, Order, ReturnRecord, ReturnState
from loyaltyview.newstore.errors import NewStoreRejected, NewStoreUnavailable
from loyaltyview.newstore.orders import order_from
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import Redemption, State

from .conftest import Deliver, Work
from .deliveries import CODE, ORDER, cancelled, completed, item, order, returned
from .vendor import Books


def rest_item(item_id: str = "item-1", status: str = "complete", base: int = 100) -> dict[str, Any]:
    return {
        "id": item_id,
        "product_id": "100045",
        "status": status,
        "price": {"base": base, "discount": 10, "tax": 5},
        "discounts": [{"coupon_code": CODE, "level": "order", "type": "fixed", "value": 10}],
    }


class Tenant:
    """NewStore's side: one order, or an error."""

    def __init__(self) -> None:
        self.answer: dict[str, Any] | Exception = NewStoreRejected("404 resource_not_found", "", 404)
        self.reads = 0

    def has(self, **changes: Any) -> None:
        self.answer = {
            "id": "ACM000123",
            "origin_id": ORDER,
            "status": "closed",
            "channel_type": "store",
            "store_id": "US_BOSTON_01",
            "currency": "USD",
            "placed_at": "2026-03-04T15:19:58.000Z",
            "tax_method": "vat_excluded",
            "customer": {"id": "NS-1", "email": "mia@example.test"},
            "items": [rest_item()],
        } | changes

    def read(self, program: Program, order_id: str) -> Any:
        self.reads += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return order_from(self.answer)


@pytest.fixture
def tenant(monkeypatch: pytest.MonkeyPatch, program: Program) -> Tenant:
    tenant = Tenant()
    monkeypatch.setattr(order_backfill, "read_order", tenant.read)
    monkeypatch.setattr(earning.host_orders, "read_order", tenant.read)
    return tenant


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(datetime(2026, 3, 4, 15, 0, tzinfo=UTC), tick=False) as traveller:
        yield traveller


def states() -> set[str]:
    return set(Event.objects.values_list("state", flat=True))


def test_a_completed_order_whose_opening_was_lost_earns_after_a_minute(
    deliver: Deliver, work: Work, books: Books, redemption: Redemption, tenant: Tenant, clock: Any
) -> None:
    tenant.has()
    deliver("order.completed", completed())
    work()
    assert tenant.reads == 0
    clock.shift(61)
    work()
    assert states() == {EventState.DONE}
    assert books.points("mia") == 90
    row = Order.objects.get()
    assert (row.earned_points, row.external_id, row.codes) == (90, "ACM000123", [CODE])
    redemption.refresh_from_db()
    assert redemption.state == State.SETTLED


def test_its_customer_is_found_by_email_where_no_reward_was_used(
    deliver: Deliver, work: Work, books: Books, tenant: Tenant, clock: Any
) -> None:
    tenant.has()
    deliver("order.completed", completed())
    clock.shift(61)
    work()
    assert books.points("mia") == 90
    assert "example.test" not in str(Order.objects.values().get())


def test_the_late_event_changes_nothing(
    deliver: Deliver, work: Work, books: Books, redemption: Redemption, tenant: Tenant, clock: Any
) -> None:
    tenant.has()
    deliver("order.completed", completed())
    clock.shift(61)
    work()
    deliver("order.created", order())
    deliver("order.opened", order())
    work(2)
    assert books.points("mia") == 90
    assert states() == {EventState.DONE}


def test_a_return_whose_order_was_lost_completely_earns_and_takes_back(
    deliver: Deliver, work: Work, books: Books, tenant: Tenant, clock: Any
) -> None:
    tenant.has()
    deliver("return.processed", returned(45.0))
    clock.shift(61)
    work(2)
    assert books.points("mia") == 90 - 45
    assert ReturnRecord.objects.get().state == ReturnState.DONE
    assert Order.objects.get().earning == Earning.EARNED


def test_a_return_of_an_order_whose_completion_was_lost_waits_while_it_is_open(
    deliver: Deliver, work: Work, books: Books, tenant: Tenant, clock: Any
) -> None:
    tenant.has(status="open")
    deliver("order.opened", order())
    deliver("return.processed", returned(45.0))
    clock.shift(61)
    work()
    assert books.points("mia") == 0
    tenant.has()
    work()
    assert books.points("mia") == 45


def test_items_that_newstore_says_are_cancelled_do_not_earn(
    deliver: Deliver, work: Work, books: Books, tenant: Tenant, clock: Any
) -> None:
    tenant.has(items=[rest_item(), rest_item("item-2", "cancelled", 60)])
    deliver("order.completed", completed())
    clock.shift(61)
    work()
    assert books.points("mia") == 90


def test_newstores_not_found_is_believed_only_after_patience(
    deliver: Deliver, work: Work, books: Books, tenant: Tenant, clock: Any
) -> None:
    deliver("order.completed", completed())
    clock.shift(61)
    work()
    event = Event.objects.get()
    assert (event.state, event.last_error) == (EventState.WAITING, "NewStore does not have the order yet")
    clock.shift(60)
    work()
    event.refresh_from_db()
    assert event.state == EventState.DEAD
    assert event.last_error == (
        "an event of the order never came, and NewStore answers 404 resource_not_found"
    )


def test_an_interface_that_newstore_switched_off_is_named_as_the_cause(
    deliver: Deliver, work: Work, books: Books, tenant: Tenant, clock: Any
) -> None:
    tenant.answer = NewStoreRejected("410 NewStore has switched this API version off", "", 410)
    deliver("order.completed", completed())
    clock.shift(61)
    work()
    assert Event.objects.get().state == EventState.DEAD
    assert "switched this API version off" in Event.objects.get().last_error


def test_while_newstore_is_away_the_event_waits(
    deliver: Deliver, work: Work, books: Books, tenant: Tenant, clock: Any
) -> None:
    tenant.answer = NewStoreUnavailable("429", "", 120)
    deliver("order.completed", completed())
    clock.shift(61)
    work(4)
    event = Event.objects.get()
    assert event.state == EventState.WAITING
    assert event.due_at is not None
    assert event.due_at >= datetime(2026, 3, 4, 15, 1, 1, tzinfo=UTC) + timedelta(seconds=120)


@pytest.mark.parametrize("status", ["failed", "created_for_blind_return"])
def test_what_is_no_sale_is_for_a_person(
    status: str, deliver: Deliver, work: Work, books: Books, tenant: Tenant, clock: Any
) -> None:
    tenant.has(status=status)
    deliver("return.processed", returned(45.0))
    clock.shift(61)
    work()
    assert Event.objects.get().last_error == f"NewStore says that the order is {status}"
    assert books.entries == {}


def test_a_cancelled_order_is_not_asked_for(
    deliver: Deliver, work: Work, books: Books, tenant: Tenant, clock: Any
) -> None:
    deliver("order.cancelled", cancelled("item-1"))
    clock.shift(300)
    work()
    assert (states(), tenant.reads) == ({EventState.DONE}, 0)


def test_an_opening_that_is_not_understood_is_read_from_newstore_instead(
    deliver: Deliver, work: Work, books: Books, tenant: Tenant, clock: Any
) -> None:
    tenant.has()
    deliver("order.opened", order(discounts=[], items=[item(discounts=[], pricebook_price=None)]))
    deliver("order.completed", completed())
    work()
    clock.shift(61)
    work()
    assert books.points("mia") == 90


def test_a_return_waits_as_long_as_its_order_is_open(
    deliver: Deliver, work: Work, books: Books, tenant: Tenant, clock: Any
) -> None:
    tenant.has(status="open")
    deliver("order.opened", order())
    deliver("return.processed", returned(45.0))
    for _ in range(40):
        clock.shift(3700)
        work()
    assert Event.objects.get(name="return.processed").attempts == 0
    deliver("order.completed", completed())
    work(2)
    assert states() == {EventState.DONE}
    assert books.points("mia") == 45


def test_an_imported_order_that_newstores_list_took_for_a_sale_loses_its_points(
    deliver: Deliver, work: Work, books: Books, tenant: Tenant, clock: Any
) -> None:
    tenant.has()
    deliver("order.completed", completed())
    clock.shift(61)
    work()
    assert books.points("mia") == 90
    deliver("order.opened", order(is_historical=True))
    work(2)
    assert books.points("mia") == 0
    assert Order.objects.get().is_historical


def test_a_code_that_newstores_list_of_the_order_does_not_have_is_not_used(
    deliver: Deliver, work: Work, books: Books, redemption: Redemption, tenant: Tenant, clock: Any
) -> None:
    """It was taken out before the order was final, and order.opened was lost."""
    tenant.has(items=[rest_item() | {"discounts": []}])
    deliver("order.created", order())
    work()
    deliver("order.completed", completed())
    clock.shift(61)
    work()
    redemption.refresh_from_db()
    assert (redemption.state, redemption.order_id, books.spends) == (State.REVEALED, "", {})
