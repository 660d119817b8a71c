"""An exchange: the old goods come back, the new ones earn, and the reward was used once."""

from itertools import permutations
from typing import Any

import pytest

from loyaltyview.events.models import Alarm, Event, EventState, ExchangeLink, Order
from loyaltyview.programs.models import Program, ReturnPolicy
from loyaltyview.redemptions.models import Redemption, State

from .conftest import Deliver, Work
from .deliveries import ORDER, cancelled, completed, item, order, returned
from .vendor import Books

LINK = {"order_id": ORDER, "return_id": "return-1"}


def exchange(**changes: Any) -> dict[str, Any]:
    """The second order: other goods, and NewStore repeats the code of the first."""
    fields = {
        "id": "order-2",
        "is_exchange": True,
        "exchanges": [LINK],
        "customer_email": None,
        "items": [item("item-9", 70.0)],
    }
    return order(**(fields | changes))


EXCHANGE: dict[str, tuple[str, dict[str, Any]]] = {
    "opened": ("order.opened", order()),
    "completed": ("order.completed", completed()),
    "returned": ("return.processed", returned(90.0)),
    "new opened": ("order.opened", exchange()),
    "new completed": ("order.completed", completed(id="order-2")),
}


@pytest.mark.parametrize("names", list(permutations(EXCHANGE))[::5])
def test_an_exchange_ends_the_same_in_every_order_of_its_events(
    names: tuple[str, ...], deliver: Deliver, work: Work, books: Books, redemption: Redemption, caplog: Any
) -> None:
    # With what returns give back, it is in test_spends_and_returns.
    Program.objects.update(return_policy=ReturnPolicy.NONE)
    for name in names:
        deliver(*EXCHANGE[name])
        work()
    work(2)
    redemption.refresh_from_db()
    assert (redemption.state, redemption.order_id) == (State.SETTLED, ORDER)
    assert books.spends == {f"{redemption.id.hex}-1": "confirmed"}
    assert "code_in_two_orders" not in caplog.text
    assert not Alarm.objects.exists()
    assert set(Event.objects.values_list("state", flat=True)) == {EventState.DONE}
    assert set(Order.objects.values_list("earning", flat=True)) == {"earned"}
    assert books.points("mia") == 90 - 90 + 60


def test_the_new_goods_earn_for_the_member_of_the_first_order(
    deliver: Deliver, work: Work, books: Books, redemption: Redemption
) -> None:
    for name in EXCHANGE:
        deliver(*EXCHANGE[name])
        work()
    assert books.points("mia") == 90 - 90 + 60
    assert list(ExchangeLink.objects.values_list("old_order_id", "return_id")) == [(ORDER, "return-1")]


def test_an_exchange_of_an_exchange_leaves_the_reward_with_the_first(
    deliver: Deliver, work: Work, books: Books, redemption: Redemption, caplog: Any
) -> None:
    third = exchange(id="order-3", exchanges=[{"order_id": "order-2", "return_id": "return-2"}])
    for payload in (third, exchange(), order()):
        deliver("order.opened", payload)
        work()
    redemption.refresh_from_db()
    assert redemption.order_id == ORDER
    assert "code_in_two_orders" not in caplog.text


def test_the_same_code_in_an_order_that_is_no_exchange_is_reported(
    deliver: Deliver, work: Work, books: Books, redemption: Redemption, caplog: Any
) -> None:
    deliver("order.opened", order())
    deliver("order.opened", order(id="order-2"))
    work()
    assert "code_in_two_orders" in caplog.text


def test_a_cancelled_exchange_leaves_the_reward_of_the_first_order_used(
    deliver: Deliver, work: Work, books: Books, redemption: Redemption
) -> None:
    deliver("order.opened", order())
    deliver("order.opened", exchange())
    deliver("order.cancelled", cancelled("item-9", id="order-2"))
    work()
    redemption.refresh_from_db()
    assert redemption.state == State.SETTLED


@pytest.mark.parametrize(
    "exchanges", [None, {}, "x", [None], [{"order_id": 5}], [{"return_id": "r"}], [{"order_id": ORDER}]]
)
def test_malformed_links_do_not_stop_an_order(
    exchanges: Any, deliver: Deliver, work: Work, books: Books
) -> None:
    deliver("order.opened", exchange(exchanges=exchanges))
    work()
    assert Event.objects.get().state == EventState.DONE
