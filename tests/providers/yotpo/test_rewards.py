"""Options of every kind as rewards: what they are worth, who can have them, what is missing."""

from decimal import Decimal

import pytest

from loyaltyview.redemptions.offers import build_offers
from loyaltyview.sandbox.vendors.yotpo.server import Yotpo
from loyaltyview.sandbox.vendors.yotpo.state import Option
from loyaltyview.webview.wording import gap
from providers.types import DiscountKind, Lock, LockReason, Reward
from providers.yotpo.provider import YotpoProvider
from tests.providers.yotpo.build import (
    ANA,
    CART,
    FIFTEEN_PERCENT,
    FIVE_OFF,
    GOLD_FORTY,
    LEO,
    POINTS,
    SHIPPING,
    TEN_OFF,
    TOTE,
    TWENTY_FIVE_OFF,
    make_intent,
    ref,
)
from tests.providers.yotpo.conftest import Build


def rewards_of(provider: YotpoProvider, member_ref: str) -> dict[str, Reward]:
    return {reward.reward_id: reward for reward in provider.list_rewards(member_ref, CART)}


def test_every_kind_of_option_is_worth_what_it_says(provider: YotpoProvider, mia: str) -> None:
    rewards = rewards_of(provider, mia)

    five = rewards[FIVE_OFF].discount
    assert (five.kind, five.amount and five.amount.amount) == (DiscountKind.FIXED, Decimal(5))
    ten = rewards[TEN_OFF].discount
    assert ten.amount is not None
    assert ten.minimum is not None
    assert (ten.kind, ten.amount.amount, ten.minimum.amount) == (DiscountKind.FIXED, 10, 50)
    percent = rewards[FIFTEEN_PERCENT].discount
    assert (percent.kind, percent.percent) == (DiscountKind.PERCENT, Decimal(15))
    assert (rewards[TOTE].discount.kind, rewards[TOTE].discount.skus) == (DiscountKind.PRODUCT, ("TOTE-01",))
    assert rewards[SHIPPING].discount.kind is DiscountKind.ONLINE_ONLY


def test_points_as_money_go_in_steps_of_one_unit_of_money(provider: YotpoProvider, mia: str) -> None:
    span = rewards_of(provider, mia)[POINTS].points_range

    assert span is not None
    assert (span.minimum, span.maximum, span.step) == (20, 820, 20)
    assert span.value_per_point.amount == Decimal("0.05")


def test_the_steps_can_be_set(build: Build, mia: str) -> None:
    provider = build(reward_values={POINTS: {"step": 100, "maximum": 500}})
    span = rewards_of(provider, mia)[POINTS].points_range

    assert span is not None
    assert (span.minimum, span.maximum, span.step) == (100, 500, 100)


def test_locked_rewards_say_what_is_missing(provider: YotpoProvider) -> None:
    rewards = rewards_of(provider, ref(provider, LEO))
    locks = {reward_id: reward.lock for reward_id, reward in rewards.items()}

    five, points = locks[FIVE_OFF], locks[POINTS]
    assert five is not None
    assert (five.reason, five.points_gap) == (LockReason.POINTS, 40)
    assert points is None
    # Yotpo shows Leo unaffordable rewards, so a reward that it hides is not open to this member.
    assert locks[GOLD_FORTY] == Lock(reason=LockReason.OTHER, points_gap=1140)
    assert locks[SHIPPING] is not None
    assert locks[SHIPPING].reason is LockReason.ONLINE_ONLY


