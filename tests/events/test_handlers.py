"""What the events of a sale do to points, rewards and rows, in every order in which they may come."""

from itertools import permutations
from typing import Any

import pytest

from loyaltyview.events.models import Earning, Event, EventState, Order, ReturnRecord, ReturnState, WhyNothing
from loyaltyview.redemptions.commands import WORKER
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.stuck_resolution import Question, resolve
from loyaltyview.redemptions.transitions import release_at

from .conftest import Deliver, Work
from .deliveries import ORDER, cancelled, completed, item, order, returned
from .vendor import Books

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


def test_a_reward_is_used_even_if_the_amounts_are_unreadable(
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


@pytest.mark.parametrize("changes", [{"items": []}, {"currency": "EUR"}, {"channel_type": "web"}])
def test_an_order_that_used_a_reward_and_earns_nothing_is_closed_at_the_vendor(
    changes: dict[str, Any], deliver: Deliver, work: Work, books: Books, redemption: Redemption
) -> None:
    deliver("order.opened", order(**changes))
    work()
    assert books.calls["close_order"] == 0
    deliver("order.completed", completed())
    work()
    assert Order.objects.get().earning == Earning.NOTHING
    assert list(books.spends.values()) == ["closed for mia"]


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


# --- Trouble at the vendor ------------------------------------------------------------------------


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


def test_order_created_no_longer_counts_once_the_order_was_opened(
    deliver: Deliver, work: Work, books: Books, redemption: Redemption
) -> None:
    deliver("order.opened", order(discounts=[], items=[item(discounts=[], order_discounts=0)]))
    work()
    deliver("order.created", order())
    work()
    redemption.refresh_from_db()
    assert (redemption.state, redemption.order_id) == (State.REVEALED, "")


def test_an_administrators_answer_is_sent_to_the_program_with_the_order(
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
