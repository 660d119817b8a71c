"""A whole sale and its return with the embedded program, from the deliveries to the member's balance."""

import pytest

from loyaltyview.programs.models import Program
from loyaltyview.work.worker import drain
from providers.base import LoyaltyProvider
from providers.house.models import EarnRule
from providers.types import Consents, MemberProfile, MemberQuery, QueryKind

from .conftest import Deliver
from .deliveries import cancelled, completed, order, returned


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


def test_a_cancelled_order_leaves_no_points(deliver: Deliver, house: LoyaltyProvider) -> None:
    for name, payload in (
        ("order.opened", order()),
        ("order.completed", completed()),
        ("order.cancelled", cancelled("item-1")),
    ):
        deliver(name, payload)
        drain()
    assert points(house) == 0
