"""What the events of a sale do to points, rewards and rows, in every order in which they may come."""

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest

from loyaltyview.events.models import Earning, Event, EventState, Order, ReturnRecord, ReturnState, WhyNothing
from loyaltyview.events.processing import run_one
from loyaltyview.events.replay import replay
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.requests import WORKER
from loyaltyview.redemptions.resolution import Question, resolve
from loyaltyview.redemptions.steps import release_at
from providers.errors import OutcomeUnknown, Rejected, RejectReason, Unavailable

from .conftest import Deliver
from .deliveries import ORDER, cancelled, completed, item, order, returned
from .vendor import Books

Work = Callable[..., int]
PAYLOADS: dict[str, dict[str, Any]] = {
    "order.created": order(),
    "order.opened": order(),
    "order.completed": completed(),
    "order.cancelled": cancelled("item-1"),
}


def states() -> set[str]:
    return set(Event.objects.values_list("state", flat=True))


def test_a_sale_settles_its_reward_and_earns(
    deliver: Deliver, work: Work, books: Books, redemption: Redemption
) -> None:
    for name in ("order.created", "order.opened", "order.completed"):
        assert deliver(name, PAYLOADS[name]) == 200
        work()
    redemption.refresh_from_db()
    assert (redemption.state, redemption.order_id) == (State.SETTLED, ORDER)
    assert books.spends == {f"{redemption.id.hex}-1": "confirmed"}
    assert books.points("mia") == 90
    row = Order.objects.get()
    assert (row.earning, row.earned_points, row.member_ref) == (Earning.EARNED, 90, "mia")
    sent = books.orders[ORDER]
    assert (sent.store, sent.associate_id, sent.external_id) == ("boston-1", "a-17", "ACM000123")
    assert [spend.provider_ref for spend in sent.spends] == ["ref-1"]
    assert states() == {EventState.DONE}


def test_the_reward_is_used_as_soon_as_the_order_is_created(
    deliver: Deliver, work: Work, books: Books, redemption: Redemption
) -> None:
    deliver("order.created", order())
    work()
    redemption.refresh_from_db()
    assert redemption.state == State.USED
    assert books.calls["confirm"] == 0


@pytest.mark.parametrize("names", list(permutations(["order.created", "order.opened", "order.completed"])))
def test_a_sale_ends_the_same_in_every_order_of_its_events(
    names: tuple[str, ...], deliver: Deliver, work: Work, books: Books, redemption: Redemption
) -> None:
    for name in (*names, *names):
        deliver(name, PAYLOADS[name])
        work()
    work()
    redemption.refresh_from_db()
    assert redemption.state == State.SETTLED
    assert books.points("mia") == 90
    assert states() == {EventState.DONE}
    assert Event.objects.count() == 3


@pytest.mark.parametrize("names", list(permutations(PAYLOADS)))
def test_a_cancelled_order_ends_the_same_in_every_order_of_its_events(
    names: tuple[str, ...], deliver: Deliver, work: Work, books: Books, redemption: Redemption
) -> None:
    for name in (*names, *names):
        deliver(name, PAYLOADS[name])
        work()
    work()
    redemption.refresh_from_db()
    assert redemption.state == State.RELEASED
    assert books.spends == {f"{redemption.id.hex}-1": "released"}
    assert books.points("mia") == 0
    row = Order.objects.get()
    assert row.earning in (Earning.NOTHING, Earning.TAKEN_BACK)
    assert None not in (
        row.created_seen_at, row.opened_seen_at, row.completed_seen_at, row.cancelled_seen_at
    )  # fmt: skip
    assert states() == {EventState.DONE}


def test_created_never_overwrites_opened(deliver: Deliver, work: Work, books: Books) -> None:
    deliver("order.opened", order())
    work()
    deliver("order.created", order(items=[item(price=500)], external_id="OLD"))
    work()
    row = Order.objects.get()
    assert (row.earn_base, row.external_id) == (90, "ACM000123")


def test_odd_amounts_do_not_keep_a_reward_from_being_used(
    deliver: Deliver, work: Work, books: Books, redemption: Redemption
) -> None:
    deliver("order.opened", order(items=[item(pricebook_price="100")]))
    work()
    redemption.refresh_from_db()
    assert redemption.state == State.USED
    event = Event.objects.get()
    assert (event.state, event.last_error) == (EventState.DEAD, "pricebook_price: not a number")


# --- Who earns, and what does not -----------------------------------------------------------------


