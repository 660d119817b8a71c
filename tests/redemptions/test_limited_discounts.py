"""Discounts that hold for some products or stores only, and prices that replace another."""

from decimal import Decimal

import pytest

from loyaltyview.redemptions.offers import CartReason, cart_reason, saving_in
from loyaltyview.redemptions.serialization import discount_from_json, discount_to_json
from providers.types import Cart, CartItem, Discount, DiscountKind, Money

SHIRTS = ("SHIRT-01",)


def usd(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="USD")


CART = Cart(
    cart_id="c-1",
    total=usd("55.00"),
    items=(
        CartItem(item_id="1", product_id="SHIRT-01", price=Decimal("20.00")),
        CartItem(item_id="2", product_id="SHIRT-01", price=Decimal("20.00")),
        CartItem(item_id="3", product_id="SOCK-01", price=Decimal("15.00")),
    ),
    store="boston-1",
)


@pytest.mark.parametrize(
    ("discount", "saving"),
    [
        (Discount(kind=DiscountKind.FIXED, amount=usd("5"), skus=SHIRTS), "5"),
        (Discount(kind=DiscountKind.FIXED, amount=usd("50"), skus=SHIRTS), "20.00"),
        (Discount(kind=DiscountKind.PERCENT, percent=Decimal(15), skus=SHIRTS), "6.00"),
        (Discount(kind=DiscountKind.PRICE, amount=usd("12.50"), skus=SHIRTS), "7.50"),
        (Discount(kind=DiscountKind.PRICE, amount=usd("40"), skus=()), "15.00"),
    ],
)
def test_a_limited_discount_is_worth_what_its_products_allow(discount: Discount, saving: str) -> None:
    assert cart_reason(discount, CART) == (None, None)
    assert saving_in(discount, CART)[0] == usd(saving)


def test_without_its_product_the_page_says_what_is_missing() -> None:
    discount = Discount(kind=DiscountKind.PERCENT, percent=Decimal(15), skus=("TOTE-01",))
    assert cart_reason(discount, CART) == (CartReason.PRODUCT_MISSING, None)


def test_a_special_price_above_the_price_saves_nothing() -> None:
    discount = Discount(kind=DiscountKind.PRICE, amount=usd("25"), skus=SHIRTS)
    assert cart_reason(discount, CART) == (CartReason.UNKNOWN, None)


def test_a_discount_of_other_stores_does_not_fit() -> None:
    here = Discount(kind=DiscountKind.FIXED, amount=usd("5"), stores=("boston-1", "lyon-2"))
    there = Discount(kind=DiscountKind.FIXED, amount=usd("5"), stores=("lyon-2",))
    assert cart_reason(here, CART) == (None, None)
    assert cart_reason(there, CART) == (CartReason.STORE, None)


@pytest.mark.parametrize("cart", [CART, Cart(cart_id="", total=usd("0"))])
def test_a_discount_for_a_category_never_applies_to_the_whole_cart(cart: Cart) -> None:
    """NewStore's carts name products only (docs/contracts/newstore.md 8.4)."""
    discount = Discount(kind=DiscountKind.PERCENT, percent=Decimal(20), category="SHOES")
    assert cart_reason(discount, cart) == (CartReason.CATEGORY, None)


def test_the_limits_are_stored_with_the_redemption() -> None:
    limits = {"skus": SHIRTS, "stores": ("boston-1",), "category": "SHOES"}
    discount = Discount(kind=DiscountKind.FIXED, amount=usd("5"), **limits)  # type: ignore[arg-type]
    assert discount_from_json(discount_to_json(discount)) == discount
