"""Offers: what fits this cart, what it saves, and which gap locks the others."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyaltyview.redemptions.offers import OfferState, after, build_offers, points_as_money, saving_in
from providers.sales import SpendKind
from providers.types import (
    Cart,
    CartItem,
    Discount,
    DiscountKind,
    Lock,
    LockReason,
    Money,
    PointsRange,
    Reward,
    Voucher,
)


def usd(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="USD")


def fixed(amount: str, minimum: str | None = None) -> Discount:
    return Discount(kind=DiscountKind.FIXED, amount=usd(amount), minimum=usd(minimum) if minimum else None)


def percent(value: str) -> Discount:
    return Discount(kind=DiscountKind.PERCENT, percent=Decimal(value))


CART = Cart(
    cart_id="c-1",
    total=usd("40.00"),
    items=(
        CartItem(item_id="1", product_id="TOTE-01", price=Decimal("24.00")),
        CartItem(item_id="2", product_id="SOCK-01", price=Decimal("16.00")),
    ),
)


def test_yen_discounts_are_whole() -> None:
    """Else the page would say ¥2 for ¥1.50, and NewStore would make a coupon that no till can pay."""
    yen = Money(amount=Decimal("0.5"), currency="JPY")
    span = PointsRange(minimum=1, maximum=900, step=1, value_per_point=yen)
    assert points_as_money(3, span) == Money(amount=Decimal(1), currency="JPY")
    cart = Cart(cart_id="c-1", total=Money(amount=Decimal(1999), currency="JPY"))
    assert saving_in(percent("15"), cart)[0].amount == Decimal(300)


@pytest.mark.parametrize("currency", ["KWD", "BHD", "OMR", "JOD", "TND"])
def test_discounts_keep_the_third_decimal_of_their_currency(currency: str) -> None:
    fils = Money(amount=Decimal("0.001"), currency=currency)
    span = PointsRange(minimum=1, maximum=90_000, step=1, value_per_point=fils)
    assert points_as_money(125, span).amount == Decimal("0.125")
    cart = Cart(cart_id="c-1", total=Money(amount=Decimal("41.625"), currency=currency))
    assert saving_in(percent("15"), cart)[0].amount == Decimal("6.244")


def reward(reward_id: str, discount: Discount, points: int = 100, lock: Lock | None = None) -> Reward:
    return Reward(reward_id=reward_id, title=reward_id, points=points, discount=discount, lock=lock)


def test_owned_comes_first_then_the_best_saving_for_the_same_points() -> None:
    voucher = Voucher(voucher_id="v", title="v", discount=fixed("5"))
    offers = build_offers((reward("r5", fixed("5")), reward("r20", percent("20"))), (voucher,), CART, 500)
    assert [(offer.item_id, offer.state) for offer in offers] == [
        ("v", OfferState.OWNED),
        ("r20", OfferState.AVAILABLE),
        ("r5", OfferState.AVAILABLE),
    ]
    assert offers[1].saving == usd("8.00")


def test_minimum_spend_locks_with_the_exact_gap_in_money() -> None:
    (offer,) = build_offers((reward("r", fixed("10", minimum="52.50")),), (), CART, 500)
    assert (offer.state, offer.reason, offer.money_gap) == (OfferState.LOCKED, "MINIMUM", usd("12.50"))
    assert offer.gap_share == 76


def test_missing_points_lock_with_the_exact_gap_in_points() -> None:
    lock = Lock(reason=LockReason.POINTS, points_gap=40)
    (offer,) = build_offers((reward("r", fixed("10"), points=200, lock=lock),), (), CART, 160)
    assert (offer.state, offer.reason, offer.points_gap, offer.gap_share) == ("locked", "POINTS", 40, 80)


def test_free_product_saves_the_price_of_the_cheapest_match() -> None:
    discount = Discount(kind=DiscountKind.PRODUCT, skus=("TOTE-01", "SOCK-01"))
    (offer,) = build_offers((reward("r", discount),), (), CART, 500)
    assert offer.saving == usd("16.00")


def test_free_product_that_is_not_in_the_cart_says_so() -> None:
    discount = Discount(kind=DiscountKind.PRODUCT, skus=("SCARF-01",))
    (offer,) = build_offers((reward("r", discount),), (), CART, 500)
    assert (offer.state, offer.reason, offer.discount.skus) == ("locked", "PRODUCT_MISSING", ("SCARF-01",))


def test_discount_above_the_cart_says_that_it_is_capped() -> None:
    (offer,) = build_offers((reward("r", fixed("50")),), (), CART, 500)
    assert (offer.saving, offer.is_capped) == (usd("40.00"), True)


def test_other_currency_online_only_and_unknown_kinds_are_locked() -> None:
    euro = Discount(kind=DiscountKind.FIXED, amount=Money(amount=Decimal(5), currency="EUR"))
    online = Discount(kind=DiscountKind.ONLINE_ONLY)
    unknown = Discount(kind=DiscountKind.UNKNOWN, raw="BOGO")
    offers = build_offers((reward("e", euro), reward("o", online), reward("u", unknown)), (), CART, 500)
    assert {offer.item_id: offer.reason for offer in offers} == {
        "e": "CURRENCY",
        "o": "ONLINE_ONLY",
        "u": "UNKNOWN",
    }


@pytest.mark.parametrize(
    ("kind", "reason"), [(DiscountKind.ONLINE_ONLY, "ONLINE_ONLY"), (DiscountKind.UNKNOWN, "UNKNOWN")]
)
def test_a_reward_that_no_till_takes_promises_nothing_for_more_points(
    kind: DiscountKind, reason: str
) -> None:
    lock = Lock(reason=LockReason.POINTS, points_gap=60)
    (offer,) = build_offers((reward("o", Discount(kind=kind), 150, lock),), (), CART, 90)
    assert (offer.reason, offer.points_gap) == (reason, 0)


def test_nothing_can_be_redeemed_in_an_empty_cart() -> None:
    empty = Cart(cart_id="c", total=usd("0"))
    (offer,) = build_offers((reward("r", fixed("5")),), (), empty, 500)
    assert (offer.state, offer.reason) == ("locked", "CART_EMPTY")


def test_a_gap_in_money_is_nearer_than_a_gap_in_points() -> None:
    lock = Lock(reason=LockReason.POINTS, points_gap=10)
    offers = build_offers(
        (reward("points", fixed("5"), lock=lock), reward("money", fixed("5", minimum="60"))), (), CART, 90
    )
    assert [offer.item_id for offer in offers] == ["money", "points"]


def test_points_as_money_is_offered_as_such_and_rounded_down() -> None:
    points_range = PointsRange(minimum=50, maximum=500, step=50, value_per_point=usd("0.0133"))
    assert points_as_money(150, points_range) == usd("1.99")
    given_reward = Reward(
        reward_id="p",
        title="p",
        points=50,
        discount=Discount(kind=DiscountKind.POINTS, amount=usd("0.66")),
        points_range=points_range,
    )
    (offer,) = build_offers((given_reward,), (), CART, 500)
    assert offer.kind is SpendKind.POINTS


def test_points_worth_another_currency_than_the_carts_are_locked() -> None:
    euros = Money(amount=Decimal("0.05"), currency="EUR")
    points_range = PointsRange(minimum=50, maximum=500, step=50, value_per_point=euros)
    in_euros = Reward(
        reward_id="p",
        title="p",
        points=50,
        discount=Discount(kind=DiscountKind.POINTS),
        points_range=points_range,
    )
    (offer,) = build_offers((in_euros,), (), CART, 500)
    assert (offer.state, offer.reason) == ("locked", "CURRENCY")


def test_a_second_free_product_takes_another_item_or_none() -> None:
    one_of_both = Discount(kind=DiscountKind.PRODUCT, skus=("TOTE-01", "SOCK-01"))
    once = after(CART, one_of_both, usd("16.00"))
    (offer,) = build_offers((reward("r", one_of_both),), (), once, 500)
    assert (once.total, offer.saving) == (usd("24.00"), usd("24.00"))
    twice = after(once, one_of_both, usd("24.00"))
    assert twice.items == ()
    assert twice.total == usd("0.00")


def test_an_applied_discount_leaves_less_for_the_next() -> None:
    left = after(CART, fixed("35"), usd("35.00"))
    (offer,) = build_offers((reward("r", fixed("10")),), (), left, 500)
    assert (offer.saving, offer.is_capped) == (usd("5.00"), True)


@given(
    total=st.decimals("0.01", "99999", places=2),
    worth=st.decimals("0.01", "99999", places=2),
    share=st.decimals("0.01", "100", places=2),
)
def test_no_saving_exceeds_the_cart(total: Decimal, worth: Decimal, share: Decimal) -> None:
    cart = Cart(cart_id="c", total=Money(amount=total, currency="USD"))
    for discount in (fixed(str(worth)), percent(str(share))):
        saving, is_capped = saving_in(discount, cart)
        assert Decimal(0) <= saving.amount <= total
        assert is_capped == (discount.kind is DiscountKind.FIXED and worth > total)


def test_a_unit_that_costs_nothing_is_not_the_free_one() -> None:
    """The shop's own promotion made one of two totes free: the reward is for the other."""
    free = Discount(kind=DiscountKind.PRODUCT, skus=("TOTE-01",))
    given = CartItem(item_id="3", product_id="TOTE-01", price=Decimal(0))
    cart = replace(CART, items=(given, *CART.items))
    (offer,) = build_offers((reward("tote", free),), (), cart, 500)
    assert (offer.state, offer.saving) == (OfferState.AVAILABLE, usd("24.00"))
    (offer,) = build_offers((reward("tote", free),), (), after(cart, free, usd("24.00")), 500)
    assert (offer.state, offer.reason) == (OfferState.LOCKED, "PRODUCT_MISSING"), "once is enough"


def test_a_reward_that_saves_nothing_is_not_offered_for_points() -> None:
    total = Money(amount=Decimal(40), currency="JPY")
    (offer,) = build_offers((reward("p", percent("1")),), (), Cart(cart_id="c-1", total=total), 500)
    assert offer.state is OfferState.LOCKED


def test_a_gift_card_is_shown_and_never_redeemable() -> None:
    card = Discount(kind=DiscountKind.GIFT_CARD, amount=usd("25.00"))
    lock = Lock(reason=LockReason.OTHER, text="It is in the app.")
    rewards = (Reward(reward_id="r", title="Card", points=10, discount=card, lock=lock),)
    vouchers = (Voucher(voucher_id="v", title="Card", discount=card, lock=lock),)
    for offer in build_offers(rewards, vouchers, CART, 500):
        assert (offer.state, offer.reason) == (OfferState.LOCKED, "GIFT_CARD")
        assert (offer.text, offer.saving) == ("It is in the app.", None)
