"""The search for missed events: how far it goes, where it goes on, and what it takes."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction
from prometheus_client import REGISTRY

from loyaltyview.events import erasure, event_search, order_backfill
from loyaltyview.events.event_search import search, search_missed
from loyaltyview.events.missed_events import take_orders
from loyaltyview.events.models import (
    Alarm,
    AlarmKind,
    Earning,
    Event,
    EventSearch,
    EventSource,
    EventState,
    Order,
    Searched,
)
from loyaltyview.events.reconcile import Gap, find_gaps
from loyaltyview.newstore.data_query import FoundOrder, Page
from loyaltyview.newstore.errors import NewStoreError, NewStoreRejected, NewStoreUnavailable
from loyaltyview.newstore.orders import order_from
from loyaltyview.programs.erasure import Person
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.commands import WORKER
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.stuck_resolution import question_of, resolve
from providers.errors import Rejected, RejectReason, Unavailable

from .conftest import Deliver, Work
from .deliveries import CODE, ORDER, completed, order
from .vendor import Books

NOW = datetime(2026, 3, 4, 16, tzinfo=UTC)
SETTLED = NOW - timedelta(minutes=20)  # NewStore's promise, and GraphQL's lag


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


class GraphQl:
    """Pages of orders by cursor, and each question that was asked."""

    def __init__(self) -> None:
        self.pages: dict[str, Page[FoundOrder]] = {"": Page(found=(), cursor="")}
        self.asked: list[tuple[datetime, datetime, str]] = []
        self.error: NewStoreError | None = None
        self.on_read: Callable[[], object] = lambda: None

    def read(self, program: Program, since: datetime, until: datetime, cursor: str) -> Page[FoundOrder]:
        self.asked.append((since, until, cursor))
        self.on_read()
        if self.error:
            raise self.error
        return self.pages[cursor]


@pytest.fixture
def graphql(monkeypatch: pytest.MonkeyPatch, program: Program) -> GraphQl:
    program.newstore_find_missed_events = True
    program.save()
    graphql = GraphQl()
    nothing = event_search.Way(read=lambda *_: Page(found=(), cursor=""), take=lambda *_: [])
    ways = {Searched.ORDERS: event_search.Way(read=graphql.read, take=take_orders), Searched.RETURNS: nothing}
    monkeypatch.setattr(event_search, "WAYS", ways)
    return graphql


@pytest.fixture
def row(program: Program) -> EventSearch:
    """The search has compared everything up to 15:00."""
    return EventSearch.objects.create(
        program=program,
        kind=Searched.ORDERS,
        started_at=NOW - timedelta(days=9),
        searched_until=NOW - timedelta(hours=1),
    )


def found(order_id: str = ORDER, **changes: bool) -> FoundOrder:
    flags = {"is_exchange": False, "is_historical": False} | changes
    return FoundOrder(order_id=order_id, placed_at=NOW - timedelta(minutes=40), **flags)


def test_it_begins_when_it_is_switched_on(program: Program, graphql: GraphQl) -> None:
    search(program, Searched.ORDERS)
    assert graphql.asked == []
    assert EventSearch.objects.get().searched_until == NOW


def test_a_period_is_compared_when_its_events_must_have_come(
    program: Program, graphql: GraphQl, row: EventSearch, clock: Any
) -> None:
    graphql.on_read = lambda: clock.shift(timedelta(seconds=1))
    search(program, Searched.ORDERS)
    assert graphql.asked == [(row.searched_until - event_search.OVERLAP, SETTLED, "")], "once"
    row.refresh_from_db()
    assert (row.searched_until, row.window_until, row.cursor) == (SETTLED, None, "")


def test_a_search_that_stopped_goes_on_with_its_next_page(
    program: Program, graphql: GraphQl, row: EventSearch, clock: Any
) -> None:
    graphql.pages = {
        "": Page(found=(found("order-1"),), cursor="two"),
        "two": Page(found=(found("order-2"),), cursor=""),
    }
    graphql.on_read = lambda: setattr(
        graphql, "error", NewStoreUnavailable() if len(graphql.asked) == 2 else None
    )
    with pytest.raises(NewStoreUnavailable):
        search(program, Searched.ORDERS)
    clock.shift(timedelta(minutes=5))
    search(program, Searched.ORDERS)
    first, lost, again, *rest = graphql.asked
    assert lost == again == (first[0], SETTLED, "two"), "of the same period"
    assert rest[0][1:] == (SETTLED + timedelta(minutes=5), "")
    assert set(Event.objects.values_list("subject", flat=True)) == {"order-1", "order-2"}
    row.refresh_from_db()
    assert row.found == 2


def test_what_was_found_before_an_error_is_an_alarm(
    program: Program, graphql: GraphQl, row: EventSearch
) -> None:
    graphql.pages = {"": Page(found=(found(),), cursor="two")}
    graphql.on_read = lambda: setattr(
        graphql, "error", NewStoreUnavailable() if len(graphql.asked) == 2 else None
    )
    search_missed()
    assert Alarm.objects.get().detail == f"orders without events, handled now: 1, of 1 so far: {ORDER}"


def test_one_run_reads_a_bounded_number_of_pages(
    program: Program, graphql: GraphQl, row: EventSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_search, "MOST_PAGES", 3)
    graphql.pages = {str(n or ""): Page(found=(), cursor=str(n + 1)) for n in range(9)}
    search(program, Searched.ORDERS)
    assert [cursor for _since, _until, cursor in graphql.asked] == ["", "1", "2"]
    row.refresh_from_db()
    assert (row.cursor, row.window_until) == ("3", SETTLED)


def test_a_run_ends_in_time_between_two_pages(
    program: Program, graphql: GraphQl, row: EventSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    graphql.pages = {"": Page(found=(), cursor="a"), "a": Page(found=(), cursor="")}
    monkeypatch.setattr(event_search, "time", SimpleNamespace(monotonic=lambda: float(len(graphql.asked))))
    search(program, Searched.ORDERS, ends_at=0.5)
    assert len(graphql.asked) == 1
    row.refresh_from_db()
    assert row.cursor == "a"


def test_a_period_whose_next_page_is_refused_is_read_again(
    program: Program, graphql: GraphQl, row: EventSearch
) -> None:
    """NewStore may forget a cursor."""
    EventSearch.objects.update(cursor="forgotten", window_until=SETTLED)
    graphql.error = NewStoreRejected("400 unknown cursor", "", 400)
    search_missed()
    assert Alarm.objects.get().detail == "NewStore cannot be searched: 400 unknown cursor"
    graphql.error = None
    search_missed()
    row.refresh_from_db()
    assert (row.searched_until, row.cursor) == (SETTLED, "")
    assert Alarm.objects.get().closed_at is not None


def test_pages_that_go_round_end_with_an_alarm(program: Program, graphql: GraphQl, row: EventSearch) -> None:
    graphql.pages = {
        "": Page(found=(found(),), cursor="a"),
        "a": Page(found=(), cursor="b"),
        "b": Page(found=(), cursor="a"),
    }
    search_missed()
    assert len(graphql.asked) == 3
    alarm = Alarm.objects.get(subject="search of orders")
    assert "the same page again" in alarm.detail
    assert Event.objects.get().subject == ORDER, "what was read before is handled"


def test_a_search_that_does_not_get_on_is_an_alarm(
    program: Program, graphql: GraphQl, row: EventSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_search, "MOST_PAGES", 1)
    EventSearch.objects.update(searched_until=NOW - timedelta(hours=7))
    graphql.pages = {"": Page(found=(), cursor="a")}
    search_missed()
    assert "hours behind" in Alarm.objects.get().detail


def test_what_cannot_be_read_is_told_and_the_search_goes_on(
    program: Program, graphql: GraphQl, row: EventSearch
) -> None:
    graphql.pages = {"": Page(found=(found(),), cursor="", unreadable=("order-9: placedAt is not a time",))}
    search_missed()
    alarm = Alarm.objects.get(subject="unreadable orders of 2026-03-04")
    assert "order-9: placedAt is not a time" in alarm.detail
    row.refresh_from_db()
    assert (row.searched_until, row.found) == (SETTLED, 1)


def test_a_search_that_was_overtaken_ends(program: Program, graphql: GraphQl, row: EventSearch) -> None:
    graphql.on_read = lambda: EventSearch.objects.update(searched_until=NOW - timedelta(minutes=50))
    search(program, Searched.ORDERS)
    assert len(graphql.asked) == 1
    row.refresh_from_db()
    assert row.searched_until == NOW - timedelta(minutes=50)


def test_a_program_that_does_not_ask_for_it_is_not_searched_and_begins_anew(
    program: Program, graphql: GraphQl, row: EventSearch
) -> None:
    Program.objects.update(newstore_find_missed_events=False)
    search_missed()
    assert graphql.asked == []
    assert not EventSearch.objects.exists()


def test_known_orders_and_imported_history_are_left_alone(
    deliver: Deliver, work: Work, program: Program, graphql: GraphQl, books: Books
) -> None:
    deliver("order.opened", order())  # its worker has not begun
    deliver("order.completed", completed(id="order-2"))
    Event.objects.filter(subject="order-2").update(state=EventState.DEAD, due_at=None)
    Order.objects.create(program=program, order_id="order-3", completed_seen_at=NOW)
    orders = [found(each) for each in (ORDER, "order-2", "order-3")]
    assert take_orders(program, [*orders, found("order-4", is_historical=True)]) == []
    Order.objects.create(program=program, order_id="order-6", created_seen_at=NOW)
    assert take_orders(program, [found("order-6")]) == [], "the web shop's order is still to be opened"
    counted = {"program": "acme", "kind": "orders"}
    before = REGISTRY.get_sample_value("loyaltyview_missed_events_total", counted) or 0
    assert take_orders(program, [found("order-5"), found("order-5")]) == ["order-5"]
    assert take_orders(program, [found("order-5")]) == [], "it was found before"
    assert REGISTRY.get_sample_value("loyaltyview_missed_events_total", counted) == before + 1


def test_a_newstore_that_is_silent_is_no_alarm_until_the_search_is_late(
    program: Program, graphql: GraphQl, row: EventSearch
) -> None:
    graphql.error = NewStoreUnavailable("timeout")
    search_missed()
    assert not Alarm.objects.exists()
    EventSearch.objects.update(searched_until=NOW - timedelta(hours=7))
    search_missed()
    assert Alarm.objects.get().subject == "search of orders"
    graphql.error = None
    search_missed()
    assert Alarm.objects.get().closed_at is not None


def test_a_query_that_newstore_refuses_is_an_alarm_at_once(
    program: Program, graphql: GraphQl, row: EventSearch
) -> None:
    graphql.error = NewStoreRejected('400 Cannot query field "orders"', "", 400)
    search_missed()
    alarm = Alarm.objects.get()
    assert (alarm.kind, alarm.detail) == (
        AlarmKind.MISSED,
        'NewStore cannot be searched: 400 Cannot query field "orders"',
    )


def test_an_error_of_one_program_leaves_the_others_their_turn(
    program: Program, graphql: GraphQl, row: EventSearch
) -> None:
    def fail() -> None:
        raise ValueError("mia@example.test")

    graphql.on_read = fail
    search_missed()
    row.refresh_from_db()
    assert row.searched_until == NOW - timedelta(hours=1)
    assert EventSearch.objects.filter(kind=Searched.RETURNS).exists()
    assert Alarm.objects.get().detail == "NewStore cannot be searched: ValueError"


@pytest.mark.parametrize(
    "changes", [{"cursor": "two"}, {"window_until": NOW}, {"window_until": NOW, "cursor": ""}]
)
def test_a_cursor_and_its_period_stand_together(row: EventSearch, changes: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        EventSearch.objects.update(**changes)


# --- The order that was found -----------------------------------------------------------------------


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, program: Program, books: Books) -> dict[str, Any]:
    """NewStore's order, as a test changes it."""
    body: dict[str, Any] = {
        "id": "ACM000123",
        "origin_id": ORDER,
        "status": "closed",
        "channel_type": "store",
        "store_id": "US_BOSTON_01",
        "currency": "USD",
        "placed_at": "2026-03-04T15:20:00Z",
        "customer": {"id": "NS-US-01", "email": "mia@example.test"},
        "items": [
            {
                "id": "item-1",
                "product_id": "100045",
                "status": "complete",
                "price": {"base": 100, "discount": 10, "tax": 5},
                "discounts": [{"coupon_code": CODE}],
            }
        ],
    }
    monkeypatch.setattr(order_backfill, "read_order", lambda program, order_id: order_from(body))
    return body


