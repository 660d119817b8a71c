"""The member's points history: each redemption is one line, however often its points moved."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from loyaltyview.sandbox.vendors.yotpo.server import Yotpo
from loyaltyview.sandbox.vendors.yotpo.state import HistoryItem
from providers.yotpo.provider import YotpoProvider
from tests.providers.yotpo.build import FIFTEEN_PERCENT, FIVE_OFF, TEN_OFF, make_intent, make_order
from tests.providers.yotpo.conftest import Build

IMPORTED = (820, "Imported points")


def lines(provider: YotpoProvider, mia: str) -> list[tuple[int, str]]:
    return [(line.points, line.text) for line in provider.get_history(mia).movements]


def test_a_held_reward_is_in_the_history_before_yotpo_lists_it_and_once_afterwards(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    yotpo.orders.is_delayed = True
    spend = provider.spend(make_intent(mia))
    held = (-100, "Held for an order: $5 off")
    assert lines(provider, mia) == [held, IMPORTED]
    provider.confirm(spend, make_order(mia, spend))
    provider.record_order(make_order(mia, spend))
    assert lines(provider, mia) == [held, IMPORTED]
    yotpo.orders.apply()

    assert lines(provider, mia) == [(100, "Purchase"), (-100, "Redeemed: $5 off"), IMPORTED]


def test_an_undone_hold_is_no_line(provider: YotpoProvider, mia: str) -> None:
    provider.release(provider.spend(make_intent(mia)))

    assert lines(provider, mia) == [IMPORTED]


@pytest.mark.parametrize(
    ("option", "points", "title"),
    [(FIVE_OFF, 100, "$5 off"), (TEN_OFF, 200, "$10 off"), (FIFTEEN_PERCENT, 400, "15% off")],
)
def test_points_that_went_and_came_back_are_one_line(
    build: Build, mia: str, option: str, points: int, title: str
) -> None:
    provider = build(delays_deduction=False)
    provider.release(provider.spend(make_intent(mia, option, points)))

    assert lines(provider, mia) == [(0, f"Redeemed and given back: {title}"), IMPORTED]


def test_of_two_equal_coupons_the_one_that_was_cancelled_was_given_back(
    provider: YotpoProvider, mia: str
) -> None:
    with time_machine.travel(timezone.now() - timedelta(minutes=1), tick=False):
        provider.spend(make_intent(mia, TEN_OFF, 200))
    provider.release(provider.spend(make_intent(mia, TEN_OFF, 200)))

    assert lines(provider, mia) == [
        (0, "Redeemed and given back: $10 off"),
        (-200, "Redeemed: $10 off"),
        IMPORTED,
    ]


def test_parts_that_were_given_back_are_in_the_line_of_their_redemption(build: Build, mia: str) -> None:
    provider = build(delays_deduction=False)
    spend = provider.spend(make_intent(mia))
    provider.confirm(spend, make_order(mia, spend))
    for number, points in enumerate((30, 20)):
        provider.release_part(spend, points, f"return-{number}")
    assert lines(provider, mia) == [(-50, "Redeemed and partly given back: $5 off"), IMPORTED]

    provider.release_part(spend, 50, "return-9")
    assert lines(provider, mia) == [(0, "Redeemed and given back: $5 off"), IMPORTED]


def test_what_came_back_for_a_redemption_that_yotpo_no_longer_lists_stays_a_line(
    build: Build, yotpo: Yotpo, mia: str
) -> None:
    provider = build(delays_deduction=False)
    provider.release(provider.spend(make_intent(mia)))
    customer = yotpo.books.customers[0]
    customer.history = [item for item in customer.history if item.points > 0]

    assert lines(provider, mia) == [(100, "Reward returned"), IMPORTED]


def test_pending_points_are_said_and_not_in_the_balance(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    item = HistoryItem(at=timezone.now(), action="Signed up", points=50, status="Pending")
    yotpo.books.customers[0].history.append(item)
    history = provider.get_history(mia)

    assert [(line.points, line.text) for line in history.movements] == [
        (0, "50 points are pending: Signed up"),
        IMPORTED,
    ]
    assert history.points_after == 820


def test_a_list_that_lacks_points_of_the_balance_has_no_running_balance(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    yotpo.books.customers[0].points_balance += 5

    assert provider.get_history(mia).points_after is None
