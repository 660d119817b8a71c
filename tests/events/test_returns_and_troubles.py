"""Returns and exchanges, and events whose handling fails: nothing is taken back twice, nothing is lost."""

from loyaltyview.events.models import Earning, Event, EventState, Order, ReturnRecord, ReturnState
from loyaltyview.events.processing import run_one
from loyaltyview.events.stored_events import replay
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import Redemption, State
from providers.errors import OutcomeUnknown, Rejected, RejectReason, Unavailable

from .conftest import Deliver, Work
from .deliveries import ORDER, cancelled, completed, item, order, returned
from .vendor import Books


def test_each_return_takes_points_back_once(deliver: Deliver, work: Work, books: Books) -> None:
    deliver("order.opened", order())
    deliver("order.completed", completed())
    work()
    for _ in range(2):
        deliver("return.processed", returned(45.0))
        deliver("return.processed", returned(30.0, id="return-2"))
        work()
    assert books.points("mia") == 90 - 45 - 30
    taken = dict(ReturnRecord.objects.values_list("return_id", "points_taken"))
    assert taken == {"return-1": -45, "return-2": -30}
    assert books.returns["return-1"].store == "boston-1"


def test_a_return_waits_for_its_order_to_earn(deliver: Deliver, work: Work, books: Books) -> None:
    deliver("return.processed", returned(90.0))
    work()
    assert Event.objects.get().last_error == "order.opened has not arrived"
    deliver("order.opened", order())
    work()
    assert ReturnRecord.objects.get().state == ReturnState.WAITING
    deliver("order.completed", completed())
    work(2)
    assert ReturnRecord.objects.get().state == ReturnState.DONE
    assert books.points("mia") == 0


def test_a_blind_return_is_parked_for_a_person(deliver: Deliver, work: Work, books: Books) -> None:
    deliver("return.processed", returned(order_id=None))
    work()
    record = ReturnRecord.objects.get()
    assert (record.state, record.order_id, record.amount) == (ReturnState.PARKED, "", 45)
    assert set(Event.objects.values_list("state", flat=True)) == {EventState.DONE}


def test_an_exchange_takes_back_the_old_goods_and_earns_on_the_new(
    deliver: Deliver, work: Work, books: Books
) -> None:
    deliver("order.opened", order())
    deliver("order.completed", completed())
    deliver("return.processed", returned(90.0))
    exchange = {"order_id": ORDER, "return_id": "return-1"}
    new = order(id="order-2", is_exchange=True, exchanges=[exchange], items=[item("item-9", 70.0)])
    deliver("order.opened", new)
    deliver("order.completed", completed(id="order-2"))
    work(2)
    assert books.points("mia") == 90 - 90 + 60
    assert Order.objects.get(order_id="order-2").is_exchange


def test_a_crash_after_the_vendor_earned_does_not_earn_twice(
    deliver: Deliver, work: Work, books: Books
) -> None:
    books.fail_after["record_order"] = [OutcomeUnknown("read timed out")]
    deliver("order.opened", order())
    deliver("order.completed", completed())
    work(2)
    assert books.calls["record_order"] == 2
    assert Order.objects.get().earned_points == books.points("mia") == 90


def test_a_cancellation_takes_back_what_may_have_been_earned(
    deliver: Deliver, work: Work, books: Books
) -> None:
    books.fail_after["record_order"] = [OutcomeUnknown("read timed out")]
    deliver("order.opened", order())
    deliver("order.completed", completed())
    work()
    assert Order.objects.get().earning == Earning.STARTED
    deliver("order.cancelled", cancelled("item-1"))
    assert run_one()  # the cancellation: order.completed waits for its next attempt
    work()
    assert Order.objects.get().earning == Earning.TAKEN_BACK
    assert books.points("mia") == 0
    assert books.calls["record_order"] == 1


def test_a_vendor_that_is_down_delays_and_loses_nothing(
    deliver: Deliver, work: Work, books: Books, redemption: Redemption
) -> None:
    books.fail = {
        "confirm": [Unavailable("down"), Unavailable("down")],
        "record_order": [Unavailable("down"), Unavailable("down")],
    }
    deliver("order.opened", order())
    deliver("order.completed", completed())
    work(5)
    redemption.refresh_from_db()
    assert redemption.state == State.SETTLED
    assert books.points("mia") == 90


def test_a_refused_order_is_dead_after_a_few_attempts(deliver: Deliver, work: Work, books: Books) -> None:
    books.fail["record_order"] = [Rejected(RejectReason.NOT_ALLOWED, "no orders today")] * 5
    deliver("order.opened", order())
    deliver("order.completed", completed())
    work(6)
    event = Event.objects.get(name="order.completed")
    assert (event.state, event.attempts) == (EventState.DEAD, 3)
    assert event.last_error == "Rejected: no orders today"


def test_a_dead_event_does_not_hold_up_the_others(
    deliver: Deliver, work: Work, books: Books, program: Program
) -> None:
    deliver("order.opened", order(currency=None))
    deliver("order.cancelled", cancelled("item-1"))
    deliver("order.opened", order(id="order-2"))
    work()
    by_name = dict(Event.objects.values_list("dedupe_key", "state"))
    assert by_name == {
        f"order.opened:{ORDER}": EventState.DEAD,
        f"order.cancelled:{ORDER}": EventState.DONE,
        "order.opened:order-2": EventState.DONE,
    }


def test_a_return_before_the_order_earned_is_taken_back_when_it_earns_later(
    deliver: Deliver, work: Work, books: Books
) -> None:
    """The customer was no member, then enrolled, and an administrator replayed the events."""
    known, books.emails = books.emails, {}
    deliver("order.opened", order(discounts=[], items=[item(discounts=[])]))
    deliver("order.completed", completed())
    deliver("return.processed", returned(90.0))
    work(2)
    books.emails = known
    replay(Event.objects.all())
    work(3)
    assert books.points("mia") == 0
    assert ReturnRecord.objects.get().state == ReturnState.DONE


def test_an_unreadable_return_does_not_stop_the_other_events_of_its_order(
    deliver: Deliver, work: Work, books: Books
) -> None:
    known, books.emails = books.emails, {}
    deliver("order.opened", order(discounts=[], items=[item(discounts=[])]))
    deliver("order.completed", completed())
    deliver("return.processed", returned(90.0, currency="EUR"))
    work(2)
    books.emails = known
    replay(Event.objects.filter(name="order.completed"))
    work(3)
    found = dict(Event.objects.values_list("name", "state"))
    assert found["order.completed"] == EventState.DONE
    assert found["return.processed"] == EventState.DEAD