def state_of(program: Program, work: Work, **changes: bool) -> tuple[str, str]:
    take_orders(program, [found(**changes)])
    work()
    event = Event.objects.get(source=EventSource.FOUND)
    return event.state, event.last_error


@pytest.mark.parametrize("status", ["failed", "created_for_blind_return"])
def test_an_order_that_sold_nothing_changes_nothing(
    program: Program, work: Work, host: dict[str, Any], redemption: Redemption, status: str
) -> None:
    host["status"] = status
    assert state_of(program, work) == (EventState.DONE, "")
    redemption.refresh_from_db()
    assert (redemption.state, Order.objects.count()) == (State.REVEALED, 0)


def test_an_order_on_hold_is_looked_at_again(program: Program, work: Work, host: dict[str, Any]) -> None:
    host["status"] = "on_hold"
    assert state_of(program, work) == (EventState.WAITING, "the order is on_hold")
    assert not Order.objects.exists()


def test_an_exchange_with_our_code_waits_for_a_person(
    program: Program, work: Work, host: dict[str, Any], redemption: Redemption
) -> None:
    state, error = state_of(program, work, is_exchange=True)
    assert (state, "have NewStore send the events" in error) == (EventState.DEAD, True)
    redemption.refresh_from_db()
    assert redemption.state == State.REVEALED


