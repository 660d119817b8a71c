"""Pro rata, where the reward paid for all of the goods; and a reward that went on into an exchange."""

from typing import Any

import pytest

from loyaltyview.events.models import Alarm, AlarmKind
from loyaltyview.programs.models import Program, ReturnPolicy
from loyaltyview.redemptions.models import Redemption

from .conftest import Deliver, Work
from .deliveries import completed, item, order, returned
from .house import COST, OPENING, balance, build_house, spend
from .test_exchanges import exchange


@pytest.mark.parametrize(("came_back", "given"), [(("item-1",), 100), (("item-1", "item-2"), 200)])
def test_goods_that_points_paid_in_full_give_back_their_points(
    came_back: tuple[str, ...],
    given: int,
    program: Program,
    redemption: Redemption,
    deliver: Deliver,
    work: Work,
) -> None:
    Program.objects.update(return_policy=ReturnPolicy.PRO_RATA)
    spend(redemption, build_house(program))
    free = [item("item-1", 5.0, order_discounts=5.0), item("item-2", 5.0, order_discounts=5.0)]
    deliver("order.opened", order(items=free))
    deliver("order.completed", completed())
    work()
    assert balance() == OPENING - COST
    for number, item_id in enumerate(came_back):
        back = {
            "id": item_id,
            "product_id": "100045",
            "quantity": 1,
            "refund_amount": 0,
            "refund_excl_tax": 0,
        }
        deliver("return.processed", returned(0, id=f"return-{number}", items=[back]))
        work(2)
    assert balance() == OPENING - COST + given


@pytest.mark.parametrize("policy", [ReturnPolicy.PRO_RATA, ReturnPolicy.FULL])
@pytest.mark.parametrize("exchange_first", [True, False])
def test_points_that_went_back_while_their_discount_went_on_are_an_alarm(
    policy: ReturnPolicy,
    exchange_first: bool,
    program: Program,
    redemption: Redemption,
    deliver: Deliver,
    work: Work,
) -> None:
    Program.objects.update(return_policy=policy)
    spend(redemption, build_house(program))
    deliver("order.opened", order())
    deliver("order.completed", completed())
    work()
    story: list[tuple[str, Any]] = [("return.processed", returned(90.0)), ("order.opened", exchange())]
    for name, payload in reversed(story) if exchange_first else story:
        deliver(name, payload)
        work(2)
    deliver("order.completed", completed(id="order-2"))
    work(2)
    # Points are back and the discount went on: a person must know.
    assert Alarm.objects.get(closed_at=None).kind == AlarmKind.TWICE
