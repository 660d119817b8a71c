"""A vendor that takes all sales is told of those without a member, their returns and cancellations, too."""

import pytest

from loyaltyview.events.models import Earning, Order, ReturnRecord, ReturnState, WhyNothing
from providers.base import Capability
from providers.errors import Unavailable

from .conftest import Deliver, Work
from .deliveries import ORDER, cancelled, completed, order, returned
from .vendor import Books, MemoryVendor


@pytest.fixture
def takes_all(monkeypatch: pytest.MonkeyPatch) -> None:
    with_all = MemoryVendor.capabilities | {Capability.ANONYMOUS_SALES}
    monkeypatch.setattr(MemoryVendor, "capabilities", with_all)


def sell(deliver: Deliver, work: Work, **changes: object) -> None:
    deliver("order.opened", order(customer_email=None, **changes))
    deliver("order.completed", completed())
    work(2)


def test_a_sale_without_a_member_is_told_and_earns_nothing(
    deliver: Deliver, work: Work, books: Books, takes_all: None
) -> None:
    sell(deliver, work)
    row = Order.objects.get()
    assert (row.earning, row.why_nothing) == (Earning.NOTHING, WhyNothing.NO_MEMBER)
    assert books.orders[ORDER].member_ref == ""
    assert books.points("mia") == 0


def test_without_the_capability_nothing_is_told(deliver: Deliver, work: Work, books: Books) -> None:
    sell(deliver, work)
    deliver("return.processed", returned())
    deliver("order.cancelled", cancelled())
    work(2)
    assert not {"record_order", "record_return", "cancel_order"} & set(books.calls)


def test_a_sale_is_told_once_the_vendor_answers_again(
    deliver: Deliver, work: Work, books: Books, takes_all: None
) -> None:
    books.fail["record_order"] = [Unavailable("down")]
    sell(deliver, work)
    assert list(books.orders) == [ORDER]


@pytest.mark.parametrize("changes", [{"channel_type": "web"}, {"is_historical": True}])
def test_an_order_that_is_not_to_be_reported_is_not_told(
    deliver: Deliver, work: Work, books: Books, takes_all: None, changes: dict[str, object]
) -> None:
    sell(deliver, work, **changes)
    assert not books.orders


def test_a_return_of_such_a_sale_is_told_and_takes_nothing_back(
    deliver: Deliver, work: Work, books: Books, takes_all: None
) -> None:
    deliver("return.processed", returned())
    sell(deliver, work)
    work(2)
    (told,) = books.returns.values()
    assert told.member_ref == ""
    record = ReturnRecord.objects.get()
    assert (record.state, record.points_taken) == (ReturnState.NOTHING, None)


def test_the_cancellation_of_such_a_sale_is_told(
    deliver: Deliver, work: Work, books: Books, takes_all: None
) -> None:
    sell(deliver, work)
    deliver("order.cancelled", cancelled())
    work(2)
    assert f"cancel {ORDER}" in books.entries


def test_a_sale_that_was_cancelled_before_it_was_complete_is_not_told(
    deliver: Deliver, work: Work, books: Books, takes_all: None
) -> None:
    deliver("order.cancelled", cancelled())
    sell(deliver, work)
    assert not books.orders


def test_an_erased_members_order_is_not_told_again(
    deliver: Deliver, work: Work, books: Books, takes_all: None
) -> None:
    deliver("order.opened", order(customer_email=None))
    work(2)
    Order.objects.update(member_ref="ERASED-0123456789ABCDEF0123456")
    deliver("order.completed", completed())
    deliver("order.cancelled", cancelled())
    work(2)
    assert not {"record_order", "cancel_order"} & set(books.calls)
