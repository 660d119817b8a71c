"""Rewards, points as money, offers: availability, missing points, discounts."""

from decimal import Decimal

import pytest

from loyaltyview.sandbox.vendors.antavo.state import Reward as VendorReward
from providers.antavo.provider import AntavoProvider
from providers.errors import SettingsError
from providers.types import DiscountKind, Lock, LockReason, Reward
from tests.providers.antavo.build import cart, usd
from tests.providers.antavo.conftest import ANA, LEO, MIA, Connect, Served


def rewards(provider: AntavoProvider, ref: str = MIA, total: str = "80.00") -> dict[str, Reward]:
    return {reward.reward_id: reward for reward in provider.list_rewards(ref, cart(total))}


def test_custom_attributes_define_the_discount_of_a_reward(
    provider: AntavoProvider,
) -> None:
    found = rewards(provider)
    assert found["ten-off"].discount.kind is DiscountKind.FIXED
    assert found["ten-off"].discount.amount == usd("10")
    assert found["ten-off"].discount.minimum == usd("50")
    assert found["fifteen-percent"].discount.percent == 15
    assert found["canvas-tote"].discount.skus == ("TOTE-01",)
    assert found["free-shipping"].discount.kind is DiscountKind.ONLINE_ONLY


@pytest.mark.parametrize("name", ["ten-off", "pool-ten-off"])
def test_the_programs_own_terms_come_first(connect: Connect, name: str) -> None:
    provider = connect(discounts={name: {"type": "percentage", "value": "12.5", "minimum": 30}})
    discount = rewards(provider)["ten-off"].discount
    assert (discount.kind, discount.percent, discount.minimum) == (
        DiscountKind.PERCENT,
        Decimal("12.5"),
        usd("30"),
    )


def test_a_reward_without_terms_is_unknown(vendor: Served, provider: AntavoProvider) -> None:
    vendor.workspace.rewards["raffle"] = VendorReward(
        reward_id="raffle", title="Raffle", points=10, type="bidding"
    )
    discount = rewards(provider)["raffle"].discount
    assert (discount.kind, discount.raw) == (DiscountKind.UNKNOWN, "bidding")


@pytest.mark.parametrize(
    ("change", "lock"),
    [
        ({"status": "scheduled"}, Lock(reason=LockReason.NOT_STARTED)),
        ({"status": "expired"}, Lock(reason=LockReason.EXPIRED)),
        ({"status": "inactive"}, Lock(reason=LockReason.OTHER)),
        ({"stock": 0}, Lock(reason=LockReason.OUT_OF_STOCK)),
        ({"points": 1000}, Lock(reason=LockReason.POINTS, points_gap=180)),
        ({"segment": "Gold"}, Lock(reason=LockReason.OTHER)),
    ],
)
def test_an_unavailable_reward_has_its_reason(
    vendor: Served, provider: AntavoProvider, change: dict[str, object], lock: Lock
) -> None:
    fields: dict[str, object] = {"points": 100, "coupon_type": "amount", "value": Decimal(5)} | change
    vendor.workspace.rewards = {"r": VendorReward(reward_id="r", title="R", **fields)}  # type: ignore[arg-type]
    assert rewards(provider)["r"].lock == lock


@pytest.mark.parametrize(
    ("ref", "points", "lock"),
    [
        (MIA, 1000, Lock(reason=LockReason.TIER, tier="Gold", points_gap=180)),
        (MIA, 100, Lock(reason=LockReason.TIER, tier="Gold")),
        (ANA, 9000, Lock(reason=LockReason.POINTS, points_gap=5850)),
        (ANA, 100, None),
    ],
)
def test_a_reward_of_a_tier_says_the_tier_first_then_the_points(
    vendor: Served, connect: Connect, ref: str, points: int, lock: Lock | None
) -> None:
    vendor.workspace.rewards = {
        "r": VendorReward(reward_id="r", title="R", points=points, coupon_type="amount", segment="Gold")
    }
    provider = connect(tiers="Bronze, Silver, Gold", reward_tiers={"r": "Gold"})
    assert rewards(provider, ref)["r"].lock == lock


def test_a_reward_of_a_tier_that_is_not_listed_is_refused(connect: Connect) -> None:
    with pytest.raises(SettingsError, match="reward_tiers"):
        connect(tiers="Bronze, Silver", reward_tiers={"r": "Gold"})


def test_a_reward_that_was_claimed_as_often_as_allowed_is_locked(
    vendor: Served, provider: AntavoProvider
) -> None:
    vendor.mia.note("reward", -100, reward="five-off")
    vendor.workspace.rewards["five-off"].max_claims = 1
    assert rewards(provider)["five-off"].lock == Lock(reason=LockReason.LIMIT_REACHED)


