"""A whole sale and its return with the embedded program, from the deliveries to the member's balance."""

from decimal import Decimal

import pytest

from loyaltyview.events.models import ReturnRecord
from loyaltyview.programs.models import Program
from loyaltyview.work.worker import drain
from providers.base import LoyaltyProvider
from providers.house.models import EarnRule
from providers.types import Consents, MemberProfile, MemberQuery, QueryKind

from .conftest import Deliver
from .deliveries import cancelled, completed, item, order, returned


@pytest.fixture
def house(program: Program) -> LoyaltyProvider:
    """Two points a dollar; Mia is a member."""
    EarnRule.objects.create(program=program.slug, points_per_unit=2)
    house = program.provider()
    house.enrol(MemberProfile(email="mia@example.test"), Consents())
    return house


def points(house: LoyaltyProvider) -> int:
    (mia,) = house.find_members(MemberQuery(kind=QueryKind.EMAIL, value="mia@example.test"))
    return mia.balance.spendable


def test_points_are_earned_with_the_sale_and_go_back_with_the_goods(
    deliver: Deliver, house: LoyaltyProvider
) -> None:
    for name, payload in (("order.completed", completed()), ("order.opened", order())):
        deliver(name, payload)
        drain()
    assert points(house) == 180
    deliver("return.processed", returned(45.0))
    drain()
    assert points(house) == 90
    deliver("return.processed", returned(45.0, id="return-2"))
    drain()
    assert points(house) == 0


@pytest.mark.parametrize(
    ("earn_on", "price_method", "refund", "earned"),
    [
        ("price", "tax_included", 90.0, 180),
        ("without_tax", "tax_included", 84.37, 168),
        ("with_tax", "tax_excluded", 95.63, 191),
    ],
)
def test_goods_go_back_on_the_base_on_which_they_earned(
    deliver: Deliver,
    house: LoyaltyProvider,
    earn_on: str,
    price_method: str,
    refund: float,
    earned: int,
) -> None:
    Program.objects.update(earn_on=earn_on)
    deliver("order.opened", order(price_method=price_method, items=[item(price=100.0, tax=5.63)]))
    deliver("order.completed", completed())
    drain()
    assert points(house) == earned
    Program.objects.update(earn_on="price")  # the order keeps the base on which it earned
    whole = 90.0 if price_method == "tax_included" else 95.63
    refunds = {"refund_amount": whole, "refund_excl_tax": round(whole - 5.63, 2), "refund_tax": 5.63}
    half = {key: value / 2 for key, value in refunds.items()}
    for return_id, part in (("return-1", half), ("return-2", half)):
        goods = {"id": "item-1", "product_id": "100045", "quantity": 1, **part}
        deliver("return.processed", returned(id=return_id, items=[goods]))
        drain()
        if return_id == "return-1":
            assert points(house) == earned - earned // 2
    assert points(house) == 0
    assert sum(ReturnRecord.objects.values_list("amount", flat=True)) == Decimal(str(refund))


def test_a_cancelled_order_leaves_no_points(deliver: Deliver, house: LoyaltyProvider) -> None:
    for name, payload in (
        ("order.opened", order()),
        ("order.completed", completed()),
        ("order.cancelled", cancelled("item-1")),
    ):
        deliver(name, payload)
        drain()
    assert points(house) == 0
