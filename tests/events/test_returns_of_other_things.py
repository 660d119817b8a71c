"""What is no product earns nothing, so its return takes no points back and is no share of what was spent."""

from typing import Any

import pytest

from loyaltyview.events.models import ReturnRecord, ReturnState
from loyaltyview.programs.models import Program, ReturnPolicy
from loyaltyview.redemptions.models import Redemption

from .conftest import Deliver, Work
from .deliveries import completed, item, order, returned
from .house import COST, OPENING, balance, build_house, spend

GIFT_CARD = item(
    "item-2", 60.0, item_type="gift_card", product_id="gift-card", order_discounts=0, discounts=[]
)
EARNED = 180  # two points for each of the $90


def back(item_id: str, product_id: str, net: float) -> dict[str, Any]:
    line: dict[str, Any] = returned(net)["items"][0]
    return line | {"id": item_id, "product_id": product_id}


@pytest.mark.parametrize("policy", [ReturnPolicy.NONE, ReturnPolicy.PRO_RATA])
@pytest.mark.parametrize(
    ("goods", "share"),
    [
        ([], 0),
        ([back("item-1", "100045", 45.0)], 0.5),
        ([back("", "", 45.0)], 0.5),
        ([back("item-9", "swapped", 45.0)], 0.5),  # what the order does not know is counted
    ],
)
def test_a_gift_card_that_comes_back_takes_no_points_with_it(
    goods: list[dict[str, Any]],
    share: float,
    policy: ReturnPolicy,
    program: Program,
    redemption: Redemption,
    deliver: Deliver,
    work: Work,
) -> None:
    Program.objects.update(return_policy=policy)
    spend(redemption, build_house(program))
    deliver("order.opened", order(items=[item(), GIFT_CARD]))
    deliver("order.completed", completed())
    work(2)
    assert balance() == OPENING - COST + EARNED
    deliver("return.processed", returned(items=[back("item-2", "gift-card", 60.0), *goods]))
    work(2)
    given = COST * share if policy == ReturnPolicy.PRO_RATA else 0
    assert balance() == OPENING - COST + EARNED * (1 - share) + given
    assert ReturnRecord.objects.get().state == (ReturnState.DONE if goods else ReturnState.NOTHING)