def test_points_as_money_follow_the_burn_rate(provider: AntavoProvider) -> None:
    reward = rewards(provider)["points"]
    span = reward.points_range
    assert span is not None
    assert (span.minimum, span.step, span.maximum) == (20, 20, 820)
    assert span.value_per_point == usd("0.05")
    assert reward.lock is None


def test_an_uneven_rate_loses_no_cent(vendor: Served, provider: AntavoProvider) -> None:
    vendor.workspace.burn_points, vendor.workspace.burn_amount = 7, 200
    span = rewards(provider)["points"].points_range
    assert span is not None
    worth = (420 * span.value_per_point.amount).quantize(Decimal("0.01"), "ROUND_DOWN")
    assert worth == Decimal("12000.00")


def test_too_few_points_for_the_smallest_step_say_how_many_are_missing(
    vendor: Served, provider: AntavoProvider
) -> None:
    vendor.workspace.burn_points = 100
    assert rewards(provider, LEO)["points"].lock == Lock(reason=LockReason.POINTS, points_gap=40)


def test_a_burn_rate_in_another_currency_is_not_offered(vendor: Served, provider: AntavoProvider) -> None:
    vendor.workspace.currency = "EUR"
    assert "points" not in rewards(provider)


def test_a_dynamic_coupon_is_points_as_money_too(vendor: Served, provider: AntavoProvider) -> None:
    vendor.workspace.rewards["flex"] = VendorReward(
        reward_id="flex",
        title="Flexible",
        points=500,
        type="dynamic_coupon",
        coupon_type="amount",
        exchange_rate=Decimal(1),
        price_step=100,
        max_price=600,
    )
    span = rewards(provider)["flex"].points_range
    assert span is not None
    assert (span.minimum, span.step, span.maximum) == (100, 100, 600)
    assert span.value_per_point == usd("0.01")


def test_offers_are_asked_for_this_cart_and_store(vendor: Served, provider: AntavoProvider) -> None:
    basket = cart("50.00", "SOCKS-01", "SOCKS-01", "SHIRT-01", "SHIRT-01")
    offer = {r.reward_id: r for r in provider.list_rewards(ANA, basket)}["offer:socks-season"]
    (body,) = [body for _method, path, body in vendor.asked if path == "/offers/"]
    assert body["store"] == "boston-1"
    assert body["cart"] == {
        "total": 50,
        "items": [
            {"product_id": "SOCKS-01", "quantity": 2, "price": 12.5, "subtotal": 25},
            {"product_id": "SHIRT-01", "quantity": 2, "price": 12.5, "subtotal": 25},
        ],
    }
    assert (offer.points, offer.lock, offer.title) == (0, None, "20% off ribbed socks")
    assert (offer.discount.percent, offer.discount.skus) == (20, ("SOCKS-01",))


def test_an_offer_that_misses_a_product_or_money_is_not_locked_by_us(provider: AntavoProvider) -> None:
    assert rewards(provider)["offer:socks-season"].lock is None
    assert rewards(provider, total="12.50")["offer:socks-season"].discount.minimum == usd("40")


@pytest.mark.parametrize(
    ("scope", "kind", "expected"),
    [
        ("cart", "fixed_discount", DiscountKind.FIXED),
        ("cart", "percent_discount", DiscountKind.PERCENT),
        ("item", "fixed_price", DiscountKind.PRICE),
        ("combined", "fixed_discount", DiscountKind.UNKNOWN),
        ("cart", "bundle", DiscountKind.UNKNOWN),
    ],
)
def test_each_kind_of_offer_has_its_discount(
    vendor: Served, provider: AntavoProvider, scope: str, kind: str, expected: DiscountKind
) -> None:
    vendor.workspace.offers["socks-season"] |= {"type": scope, "discount": {"type": kind, "value": 9}}
    assert rewards(provider)["offer:socks-season"].discount.kind is expected


def test_without_the_module_there_are_no_offers(
    vendor: Served, provider: AntavoProvider, connect: Connect
) -> None:
    vendor.workspace.has_offers = False
    assert "offer:socks-season" not in rewards(provider)
    asked = len([path for _method, path, _body in vendor.asked if path == "/offers/"])
    rewards(connect(has_offers=False))
    assert len([path for _method, path, _body in vendor.asked if path == "/offers/"]) == asked


def test_without_the_module_there_is_no_preview(vendor: Served, provider: AntavoProvider) -> None:
    assert provider.preview_earn(MIA, cart("80.00")) == 100
    vendor.workspace.has_preview = False
    assert provider.preview_earn(MIA, cart("80.00")) is None
