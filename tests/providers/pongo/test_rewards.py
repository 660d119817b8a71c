"""Offered and owned rewards: separate lists, for this customer and store, limited to our own SKUs."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import time_machine

from providers.pongo.provider import PongoProvider
from providers.types import Discount, DiscountKind, Reward
from tests.providers.pongo.conftest import (
    ANA,
    FIFTEEN_PERCENT,
    FIVE_OFF,
    MIA,
    TEN_OFF,
    TOTE,
    Connect,
    Served,
)
from tests.providers.pongo.intents import a_cart, usd


def offered(provider: PongoProvider, ref: str = MIA, store: str = "boston-1") -> dict[str, Reward]:
    return {reward.reward_id: reward for reward in provider.list_rewards(ref, a_cart(store))}


def test_each_type_is_a_discount(provider: PongoProvider) -> None:
    rewards = offered(provider)

    assert rewards[FIVE_OFF].discount == Discount(kind=DiscountKind.FIXED, amount=usd("5"))
    assert rewards[TEN_OFF].discount.minimum == usd("50")
    assert rewards[FIFTEEN_PERCENT].discount == Discount(kind=DiscountKind.PERCENT, percent=Decimal(15))
    assert rewards["rew_0000c0ffee"].discount == Discount(kind=DiscountKind.UNKNOWN, raw="experience")


def test_rewards_for_others_and_for_other_stores_are_not_offered(provider: PongoProvider) -> None:
    assert not {"rew_0000ca3b01", "rew_00005747d1"} & set(offered(provider))
    assert "rew_0000ca3b01" in offered(provider, store="cambridge-1")


def test_an_owned_reward_is_a_voucher_with_its_code(provider: PongoProvider, vendor: Served) -> None:
    (voucher,) = provider.list_vouchers(ANA)

    (won,) = vendor.book.customers[ANA].won
    assert (voucher.voucher_id, voucher.code) == (won.hash, won.coupon_code)
    assert voucher.expires_at is not None
    assert provider.find_voucher(ANA, (won.coupon_code or "").lower()).voucher_id == won.hash
    assert won.hash not in offered(provider, ANA)


def test_an_owned_reward_is_valid_to_the_end_of_its_last_day(provider: PongoProvider, vendor: Served) -> None:
    customer, reward = vendor.book.customers[MIA], vendor.book.rewards[FIVE_OFF]
    vendor.book.give(customer, reward).expires_at = "2026-11-30"
    for at, is_usable in (
        (datetime(2026, 11, 30, 9, tzinfo=UTC), True),
        (datetime(2026, 12, 2, tzinfo=UTC), False),
    ):
        with time_machine.travel(at):
            assert bool(provider.list_vouchers(MIA)) is is_usable


def test_used_locked_and_expired_rewards_are_not_listed(provider: PongoProvider, vendor: Served) -> None:
    customer, reward = vendor.book.customers[MIA], vendor.book.rewards[FIVE_OFF]
    vendor.book.give(customer, reward).used_at = "2026-01-01T00:00:00+00:00"
    vendor.book.give(customer, reward).is_locked = True
    vendor.book.give(customer, reward).expires_at = "2020-01-01T00:00:00+00:00"

    assert provider.list_vouchers(MIA) == ()


@pytest.mark.parametrize(
    ("settings", "skus"),
    [
        ({}, ("OTHERPOS-77", "TOTE-01")),
        ({"skus": "TOTE-01, SHIRT-01"}, ("TOTE-01",)),
        ({"sku_pattern": r"TOTE-\d+"}, ("TOTE-01",)),
        ({"skus": "OTHERPOS-77", "sku_pattern": r"TOTE-\d+"}, ("OTHERPOS-77", "TOTE-01")),
    ],
)
def test_free_products_are_those_that_this_retailer_sells(
    connect: Connect, settings: dict[str, str], skus: tuple[str, ...]
) -> None:
    assert offered(connect(**settings))[TOTE].discount == Discount(kind=DiscountKind.PRODUCT, skus=skus)


def test_a_product_of_another_partner_is_shown_and_cannot_be_redeemed(connect: Connect) -> None:
    discount = offered(connect(skus="SHIRT-01"))[TOTE].discount

    assert discount.kind is DiscountKind.UNKNOWN
    assert "OTHERPOS-77" in discount.raw


def test_every_reward_is_locked_in_an_unmapped_store(provider: PongoProvider) -> None:
    rewards = offered(provider, store="")

    assert rewards
    assert all(reward.lock and "not linked" in reward.lock.text for reward in rewards.values())


def test_the_catalogue_is_kept_for_a_while_for_this_customer_and_store(
    provider: PongoProvider, vendor: Served
) -> None:
    for _ in range(3):
        offered(provider)
    assert vendor.count("GET", "/v1/rewards") == 1

    offered(provider, ANA)
    offered(provider, store="cambridge-1")
    assert vendor.count("GET", "/v1/rewards") == 3


def test_points_are_never_cached(provider: PongoProvider, vendor: Served) -> None:
    offered(provider)
    vendor.book.customers[MIA].points = 50

    lock = offered(provider)[FIVE_OFF].lock

    assert lock is not None
    assert lock.points_gap == 50


def test_caching_the_catalogue_can_be_switched_off(connect: Connect, vendor: Served) -> None:
    provider = connect(catalogue_cache_s=0)
    offered(provider)
    offered(provider)

    assert vendor.count("GET", "/v1/rewards") == 2
