"""Cancelled items give the same points back before and after the order has earned."""

from itertools import permutations

import pytest

from loyaltyview.programs.models import Program, ReturnPolicy
from loyaltyview.redemptions.models import Redemption

from .conftest import Deliver, Work
from .deliveries import cancelled, completed, item, order, returned
from .house import COST, OPENING, balance, build_house, spend

EVENTS = {
    "opened": ("order.opened", order(items=[item("item-1"), item("item-2")])),
    "completed": ("order.completed", completed()),
    "cancelled": ("order.items_cancelled", cancelled("item-2")),
    "returned": ("return.processed", returned(90.0)),
}


@pytest.mark.parametrize("names", list(permutations(EVENTS)))
@pytest.mark.parametrize(
    ("policy", "back"), [(ReturnPolicy.NONE, 0), (ReturnPolicy.PRO_RATA, COST), (ReturnPolicy.FULL, COST)]
)
def test_nothing_kept_gives_all_points_back(
    names: tuple[str, ...],
    policy: ReturnPolicy,
    back: int,
    program: Program,
    redemption: Redemption,
    deliver: Deliver,
    work: Work,
) -> None:
    Program.objects.update(return_policy=policy)
    spend(redemption, build_house(program))
    for name in names:
        deliver(*EVENTS[name])
        work()
    work(3)
    assert balance() == OPENING - COST + back


def test_goods_that_come_back_twice_take_no_more_than_was_earned(
    program: Program, redemption: Redemption, deliver: Deliver, work: Work
) -> None:
    Program.objects.update(return_policy=ReturnPolicy.NONE)
    spend(redemption, build_house(program))
    for name in ("opened", "completed"):
        deliver(*EVENTS[name])
    work(2)
    for number in range(3):
        deliver("return.processed", returned(500.0, id=f"return-{number}"))
        work(2)
    assert balance() == OPENING - COST


THREE = {
    **EVENTS,
    "opened": ("order.opened", order(items=[item("item-1"), item("item-2"), item("item-3")])),
}


@pytest.mark.parametrize("names", list(permutations(THREE)))
@pytest.mark.parametrize(("channels", "earned"), [(["store"], 180), ([], 0)])
def test_half_of_what_is_kept_gives_half_of_the_points_back(
    names: tuple[str, ...],
    channels: list[str],
    earned: int,
    program: Program,
    redemption: Redemption,
    deliver: Deliver,
    work: Work,
) -> None:
    Program.objects.update(return_policy=ReturnPolicy.PRO_RATA, report_channels=channels)
    spend(redemption, build_house(program))
    for name in names:
        deliver(*THREE[name])
        work()
    work(3)
    assert balance() == OPENING - COST + COST // 2 + earned
