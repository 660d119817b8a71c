"""Offered and owned rewards: separate lists, for this customer and store, limited to our own SKUs."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import time_machine

from providers.models import KeptCatalogue
from providers.outbound import catalogues, sharing
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


def on_a_page(provider: PongoProvider, ref: str = MIA, store: str = "boston-1") -> dict[str, Reward]:
    """Return what a later page of another process shows."""
    sharing.forget_all()
    catalogues.forget_all()
    with sharing.sharing("acme", ref, max_age_s=sharing.PAGE_S):
        return offered(provider, ref, store)


def test_which_rewards_a_customer_may_have_is_kept_for_this_customer_and_store(
    provider: PongoProvider, vendor: Served
) -> None:
    first = on_a_page(provider)
    vendor.asked.clear()
    assert on_a_page(provider) == first
    assert vendor.count("GET", "/v1/rewards") == 0

    on_a_page(provider, ANA)
    assert "rew_0000ca3b01" in on_a_page(provider, store="cambridge-1")
    assert vendor.count("GET", "/v1/rewards") == 2


def test_a_page_asks_again_when_the_merchant_has_another_reward(
    provider: PongoProvider, vendor: Served
) -> None:
    on_a_page(provider)
    vendor.book.rewards["rew_new"] = replace(vendor.book.rewards[FIVE_OFF], reward_id="rew_new")
    catalogues.drop("acme")
    assert "rew_new" in on_a_page(provider)


def test_a_page_asks_again_after_a_delivery_about_the_customer(
    provider: PongoProvider, vendor: Served
) -> None:
    on_a_page(provider)
    vendor.book.customers[MIA].tags = ["vip"]
    provider.note_member(MIA)
    vendor.asked.clear()
    on_a_page(provider)
    assert vendor.count("GET", "/v1/rewards") == 1


def test_rewards_are_shown_where_the_list_of_all_lacks_an_id(provider: PongoProvider, vendor: Served) -> None:
    others = vendor.book.rewards["rew_00005747d1"]
    vendor.book.rewards["rew_00005747d1"] = replace(others, reward_id="")
    assert FIVE_OFF in on_a_page(provider)
    assert not KeptCatalogue.objects.filter(read_at__isnull=False).exists()


def test_points_are_never_cached(provider: PongoProvider, vendor: Served) -> None:
    offered(provider)
    vendor.book.customers[MIA].points = 50

    lock = offered(provider)[FIVE_OFF].lock

    assert lock is not None
    assert lock.points_gap == 50


def test_keeping_it_can_be_switched_off(connect: Connect, vendor: Served) -> None:
    provider = connect(catalogue_cache_s=0)
    on_a_page(provider)
    on_a_page(provider)

    assert vendor.count("GET", "/v1/rewards") == 2
