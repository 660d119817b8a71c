"""Multipliers by period, category, tier and store: what an order earns with them, and what returns take."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from providers.house.models import Category, EarnRule, Member, Multiplier, Tier
from providers.house.multipliers import Factor, Purchase, Terms, earned_by, weigh
from providers.house.provider import HouseProvider
from providers.sales import Order, OrderLine, Return
from providers.types import Cart, CartItem
from tests.providers.house import REF, build_member, build_order, build_return, usd

NOON = datetime(2026, 5, 15, 12, tzinfo=UTC)


def multiply(factor: str, products: list[str] | None = None, **fields: Any) -> Multiplier:
    if products:
        name = f"category {Category.objects.count()}"
        fields["category"] = Category.objects.create(program="acme", name=name, products=products)
    rule, name = EarnRule.objects.get(), f"multiplier {Multiplier.objects.count()}"
    return Multiplier.objects.create(rule=rule, name=name, factor=Decimal(factor), **fields)


def lines_of(**prices: str) -> tuple[OrderLine, ...]:
    return tuple(
        OrderLine(item_id=f"item-{sku}", product_id=sku, quantity=1, net=Decimal(price))
        for sku, price in prices.items()
    )


def order_of(store: str = "", at: datetime = NOON, order_id: str = "order-1", **prices: str) -> Order:
    total = sum(Decimal(price) for price in prices.values())
    order = build_order(order_id, base=str(total))
    return replace(order, lines=lines_of(**prices), store=store, placed_at=at)


def return_of(return_id: str = "return-1", **prices: str) -> Return:
    ret = build_return(str(sum(Decimal(price) for price in prices.values())), return_id)
    return replace(ret, lines=lines_of(**prices))


def previewed(house: HouseProvider, order: Order) -> int | None:
    items = tuple(
        CartItem(item_id=line.item_id, product_id=line.product_id, price=line.net) for line in order.lines
    )
    cart = Cart(cart_id="c", total=order.earn_base, items=items, store=order.store)
    with time_machine.travel(order.placed_at, tick=False):
        return house.preview_earn(REF, cart)


def earned(house: HouseProvider, order: Order) -> int | None:
    """Return what the order earns, and check that the page said so before."""
    said = previewed(house, order)
    assert house.record_order(order).points == said
    return said


def test_only_products_of_the_category_are_multiplied(house: HouseProvider, member: Member) -> None:
    multiply("3", ["SHOE*", "TOTE"])
    # 10 * 3 + 20 * 3 + 1 + 2: "TOTE2" and "XSHOE" are other products.
    assert earned(house, order_of(SHOE1="10.00", TOTE="20.00", TOTE2="1.00", XSHOE="2.00")) == 93


def test_the_highest_multiplier_of_a_line_counts(house: HouseProvider, member: Member) -> None:
    multiply("2")
    multiply("3", ["SHOE*"])
    multiply("1.5", ["SHOE1"])
    assert earned(house, order_of(SHOE1="10.00", SHIRT="10.00")) == 50


def test_what_earns_nothing_earns_nothing_in_a_promotion(house: HouseProvider, member: Member) -> None:
    multiply("5")
    multiply("0", ["GIFTCARD"])
    assert earned(house, order_of(GIFTCARD="100.00", SHIRT="10.00")) == 50


def test_a_tier_multiplies_the_result_which_is_rounded_once(house: HouseProvider) -> None:
    build_member(points=500, tier_points=500)
    multiply("2.5", ["SHOE*"])
    # (10.99 * 2.5 + 10.99) * 1.5
    assert earned(house, order_of(SHOE1="10.99", SHIRT="10.99")) == 57


def test_a_multiplier_of_a_tier_counts_from_that_tier_upwards(house: HouseProvider) -> None:
    Tier.objects.update(multiplier=1)
    Tier.objects.create(program="acme", name="Gold", threshold=1000)
    multiply("2", tier=Tier.objects.get(name="Silver"))
    member = build_member()
    for number, (lifetime, points) in enumerate([(499, 10), (500, 20), (1000, 20)]):
        Member.objects.filter(pk=member.pk).update(lifetime_points=lifetime)
        assert earned(house, order_of(order_id=f"order-{number}", SHIRT="10.00")) == points


def test_a_multiplier_of_stores_counts_only_there(house: HouseProvider, member: Member) -> None:
    multiply("2", stores=["boston-1", "boston-2"])
    assert earned(house, order_of(store="boston-2", SHIRT="10.00")) == 20
    assert earned(house, order_of(store="lyon-1", order_id="order-2", SHIRT="10.00")) == 10
    assert earned(house, order_of(order_id="order-3", SHIRT="10.00")) == 10


@pytest.mark.parametrize(
    ("time_zone", "at", "points"),
    [
        ("", "2026-05-01T00:00:00+00:00", 20),
        ("", "2026-05-31T23:59:59+00:00", 20),
        ("", "2026-06-01T00:00:00+00:00", 10),
        ("America/New_York", "2026-05-01T03:59:59+00:00", 10),
        ("America/New_York", "2026-05-01T04:00:00+00:00", 20),
        ("America/New_York", "2026-06-01T03:59:59+00:00", 20),
    ],
)
def test_a_period_counts_by_the_day_of_the_purchase_at_the_program(
    house: HouseProvider, member: Member, time_zone: str, at: str, points: int
) -> None:
    multiply("2", starts_on=date(2026, 5, 1), ends_on=date(2026, 5, 31))
    house = HouseProvider(replace(house.config, time_zone=time_zone))
    assert earned(house, order_of(at=datetime.fromisoformat(at), SHIRT="10.00")) == points


def test_a_multiplier_that_is_not_active_does_not_count(house: HouseProvider, member: Member) -> None:
    multiply("2", is_active=False)
    multiply("3", ends_on=date(2026, 1, 1))
    assert earned(house, order_of(SHIRT="10.00")) == 10


def test_a_return_takes_back_what_its_products_earned_whatever_the_rules_are_now(
    house: HouseProvider, member: Member
) -> None:
    multiply("3", ["SHOE*"])
    assert earned(house, order_of(SHOE1="50.00", SHIRT="30.00")) == 180
    Multiplier.objects.all().delete()
    EarnRule.objects.update(points_per_unit=7)
    assert house.record_return(return_of(SHIRT="30.00")).points == -30
    assert house.record_return(return_of("return-2", SHOE1="25.00")).points == -75
    assert house.record_return(return_of("return-3", SHOE1="25.00")).points == -75
    assert house.get_member(REF).balance.spendable == 250


def test_a_return_that_comes_before_its_order_takes_what_its_products_earn(
    house: HouseProvider, member: Member
) -> None:
    multiply("3", ["SHOE*"])
    assert house.record_return(return_of(SHOE1="50.00")).points == 0
    house.record_order(order_of(SHOE1="50.00", SHIRT="30.00"))
    assert house.get_member(REF).balance.spendable == 250 + 30


def test_a_return_without_products_takes_its_share_of_the_money(house: HouseProvider, member: Member) -> None:
    multiply("3", ["SHOE*"])
    house.record_order(order_of(SHOE1="50.00", SHIRT="30.00"))
    assert house.record_return(build_return("40.00")).points == -90


def test_multipliers_cost_no_query(
    house: HouseProvider, member: Member, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    multiply("3", ["SHOE*"])
    multiply("2", tier=Tier.objects.get(name="Silver"), stores=["boston-1"])
    with django_assert_num_queries(3):  # member, rule, tiers
        house.preview_earn(REF, Cart(cart_id="c", total=usd("10.00")))
    with django_assert_num_queries(10):  # one of them looks for a referral that waits for the order
        house.record_order(order_of(SHOE1="50.00", SHIRT="30.00"))


def test_the_database_refuses_a_multiplier_that_cannot_count(house: HouseProvider) -> None:
    with pytest.raises(IntegrityError):
        multiply("2", starts_on=date(2026, 5, 2), ends_on=date(2026, 5, 1))


money = st.decimals("0.01", "1000", places=2)
factor = st.decimals("0", "10", places=2)
shares = st.lists(st.tuples(st.sampled_from(["A", "B", "C"]), money), max_size=5)


@given(shares=shares, factor=factor, amount=money)
def test_one_factor_for_all_is_a_factor_on_the_amount(
    shares: list[tuple[str, Decimal]], factor: Decimal, amount: Decimal
) -> None:
    weighted = weigh(amount, shares, lambda _product: factor, factor)
    assert weighted.quantize(Decimal("0.0001")) == (amount * factor).quantize(Decimal("0.0001"))


@given(shares=shares, amount=money, factors=st.lists(factor, max_size=3))
def test_points_lie_between_those_of_the_lowest_and_the_highest_factor(
    shares: list[tuple[str, Decimal]], amount: Decimal, factors: list[Decimal]
) -> None:
    terms = Terms(
        rate=Decimal(2),
        factors=tuple(
            Factor(value=value, products=(product,), from_points=0, stores=())
            for value, product in zip(factors, "ABC", strict=False)
        ),
    )
    purchase = Purchase(amount=amount, at=NOON, shares=tuple(shares))
    points = earned_by(Member(lifetime_points=0), None, purchase, terms).points
    possible = [*factors, Decimal(1)]
    assert int(amount * 2 * min(possible)) - 1 <= points <= int(amount * 2 * max(possible))
