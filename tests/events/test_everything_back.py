"""When every item is back the whole order counts, even if the refunds were rounded."""

from collections.abc import Callable
from typing import Any

import pytest

from loyaltyview.events.models import ReturnRecord
from loyaltyview.programs.models import Program, ReturnPolicy
from loyaltyview.redemptions.models import Redemption
from providers.house.models import EarnRule, Member
from providers.types import Consents, MemberProfile

from .conftest import Deliver, Work
from .deliveries import ORDER, cancelled, completed, item, order, returned
from .house import COST, EMAIL, OPENING, balance, build_house, spend
from .vendor import Books

Sell = Callable[..., None]


@pytest.fixture
def sell(program: Program, deliver: Deliver, work: Work) -> Sell:
    """Sell items to Mia, who has no points yet and earns two a dollar."""
    EarnRule.objects.create(program=program.slug, points_per_unit=2)
    program.provider().enrol(MemberProfile(email=EMAIL), Consents())

    def sell(*items: dict[str, Any], **changes: Any) -> None:
        deliver("order.opened", order(items=list(items), discounts=[], **changes))
        deliver("order.completed", completed())
        work()

    return sell


def plain(item_id: str = "item-1", price: float = 100.0, **changes: Any) -> dict[str, Any]:
    return item(item_id, price, **{"order_discounts": 0, "tax": 0, "discounts": []} | changes)


def back(
    net: float, *item_ids: str, return_id: str = "return-1", gross: float | None = None
) -> tuple[str, dict[str, Any]]:
    """One return of these items for `net` each, `gross` with tax."""
    line = {"product_id": "100045", "quantity": 1, "refund_amount": gross or net, "refund_excl_tax": net}
    return "return.processed", returned(
        net, id=return_id, items=[{"id": item_id} | line for item_id in item_ids]
    )


def goodwill(amount: float) -> tuple[str, dict[str, Any]]:
    fields = {"id": "refund-1", "order_id": ORDER, "amount": amount, "currency": "USD"}
    return "refund_request.issued", fields | {"requested_at": "2026-03-05T09:00:00Z"}


def points_left() -> tuple[int, int]:
    balance()  # The ledger adds up.
    member = Member.objects.get(email=EMAIL)
    return member.spendable, member.lifetime_points


def play(deliver: Deliver, work: Work, *events: tuple[str, dict[str, Any]]) -> None:
    for event in events:
        for _ in range(2):
            deliver(*event)
            work()


@pytest.mark.parametrize("net", [99.99, 100.00, 100.01])
def test_one_item_that_comes_back_for_a_cent_less_or_more_takes_everything(
    net: float, sell: Sell, deliver: Deliver, work: Work
) -> None:
    sell(plain())
    play(deliver, work, back(net, "item-1"))
    assert points_left() == (0, 0)


def test_the_last_of_three_items_takes_what_is_left(sell: Sell, deliver: Deliver, work: Work) -> None:
    sell(plain("item-1"), plain("item-2"), plain("item-3"))
    play(
        deliver,
        work,
        back(100.0, "item-1", return_id="r-1"),
        back(100.0, "item-2", return_id="r-2"),
    )
    assert points_left() == (200, 200)
    play(deliver, work, back(99.99, "item-3", return_id="r-3"))
    assert points_left() == (0, 0)


def test_ten_items_whose_tax_and_discount_were_rounded_leave_no_point(
    sell: Sell, deliver: Deliver, work: Work
) -> None:
    names = [f"item-{number}" for number in range(10)]
    discounts = [5.97, 5.98] * 5
    items = [
        plain(name, 23.90, order_discounts=discount, tax=2.99)
        for name, discount in zip(names, discounts, strict=True)
    ]
    sell(*items, price_method="tax_included")
    play(deliver, work, back(14.93, *names, gross=17.92))
    assert points_left() == (0, 0)


def test_an_item_cancelled_late_after_the_other_came_back_takes_what_is_left(
    sell: Sell, deliver: Deliver, work: Work
) -> None:
    sell(plain("item-1"), plain("item-2"))
    play(
        deliver,
        work,
        back(99.99, "item-1"),
        ("order.items_cancelled", cancelled("item-2")),
    )
    assert points_left() == (0, 0)


def test_a_return_that_names_products_only_is_matched_by_product(
    sell: Sell, deliver: Deliver, work: Work
) -> None:
    sell(plain("item-1"), plain("item-2"))
    play(deliver, work, back(99.99, "unit-a", "unit-b"))
    assert points_left() == (0, 0)


@pytest.mark.parametrize(
    ("events", "left"),
    [
        ([back(100.0, "item-1")], 200),
        ([back(99.99, "item-1")], 201),
        # The same item twice is not both items.
        ([back(99.99, "item-1"), back(99.99, "item-1", return_id="r-2")], 1),
        # An item taken back damaged, for half of its price, keeps half of its points.
        ([back(50.0, "item-1", "item-2")], 200),
        # A goodwill refund alone takes nothing: the goods stay.
        ([goodwill(10.0)], 400),
        ([goodwill(10.0), back(90.0, "item-1")], 220),
    ],
)
def test_what_the_customer_keeps_keeps_its_points(
    events: list[Any], left: int, sell: Sell, deliver: Deliver, work: Work
) -> None:
    sell(plain("item-1"), plain("item-2"))
    play(deliver, work, *events)
    assert points_left() == (left, left)


@pytest.mark.parametrize("is_refund_first", [True, False])
def test_a_goodwill_refund_and_the_item_back_for_the_rest_are_the_whole_order(
    is_refund_first: bool, sell: Sell, deliver: Deliver, work: Work
) -> None:
    sell(plain())
    events = [goodwill(10.0), back(90.0, "item-1")]
    play(deliver, work, *(events if is_refund_first else reversed(events)))
    assert points_left() == (0, 0)


@pytest.mark.parametrize("events", [[back(89.99, "item-1")], [back(80.0, "item-1"), goodwill(10.0)]])
def test_all_points_that_were_redeemed_come_back_with_everything(
    events: list[Any], program: Program, redemption: Redemption, deliver: Deliver, work: Work
) -> None:
    Program.objects.update(return_policy=ReturnPolicy.PRO_RATA)
    spend(redemption, build_house(program))
    deliver("order.opened", order())
    deliver("order.completed", completed())
    work()
    assert balance() == OPENING - COST + 180
    play(deliver, work, *events)
    assert balance() == OPENING


def test_the_vendor_gets_the_amount_that_is_left_of_the_order_and_that_it_is_complete(
    deliver: Deliver, work: Work, books: Books
) -> None:
    deliver("order.opened", order(items=[plain("item-1"), plain("item-2"), plain("item-3")]))
    deliver("order.completed", completed())
    work()
    play(
        deliver,
        work,
        back(99.99, "item-1", return_id="r-1"),
        back(33.33, "item-2", return_id="r-2"),
        back(66.67, return_id="r-3"),
        back(99.99, "item-3", return_id="r-4"),
        back(99.99, "item-3", return_id="r-5"),
    )
    sent = [(ret.net.amount * 100, ret.is_complete) for ret in books.returns.values()]
    assert sent == [(9999, False), (3333, False), (6667, False), (10001, True)]
    assert sum(record.counted or 0 for record in ReturnRecord.objects.all()) == 300
