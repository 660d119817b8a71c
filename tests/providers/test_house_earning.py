"""Points for orders, returns and cancellations, in any order of arrival."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import time_machine
from django.core.cache import cache
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from providers.errors import Rejected, RejectReason
from providers.house.models import EarnRule, Entry, Member
from providers.house.provider import HouseProvider
from providers.types import Cart, Money
from tests.providers.house import (
    REF,
    build_house,
    build_intent,
    build_member,
    build_order,
    build_return,
    usd,
)


def spendable(house: HouseProvider) -> int:
    return house.get_member(REF).balance.spendable


def test_points_are_rounded_down_once_per_order(house: HouseProvider, member: Member) -> None:
    assert house.record_order(build_order(base="80.99")).points == 80


def test_a_tier_multiplies_earned_points(house: HouseProvider) -> None:
    build_member(points=500, tier_points=500)
    assert house.record_order(build_order(base="81.00")).points == 121
    assert house.preview_earn(REF, Cart(cart_id="c", total=usd("81.00"))) == 121


def test_earning_lifts_the_tier_and_a_return_takes_it_back(house: HouseProvider, member: Member) -> None:
    house.record_order(build_order(base="500.00"))
    tier = house.get_member(REF).tier
    assert tier
    assert (tier.name, tier.progress, tier.next_name) == ("Silver", 500, "")
    house.record_return(build_return("1.00"))
    tier = house.get_member(REF).tier
    assert tier
    assert (tier.name, tier.progress, tier.next_threshold) == ("Bronze", 499, 500)


def test_without_a_rule_nothing_is_earned(house: HouseProvider, member: Member) -> None:
    EarnRule.objects.all().delete()
    assert house.record_order(build_order()).points == 0


def test_an_order_in_another_currency_is_refused(house: HouseProvider, member: Member) -> None:
    euros = Money(amount=Decimal(80), currency="EUR")
    with pytest.raises(Rejected) as caught:
        house.record_order(replace(build_order(), earn_base=euros))
    assert caught.value.reason is RejectReason.INVALID_INPUT
    assert house.preview_earn(REF, Cart(cart_id="c", total=euros)) is None


def test_points_spent_meanwhile_are_noted_as_shortfall(house: HouseProvider) -> None:
    build_member()
    house.record_order(build_order(base="120.00"))
    house.spend(build_intent())
    assert house.record_return(build_return("120.00")).points == -20
    entry = Entry.objects.get(kind="return")
    assert (entry.points, entry.shortfall) == (-20, 100)
    assert spendable(house) == 0
    assert house.cancel_order(build_order()).points == 0


def test_a_complete_return_takes_points_left_by_rounding(house: HouseProvider, member: Member) -> None:
    house.record_order(build_order())
    house.record_return(build_return("40.00"))
    house.record_return(replace(build_return("39.99", "return-2"), is_complete=True))
    assert spendable(house) == 250


def test_a_cancellation_after_a_return_takes_only_the_rest(house: HouseProvider, member: Member) -> None:
    house.record_order(build_order())
    assert house.record_return(build_return("30.00")).points == -30
    assert house.cancel_order(build_order()).points == -50
    assert house.record_return(build_return("50.00", "return-2")).points == 0
    assert spendable(house) == 250


def test_an_order_cancelled_before_it_was_recorded_earns_nothing(
    house: HouseProvider, member: Member
) -> None:
    assert house.cancel_order(build_order()).points == 0
    house.record_order(build_order())
    house.record_order(build_order())
    assert spendable(house) == 250


def test_a_return_before_its_order_counts_when_the_order_comes(house: HouseProvider, member: Member) -> None:
    assert house.record_return(build_return("30.00")).points == 0
    house.record_order(build_order())
    assert spendable(house) == 250 + 50
    assert house.record_return(build_return("50.00", "return-2")).points == -50
    assert spendable(house) == 250


def test_a_return_takes_points_from_the_earning_member(house: HouseProvider, member: Member) -> None:
    build_member("ACME-000002", points=100)
    house.record_order(build_order(ref="ACME-000002"))
    assert house.record_return(build_return("80.00")).points == -80
    assert house.get_member("ACME-000002").balance.spendable == 100
    assert spendable(house) == 250


def test_earned_points_expire_unless_they_are_spent(house: HouseProvider) -> None:
    EarnRule.objects.update(expiry_months=12)
    build_member()
    with time_machine.travel(datetime(2024, 2, 29, 12, tzinfo=UTC), tick=False):
        house.record_order(build_order(base="150.00"))
        house.spend(build_intent())
        (expiring,) = house.get_member(REF).balance.expiring
        assert (expiring.points, expiring.at) == (50, datetime(2025, 2, 28, 12, tzinfo=UTC))
    with time_machine.travel(datetime(2025, 2, 28, 13, tzinfo=UTC), tick=False):
        for _ in range(2):
            cache.clear()
            house.maintain()
        balance = house.get_member(REF).balance
        assert (balance.spendable, balance.reserved, balance.expiring) == (0, 100, ())
        assert house.get_history(REF).movements[0].text == "Points expired"


class AnyReturns(TestCase):
    """For any series of returns, the points taken follow the money and end at the earned points."""

    cents = st.integers(1, 500_00)

    @settings(max_examples=60)
    @given(parts=st.lists(cents, min_size=1, max_size=6), rate=st.decimals("0.1", "10", places=2))
    def test_partial_returns_add_up_to_the_earned_points(self, parts: list[int], rate: Decimal) -> None:
        house = build_house()
        EarnRule.objects.update(points_per_unit=rate)
        build_member()
        base = Decimal(sum(parts)) / 100
        earned = house.record_order(build_order(base=str(base))).points
        assert earned == int(base * rate)
        returned = Decimal(0)
        for number, part in enumerate(parts):
            net = Decimal(part) / 100
            house.record_return(build_return(str(net), f"return-{number}"))
            returned += net
            left = house.get_member(REF).balance.spendable
            assert earned - left == int(earned * returned / base)
        assert house.get_member(REF).balance.spendable == 0
        assert house.record_return(build_return("10.00", "one-more")).points == 0


@pytest.mark.parametrize("first_is_shop", [True, False])
def test_an_order_that_till_and_web_shop_report_earns_once(
    house: HouseProvider, member: Member, first_is_shop: bool
) -> None:
    by_shop = replace(build_order("W-17"), external_id="W-17")
    by_till = replace(build_order("5f0c"), external_id="W-17")
    for order in (by_shop, by_till) if first_is_shop else (by_till, by_shop):
        assert house.record_order(order).points == 80
    assert spendable(house) == 250 + 80

    assert house.record_return(build_return("30.00", "r-1", "W-17")).points == -30
    assert house.record_return(build_return("30.00", "r-2", "5f0c")).points == -30
    assert house.cancel_order(by_till).points == -20
    assert house.cancel_order(by_shop).points == 0
    assert spendable(house) == 250


def test_a_web_shop_reports_what_came_back_of_an_order_that_only_the_till_reported(
    house: HouseProvider, member: Member
) -> None:
    house.record_order(replace(build_order("5f0c"), external_id="W-17"))
    assert house.record_return(build_return("30.00", "r-1", "W-17")).points == -30
    assert house.record_return(build_return("10.00", "r-2", "5f0c")).points == -10
    assert house.cancel_order(build_order("W-17")).points == -40
    assert spendable(house) == 250


def test_goods_of_a_web_order_come_back_in_a_store(house: HouseProvider, member: Member) -> None:
    house.record_order(build_order("W-17"))
    ret = replace(build_return("30.00", order_id="5f0c"), member_ref="", reported_as="W-17")
    assert house.record_return(ret).points == -30
    assert house.record_return(ret).points == -30
    unknown = replace(ret, return_id="return-2", reported_as="W-18")
    assert house.record_return(unknown).points == 0
    assert spendable(house) == 250 + 50


@pytest.mark.parametrize("is_known_before", [True, False])
def test_a_web_shop_takes_back_by_its_number_what_only_newstore_reported(
    house: HouseProvider, member: Member, is_known_before: bool
) -> None:
    goods, cancelled = build_return("30.00", order_id="W-17"), build_order("W-18")
    orders = [replace(build_order(f"5f0{n}"), external_id=f"W-{n}") for n in (17, 18)]
    if is_known_before:
        assert [house.record_order(order).points for order in orders] == [80, 80]
    house.record_return(goods)
    house.cancel_order(cancelled)
    for order in orders:
        house.record_order(order)
    assert spendable(house) == 250 + 50
    assert house.record_return(build_return("50.00", "return-2", "5f017")).points == -50
    assert house.cancel_order(orders[1]).points == 0
    assert spendable(house) == 250


def test_the_number_of_another_members_order_is_another_order(house: HouseProvider, member: Member) -> None:
    build_member("ACME-000002")
    house.record_order(build_order("W-17"))
    other = replace(build_order("5f0c", ref="ACME-000002"), external_id="W-17")
    assert house.record_order(other).points == 80
