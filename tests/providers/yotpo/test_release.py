"""Giving back: each kind its own way, once, and never before points have really gone."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from loyaltyview.sandbox.vendors.yotpo.server import Yotpo
from providers.errors import OutcomeUnknown, Rejected, Unavailable, Unsupported
from providers.sales import Spend, SpendKind
from providers.yotpo.provider import YotpoProvider
from tests.providers.yotpo.build import (
    FIFTEEN_PERCENT,
    FIVE_OFF,
    TEN_OFF,
    make_intent,
    make_order,
    points_of,
)
from tests.providers.yotpo.conftest import Build


def test_a_hold_is_forgotten_and_its_code_never_sent(provider: YotpoProvider, yotpo: Yotpo, mia: str) -> None:
    spend = provider.spend(make_intent(mia))
    provider.release(spend)

    assert points_of(provider, mia) == (820, 0)
    provider.record_order(make_order(mia, spend))
    assert "coupon_code" not in yotpo.books.orders["order-1"].body
    with pytest.raises(Rejected):
        provider.confirm(spend, make_order(mia, spend))


def test_a_custom_coupon_is_cancelled_at_yotpo(provider: YotpoProvider, yotpo: Yotpo, mia: str) -> None:
    spend = provider.spend(make_intent(mia, TEN_OFF, 200))
    for _ in range(2):
        provider.release(spend)

    assert [each.state for each in yotpo.books.redemptions.values()] == ["cancelled"]
    assert points_of(provider, mia) == (820, 0)


def test_a_coupon_that_was_cancelled_elsewhere_counts_as_given_back(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    spend = provider.spend(make_intent(mia, TEN_OFF, 200))
    other = provider.spend(make_intent(mia, TEN_OFF, 200))
    yotpo.books.redemption_of(spend.provider_ref).state = "cancelled"  # type: ignore[union-attr]

    provider.release(spend)
    provider.release(other)

    assert points_of(provider, mia) == (620, 0)


def test_an_answer_that_was_lost_is_asked_for_again(provider: YotpoProvider, yotpo: Yotpo, mia: str) -> None:
    coupon = provider.spend(make_intent(mia, TEN_OFF, 200))
    percent = provider.spend(make_intent(mia, FIFTEEN_PERCENT, 400))
    for spend in (coupon, percent):
        yotpo.faults.withholds_answers = yotpo.faults.writes_only = True
        with pytest.raises(OutcomeUnknown):
            provider.release(spend)
        yotpo.faults.withholds_answers = False
        provider.release(spend)

    assert points_of(provider, mia) == (820, 0)


def test_a_coupon_that_yotpo_does_not_take_back_is_for_a_person(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    spend = provider.spend(make_intent(mia, TEN_OFF, 200))
    yotpo.books.redemption_of(spend.provider_ref).state = "used"  # type: ignore[union-attr]

    with pytest.raises(Rejected):
        provider.release(spend)
    assert points_of(provider, mia) == (620, 0)


@pytest.mark.parametrize(("option", "points"), [(FIFTEEN_PERCENT, 400), (FIVE_OFF, 100)])
def test_points_that_went_at_once_are_adjusted_back_without_moving_the_tier(
    build: Build, yotpo: Yotpo, mia: str, option: str, points: int
) -> None:
    provider = build(delays_deduction=False)
    spend = provider.spend(make_intent(mia, option, points))
    for _ in range(2):
        provider.release(spend)

    customer = yotpo.books.customers[0]
    assert (customer.points_balance, customer.points_earned) == (820, 820)


def test_a_deduction_that_is_under_way_is_waited_for(build: Build, yotpo: Yotpo, mia: str) -> None:
    provider = build(order_sending="open_and_paid")
    spend = provider.spend(make_intent(mia))
    yotpo.orders.is_delayed = True
    provider.confirm(spend, make_order(mia, spend))

    # Yotpo has the order and has not deducted: points given back now would go afterwards.
    with pytest.raises(Unavailable):
        provider.release(spend)
    assert points_of(provider, mia) == (720, 0)
    yotpo.orders.apply()
    provider.release(spend)
    assert points_of(provider, mia) == (820, 0)


def test_a_deduction_that_never_came_needs_nothing_back(build: Build, yotpo: Yotpo, mia: str) -> None:
    provider = build(order_sending="open_and_paid")
    spend = provider.spend(make_intent(mia))
    yotpo.orders.is_delayed = True
    provider.confirm(spend, make_order(mia, spend))

    with time_machine.travel(timezone.now() + timedelta(minutes=20), tick=False):
        provider.release(spend)
    assert points_of(provider, mia) == (820, 0)


def test_parts_of_a_hold_that_took_no_points_are_taken_back_when_it_is_released(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    spend = provider.spend(make_intent(mia))
    provider.confirm(spend, make_order(mia, spend))
    provider.release_part(spend, 30, "return-1")
    for _ in range(2):
        provider.release(spend)

    assert points_of(provider, mia) == (820, 0)


def test_a_held_code_that_an_order_carried_elsewhere_gives_its_points_back(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    spend = provider.spend(make_intent(mia))
    customer = yotpo.books.customers[0]
    yotpo.books.add_points(customer, -100, "$5 off", earned=False, status=spend.provider_ref)

    provider.release(spend)

    assert points_of(provider, mia) == (820, 0)


def test_a_spend_without_an_answer_is_not_given_back_blindly(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    intent = make_intent(mia, TEN_OFF, 200)
    yotpo.faults.withholds_answers = yotpo.faults.writes_only = True
    with pytest.raises(OutcomeUnknown):
        provider.spend(intent)

    with pytest.raises(Unavailable):
        provider.release(unknown_spend(mia, key=intent.key))


def test_what_is_not_ours_is_not_given_back(provider: YotpoProvider, mia: str) -> None:
    with pytest.raises(Rejected):
        provider.release(unknown_spend(mia))
    with pytest.raises(Unsupported):
        provider.release(unknown_spend(mia, kind=SpendKind.VOUCHER))


def test_a_part_is_given_back_once_even_when_its_answer_is_lost(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    spend = provider.spend(make_intent(mia))
    provider.confirm(spend, make_order(mia, spend))
    yotpo.faults.withholds_answers = yotpo.faults.writes_only = True
    with pytest.raises(OutcomeUnknown):
        provider.release_part(spend, 30, "return-1")
    yotpo.faults.withholds_answers = False
    for _ in range(2):
        provider.release_part(spend, 30, "return-1")

    assert points_of(provider, mia) == (750, 0)
    provider.release(spend)
    provider.release_part(spend, 30, "return-2")
    assert points_of(provider, mia) == (820, 0)


def unknown_spend(mia: str, *, key: str = "no-such-key", kind: SpendKind = SpendKind.REWARD) -> Spend:
    return Spend(key=key, member_ref=mia, kind=kind, provider_ref="LOY-1", points=100)
