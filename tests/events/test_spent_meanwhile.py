"""Points that an order earned and that were spent since: what is given back with them pays for them first."""

import pytest

from loyaltyview.programs.models import Program, ReturnPolicy
from loyaltyview.redemptions.models import Redemption
from providers.house.ledger import adjust

from .conftest import Deliver, Work
from .deliveries import cancelled, completed, order, returned
from .house import COST, balance, build_house, spend

EARNED = 180  # two points for each of the $90
BACK = {
    "order.cancelled": cancelled("item-1"),
    "return.processed": returned(90.0),
}


@pytest.mark.parametrize("policy", [ReturnPolicy.FULL, ReturnPolicy.PRO_RATA])
@pytest.mark.parametrize("name", BACK)
def test_nothing_is_forgiven_that_the_points_given_back_pay_for(
    name: str,
    policy: ReturnPolicy,
    program: Program,
    redemption: Redemption,
    deliver: Deliver,
    work: Work,
) -> None:
    Program.objects.update(return_policy=policy)
    mia = build_house(program)
    spend(redemption, mia)
    deliver("order.opened", order())
    deliver("order.completed", completed())
    work(2)
    adjust(program.slug, mia, -balance(), reference="elsewhere", note="Spent in another shop")
    deliver(name, BACK[name])
    work(2)
    assert balance() == COST - EARNED