def test_a_vendor_that_was_down_is_told_with_the_next_attempt(
    program: Program, work: Work, host: dict[str, Any], books: Books, redemption: Redemption
) -> None:
    books.fail["confirm"] = [Unavailable("down")]
    assert state_of(program, work)[0] == EventState.WAITING
    work()
    redemption.refresh_from_db()
    assert redemption.state == State.SETTLED
    assert Order.objects.get().earned_points


def test_an_open_order_that_is_cancelled_meanwhile_is_undone(
    program: Program, work: Work, host: dict[str, Any], redemption: Redemption
) -> None:
    host["status"] = "open"
    assert state_of(program, work) == (EventState.WAITING, "the order is not completed yet")
    redemption.refresh_from_db()
    assert redemption.state == State.SETTLED
    host["status"] = "closed"
    host["items"][0]["status"] = "cancelled"
    work()
    redemption.refresh_from_db()
    assert (redemption.state, Order.objects.get().earned_points) == (State.RELEASED, None)
    assert Event.objects.get().state == EventState.DONE


def test_an_open_order_does_not_keep_its_member_from_being_erased(
    program: Program, work: Work, host: dict[str, Any], redemption: Redemption, books: Books
) -> None:
    host["status"] = "open"
    assert state_of(program, work) == (EventState.WAITING, "the order is not completed yet")
    person = Person(program=program, ref="mia", pseudonym="ERASED-0123456789ABCDEF0123456")
    person.profile_ids.add("NS-US-01")
    erasure.find(person)
    assert person.order_ids == {ORDER}
    assert list(erasure.blockers(person)) == []
    erasure.erase(person)
    host["status"] = "closed"
    work()
    assert Event.objects.get().state == EventState.DONE
    assert (Order.objects.get().earned_points, books.points("mia")) == (None, 0)