def test_without_a_reward_the_customers_email_earns(deliver: Deliver, work: Work, books: Books) -> None:
    deliver("order.opened", order(customer_email="Mia@Example.test"))
    deliver("order.completed", completed())
    work()
    assert books.points("mia") == 90


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"customer_email": None}, WhyNothing.NO_MEMBER),
        ({"customer_email": "stranger@example.test"}, WhyNothing.NO_MEMBER),
        ({"customer_email": "twins@example.test"}, WhyNothing.NO_MEMBER),
        ({"channel_type": "web", "channel": "shop"}, WhyNothing.CHANNEL),
        ({"currency": "EUR"}, WhyNothing.CURRENCY),
        ({"is_historical": True}, WhyNothing.HISTORICAL),
        ({"items": []}, WhyNothing.NO_AMOUNT),
    ],
)
def test_some_orders_earn_nothing_and_say_why(
    changes: dict[str, Any], reason: str, deliver: Deliver, work: Work, books: Books
) -> None:
    books.emails["twins@example.test"] = ("one", "two")
    deliver("order.opened", order(**changes))
    deliver("order.completed", completed())
    deliver("return.processed", returned())
    work(2)
    assert (Order.objects.get().earning, Order.objects.get().why_nothing) == (Earning.NOTHING, reason)
    assert ReturnRecord.objects.get().state == ReturnState.NOTHING
    assert books.entries == {}
    assert states() == {EventState.DONE}


def test_imported_history_touches_no_reward(
    deliver: Deliver, work: Work, books: Books, redemption: Redemption
) -> None:
    for name in ("order.created", "order.opened"):
        deliver(name, order(is_historical=True))
    work()
    redemption.refresh_from_db()
    assert redemption.state == State.REVEALED


def test_an_order_row_holds_no_personal_data(deliver: Deliver, work: Work, books: Books) -> None:
    deliver("order.opened", order(customer_first_name="Mia", customer_phone="+16175550100"))
    deliver("order.completed", completed())
    work()
    row = str(Order.objects.values().get())
    assert not [text for text in ("example.test", "kim@", "Mia", "Main St", "6175550100") if text in row]


def test_cancelled_items_do_not_earn(deliver: Deliver, work: Work, books: Books) -> None:
    deliver("order.items_cancelled", cancelled("item-2"))
    deliver("order.opened", order(items=[item(), item("item-2", 50.0), item("item-3", 20.0)]))
    work()
    deliver("order.items_cancelled", cancelled("item-3"))
    deliver("order.completed", completed())
    work()
    assert books.points("mia") == 90
    assert [line.item_id for line in books.orders[ORDER].lines] == ["item-1"]


def test_items_cancelled_after_earning_are_taken_back(deliver: Deliver, work: Work, books: Books) -> None:
    deliver("order.opened", order(items=[item(), item("item-2", 50.0)]))
    deliver("order.completed", completed())
    work()
    assert books.points("mia") == 130
    deliver("order.items_cancelled", cancelled("item-2"))
    work()
    assert books.points("mia") == 90


def test_items_named_by_two_late_cancellations_are_taken_back_once(
    deliver: Deliver, work: Work, books: Books
) -> None:
    deliver("order.opened", order(items=[item(), item("item-2", 50.0), item("item-3", 20.0)]))
    deliver("order.completed", completed())
    work()
    assert books.points("mia") == 140
    deliver("order.items_cancelled", cancelled("item-2"))
    deliver("order.items_cancelled", cancelled("item-2", "item-3"))
    work()
    assert books.points("mia") == 90


# --- Returns --------------------------------------------------------------------------------------


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
    assert states() == {EventState.DONE}


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


# --- Trouble at the vendor ------------------------------------------------------------------------


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


def test_a_code_taken_out_of_the_order_before_it_was_final_is_not_used(
    deliver: Deliver, work: Work, books: Books, redemption: Redemption
) -> None:
    bare = order(discounts=[], items=[item(discounts=[], order_discounts=0)])
    for name, payload in (("order.created", order()), ("order.opened", bare), ("order.created", order())):
        deliver(name, payload)
        work()
    deliver("order.completed", completed())
    work()
    redemption.refresh_from_db()
    assert (redemption.state, redemption.order_id) == (State.REVEALED, "")
    assert redemption.due_at == release_at(redemption)
    assert books.spends == {}
    assert redemption.transitions.get(to_state=State.REVEALED).reason.startswith("taken out of the order")


def test_what_order_created_says_counts_no_more_once_the_order_was_opened(
    deliver: Deliver, work: Work, books: Books, redemption: Redemption
) -> None:
    deliver("order.opened", order(discounts=[], items=[item(discounts=[], order_discounts=0)]))
    work()
    deliver("order.created", order())
    work()
    redemption.refresh_from_db()
    assert (redemption.state, redemption.order_id) == (State.REVEALED, "")


def test_a_return_before_the_order_earned_is_taken_back_when_it_earns_after_all(
    deliver: Deliver, work: Work, books: Books
) -> None:
    """Nobody was a member; she enrolled, and an administrator replayed the events."""
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


def test_a_return_that_nobody_understands_does_not_keep_its_order_from_being_done(
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


def test_an_administrators_answer_is_told_to_the_program_with_the_order(
    deliver: Deliver, work: Work, books: Books, redemption: Redemption
) -> None:
    deliver("order.opened", order())
    work()
    Redemption.objects.update(state=State.STUCK)
    books.spends.clear()
    redemption.refresh_from_db()
    assert resolve(redemption, Question.SPEND, it_happened=True, actor=WORKER)
    work()
    redemption.refresh_from_db()
    assert redemption.state == State.SETTLED
    assert set(books.spends.values()) == {"confirmed"}
