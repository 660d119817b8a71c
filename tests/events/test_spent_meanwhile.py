"""Points that an order earned and that were spent since: what is given back with them pays for them first."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from loyaltyview.programs.models import Program, ReturnPolicy
from loyaltyview.redemptions import recovery
from loyaltyview.redemptions.commands import Actor
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.release import undo
from providers.house.ledger import adjust

from .conftest import Deliver, Work
from .deliveries import cancelled, completed, item, order, returned
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


# --- The points are on hold for another cart, or spent in another order -----------------------------------


@pytest.fixture
def held(program: Program, redemption: Redemption, deliver: Deliver, work: Work) -> Redemption:
    """Mia has spent all but the 180 points of an order and 20 more, and redeems those in a new cart. Then all
    goods of the order come back."""
    mia = build_house(program)
    deliver("order.opened", order(discounts=[], items=[item(discounts=[])]))
    deliver("order.completed", completed())
    work(2)
    adjust(program.slug, mia, COST - balance(), reference="elsewhere", note="Spent in another shop")
    spend(redemption, mia)
    deliver("return.processed", returned(90.0))
    work(2)
    assert balance() == 0
    return redemption


def test_an_undone_redemption_pays_for_what_came_back(held: Redemption) -> None:
    for _ in range(2):
        assert undo(held.pk, Actor(name="kim")).state == State.RELEASED
        assert balance() == COST - EARNED


def test_a_redemption_that_ran_out_pays_for_what_came_back(held: Redemption) -> None:
    late = timezone.now() + timedelta(hours=2)
    Redemption.objects.update(due_at=timezone.now())
    with time_machine.travel(late, tick=False):
        while recovery.run_one():
            pass
    held.refresh_from_db()
    assert (held.state, balance()) == (State.RELEASED, COST - EARNED)


@pytest.mark.parametrize("policy", ReturnPolicy.values)
def test_the_order_that_used_the_redemption_pays_when_it_is_cancelled(
    policy: str, held: Redemption, deliver: Deliver, work: Work
) -> None:
    Program.objects.update(return_policy=policy)
    deliver("order.opened", order(id="order-2"))
    work(2)
    for _ in range(2):
        deliver("order.cancelled", cancelled("item-1", id="order-2"))
        work(2)
        assert balance() == COST - EARNED


def test_parts_of_the_redemption_pay_as_they_come_back(
    held: Redemption, deliver: Deliver, work: Work
) -> None:
    Program.objects.update(return_policy=ReturnPolicy.PRO_RATA)
    deliver("order.opened", order(id="order-2"))
    deliver("order.completed", completed(id="order-2"))
    work(2)
    # The second order earned 180 of its own, and its two returns take them again.
    for number, left in ((1, 90), (2, COST - EARNED)):
        deliver("return.processed", returned(45.0, id=f"half-{number}", order_id="order-2"))
        work(2)
        assert balance() == left