def test_a_person_who_knows_that_its_code_was_spent_has_the_found_order_handled_again(
    program: Program, work: Work, host: dict[str, Any], redemption: Redemption, books: Books
) -> None:
    books.fail["confirm"] = [Rejected(RejectReason.NOT_ALLOWED)]
    take_orders(program, [found()])
    work()
    redemption.refresh_from_db()
    assert redemption.state == State.STUCK
    assert resolve(redemption, question_of(redemption), it_happened=False, actor=WORKER)
    work()
    redemption.refresh_from_db()
    assert (redemption.state, books.calls["confirm"]) == (State.SETTLED, 2)


def test_the_reconciliation_repairs_a_found_order_that_did_not_earn(
    program: Program, work: Work, host: dict[str, Any], redemption: Redemption, books: Books
) -> None:
    books.fail["record_order"] = [Rejected(RejectReason.NOT_ALLOWED)] * 3
    take_orders(program, [found()])
    work(3)
    (gap,) = (each for each in _orders_of_day(program) if each.cause == "completed, and not earned")
    assert gap.repair
    gap.repair()
    work()
    assert Order.objects.get().earning == Earning.EARNED


def _orders_of_day(program: Program) -> list[Gap]:
    return [gap for gap in find_gaps(program, NOW.date()) if gap.about == ORDER]
