"""What can be had for points, what keeps the rest away, and what a point is worth."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from loyaltyview.sandbox.answers import Json
from loyaltyview.sandbox.vendors.whitelabel.sample import SETTINGS, discount
from loyaltyview.sandbox.vendors.whitelabel.server import WhiteLabel
from providers.types import Discount, DiscountKind, LockReason, Reward
from providers.whitelabel.provider import WhiteLabelProvider
from tests.providers.whitelabel.build import CART, fixed, usd
from tests.providers.whitelabel.conftest import Build


def rewards(provider: WhiteLabelProvider, ref: str) -> dict[str, Reward]:
    return {reward.title: reward for reward in provider.list_rewards(ref, CART)}


def test_each_kind_of_discount_is_read(provider: WhiteLabelProvider, mia: str) -> None:
    found = rewards(provider, mia)
    assert found["$5 off"].discount == fixed("5.00")
    assert found["15% off"].discount == Discount(kind=DiscountKind.PERCENT, percent=Decimal(15))
    assert found["Free canvas tote"].discount == Discount(kind=DiscountKind.PRODUCT, skus=("TOTE-01",))
    assert found["Linen shirt for $49"].discount == Discount(
        kind=DiscountKind.PRICE, amount=usd("49.00"), skus=("SHIRT-01",)
    )
    assert found["$8 off in Lyon"].discount.stores == ("lyon-2",)


def test_a_code_of_a_pool_is_worth_what_the_program_says(
    provider: WhiteLabelProvider, build: Build, mia: str
) -> None:
    assert rewards(provider, mia)["Museum ticket"].discount == fixed("12.00")
    unknown = rewards(build(code_discounts={}), mia)["Museum ticket"].discount
    assert unknown.kind is DiscountKind.UNKNOWN


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        ("$25 off", LockReason.POINTS),
        ("Gold: $40 off", LockReason.TIER),
        ("Free shipping", LockReason.ONLINE_ONLY),
        ("Last umbrella", LockReason.OUT_OF_STOCK),
    ],
)
def test_what_cannot_be_bought_says_why(
    provider: WhiteLabelProvider, mia: str, title: str, reason: LockReason
) -> None:
    lock = rewards(provider, mia)[title].lock
    assert lock is not None
    assert lock.reason is reason
    assert lock.points_gap == (180 if reason is LockReason.POINTS else 0)
    assert lock.tier == ("Gold" if reason is LockReason.TIER else "")


def test_offers_and_what_is_not_for_sale_are_left_out(provider: WhiteLabelProvider, mia: str) -> None:
    assert not {"Welcome offer", "$10 birthday voucher"} & set(rewards(provider, mia))


def test_a_reward_that_begins_later_or_is_over_cannot_be_had(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    vendor.state.reward_named("$5 off")["availability"]["start"] = "2199-01-01T00:00:00.000Z"
    vendor.state.reward_named("$10 off")["availability"]["end"] = "2020-01-01T00:00:00.000Z"
    found = rewards(provider, mia)
    lock = found["$5 off"].lock
    assert lock is not None
    assert lock.reason is LockReason.NOT_STARTED
    assert "$10 off" not in found


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([discount("ABSOLUTE", 500, sku="A-1; A-2")], Discount(
            kind=DiscountKind.FIXED, amount=usd("5.00"), skus=("A-1", "A-2"))),
        ([discount("FIXED", 0, productSku="A-1")], Discount(kind=DiscountKind.PRODUCT, skus=("A-1",))),
        ([discount("PERCENTAGE", 20, venues=[{"id": "elsewhere"}])], Discount(
            kind=DiscountKind.PERCENT, percent=Decimal(20), stores=("elsewhere",))),
        ([discount("BOGOF", 1)], Discount(kind=DiscountKind.UNKNOWN, raw="BOGOF")),
        ([discount("PERCENTAGE", 140)], Discount(kind=DiscountKind.UNKNOWN, raw="PERCENTAGE")),
        ([discount("ABSOLUTE", 500), discount("PERCENTAGE", 5)], Discount(
            kind=DiscountKind.UNKNOWN, raw="2 discounts")),
    ],
)  # fmt: skip
def test_odd_discounts_are_read_or_called_unknown(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, rows: list[Json], expected: Discount
) -> None:
    vendor.state.reward_named("$5 off")["discounts"] = rows
    assert rewards(provider, mia)["$5 off"].discount == expected


def test_the_same_discount_of_several_stores_is_one(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    boston, lyon = (row["id"] for row in vendor.reads.venue_rows)
    vendor.state.reward_named("$5 off")["discounts"] = [
        discount("ABSOLUTE", 500, venues=[{"id": boston}]),
        discount("ABSOLUTE", 500, venues=[{"id": lyon}]),
    ]
    assert rewards(provider, mia)["$5 off"].discount.stores == ("boston-1", "lyon-2")


def test_points_as_money_stay_within_the_balance(provider: WhiteLabelProvider, mia: str) -> None:
    reward = rewards(provider, mia)["Pay with points"]
    span = reward.points_range
    assert span is not None
    assert (span.minimum, span.maximum, span.step) == (50, 820, 50)
    assert span.value_per_point == usd("0.01")
    assert reward.lock is None


def test_points_as_money_say_the_gap_to_the_first_step(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    vendor.state.points[mia] = -20
    reward = rewards(provider, mia)["Pay with points"]
    assert reward.lock is not None
    assert (reward.lock.reason, reward.lock.points_gap) == (LockReason.POINTS, 70)


@pytest.mark.parametrize(
    ("settings", "by_amount", "worth"),
    [
        ({"rate_setting": "redemption.rate", "point_value": Decimal("0.5")}, True, "0.01"),
        ({"rate_setting": "not.there", "point_value": Decimal("0.5")}, True, "0.5"),
        ({"rate_setting": ""}, True, "0.01"),
        ({"rate_setting": ""}, False, None),
        ({"points_step": 0}, True, None),
    ],
)
def test_the_worth_of_a_point_comes_from_setting_then_program_then_test_reaction(
    build: Build,
    vendor: WhiteLabel,
    mia: str,
    settings: dict[str, Any],
    by_amount: bool,
    worth: str | None,
) -> None:
    vendor.events.spends_by_amount = by_amount
    reward = rewards(build(**settings), mia).get("Pay with points")
    assert (reward is None) == (worth is None)
    if reward and reward.points_range:
        assert reward.points_range.value_per_point == usd(worth or "")
    assert not vendor.state.events_of("REDEEMED_POINTS")


def test_points_are_worth_at_a_tap_what_the_engine_says_then(
    build: Build, mia: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = build(rate_setting="redemption.rate")
    rewards(provider, mia)
    monkeypatch.setitem(SETTINGS, "redemption.rate", "0.005")
    with time_machine.travel(timezone.now() + timedelta(seconds=31)):
        span = rewards(provider, mia)["Pay with points"].points_range
    assert span
    assert span.value_per_point == usd("0.005")


def test_a_rate_that_is_no_number_is_no_rate(build: Build, mia: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SETTINGS, "redemption.rate", "soon")
    assert "Pay with points" not in rewards(build(), mia)


def test_the_preview_comes_from_the_vendors_own_reactors_and_stores_nothing(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    assert provider.preview_earn(mia, CART) == 92
    assert not vendor.state.events_of("TRANSACTION")


def test_stores_have_the_ids_that_validations_name(provider: WhiteLabelProvider) -> None:
    assert [(store.store_id, store.name) for store in provider.list_stores()] == [
        ("lyon-2", "Lyon"),
        ("boston-1", "Boston"),
    ]