def test_an_affordable_reward_that_is_not_offered_is_locked(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    yotpo.books.customers[0].points_balance = 1500

    lock = rewards_of(provider, mia)[GOLD_FORTY].lock

    assert lock is not None
    assert lock.reason is LockReason.OTHER
    assert rewards_of(provider, ref(provider, ANA))[GOLD_FORTY].lock is None


def test_a_reward_of_a_tier_says_the_tier_first_then_the_points(build: Build, yotpo: Yotpo) -> None:
    provider = build(reward_values={GOLD_FORTY: {"tier": "Gold"}})
    leo, ana = ref(provider, LEO), ref(provider, ANA)

    assert rewards_of(provider, leo)[GOLD_FORTY].lock == Lock(
        reason=LockReason.TIER, tier="Gold", points_gap=1140
    )
    yotpo.books.customer("email", LEO).points_balance = 1300  # type: ignore[union-attr]
    assert rewards_of(provider, leo)[GOLD_FORTY].lock == Lock(reason=LockReason.TIER, tier="Gold")
    assert rewards_of(provider, ana)[GOLD_FORTY].lock is None
    yotpo.redemptions.hides_unaffordable = True
    yotpo.books.customer("email", ANA).points_balance = 1000  # type: ignore[union-attr]
    assert rewards_of(provider, ana)[GOLD_FORTY].lock == Lock(reason=LockReason.POINTS, points_gap=200)


@pytest.mark.parametrize(
    ("tier", "hides", "points", "sentence"),
    [
        # Leo is Bronze, two tiers below Gold, and has 60 points.
        ("gold", False, 60, "From Gold tier; then 1,140 points more"),
        ("Gold", True, 60, "From Gold tier; then 1,140 points more"),
        ("Gold", True, 1199, "From Gold tier; then 1 point more"),
        ("Gold", False, 1200, "From Gold tier"),
        ("Silver", False, 60, "Silver members only, 440 points to Silver; then 1,140 points more"),
        # What Yotpo does not say, and the program neither: not open, then the points.
        ("", False, 60, "Not open to this member; then 1,140 points more"),
        ("", False, 1300, "Not open to this member"),
        ("", True, 60, "1,140 points more"),
    ],
)
def test_the_page_says_the_tier_then_the_exact_points(
    build: Build, yotpo: Yotpo, tier: str, hides: bool, points: int, sentence: str
) -> None:
    provider = build(reward_values={GOLD_FORTY: {"tier": tier}})
    leo = ref(provider, LEO)
    yotpo.redemptions.hides_unaffordable = hides
    yotpo.books.customer("email", LEO).points_balance = points  # type: ignore[union-attr]

    member = provider.get_member(leo)
    offers = build_offers(provider.list_rewards(leo, CART), (), CART, member.balance.spendable)
    (offer,) = (each for each in offers if each.item_id == GOLD_FORTY)

    assert gap(offer, member.tier, {}) == sentence


def test_points_that_are_held_are_missing_for_the_next_reward(build: Build, mia: str) -> None:
    provider = build(reward_values={GOLD_FORTY: {"tier": "Gold"}})
    provider.spend(make_intent(mia))

    rewards = rewards_of(provider, mia)

    assert rewards[TWENTY_FIVE_OFF].lock == Lock(reason=LockReason.POINTS, points_gap=1000 - 720)
    assert rewards[GOLD_FORTY].lock == Lock(reason=LockReason.TIER, tier="Gold", points_gap=1200 - 720)


def test_the_connection_test_names_tiers_that_the_account_does_not_have(build: Build) -> None:
    provider = build(reward_values={GOLD_FORTY: {"tier": "gold"}, FIVE_OFF: {"tier": "Gld"}})

    assert provider.check().account.endswith("reward_values name tiers that it does not have: Gld")


def test_a_hidden_unaffordable_reward_is_shown_with_the_gap(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    yotpo.redemptions.hides_unaffordable = True

    lock = rewards_of(provider, mia)[TWENTY_FIVE_OFF].lock

    assert lock is not None
    assert (lock.reason, lock.points_gap) == (LockReason.POINTS, 180)


def test_rewards_of_the_web_shop_stay_there_unless_the_program_wants_them(
    provider: YotpoProvider, build: Build, mia: str
) -> None:
    assert "90218" not in rewards_of(provider, mia)
    assert "90218" in rewards_of(build(offline_only=False), mia)


@pytest.mark.parametrize(
    "fields",
    [
        {"discount_type": "custom", "discount_amount_cents": 0},
        {"discount_type": "percentage"},
        {"discount_type": "product"},
        {"discount_type": "variable"},
        {"discount_type": "store_credit"},
    ],
)
def test_a_discount_that_cannot_be_told_is_shown_and_never_guessed(
    provider: YotpoProvider, yotpo: Yotpo, mia: str, fields: dict[str, object]
) -> None:
    yotpo.books.options[1] = Option(id=1, name="$15 off, perhaps", amount=10, **fields)  # type: ignore[arg-type]

    discount = rewards_of(provider, mia)["1"].discount

    assert discount.kind is DiscountKind.UNKNOWN
    assert discount.raw == fields["discount_type"]


def test_the_value_for_reports_serves_a_custom_coupon_without_its_own(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    yotpo.books.options[1] = Option(
        id=1, name="Fifteen", amount=10, discount_type="custom", discount_amount_cents=0,
        discount_value_cents=1500, cart_greater_than_cents=2000,
    )  # fmt: skip

    discount = rewards_of(provider, mia)["1"].discount

    assert discount.amount is not None
    assert discount.minimum is not None
    assert (discount.amount.amount, discount.minimum.amount) == (Decimal(15), Decimal(20))


def test_a_variant_names_the_free_product_where_catalogues_agree(
    build: Build, yotpo: Yotpo, mia: str
) -> None:
    assert rewards_of(build(reward_values={}), mia)[TOTE].discount.skus == ("41512",)
