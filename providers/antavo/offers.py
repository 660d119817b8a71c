"""Offers for the cart. Antavo lists them; the discount is the till's to give (docs/contracts/antavo.md 5.6).

An offer costs no points. It is claimed, which makes a coupon, and the coupon is redeemed with the order.
"""

from typing import Any

from providers.antavo.answers import Refused
from providers.antavo.client import Client
from providers.antavo.discounts import discount_of
from providers.antavo.fields import listed, number, rows, table, text
from providers.antavo.settings import CouponTerms
from providers.types import Cart, Discount, DiscountKind, Lock, LockReason, Money, Reward

OFFER = "offer:"


def list_offers(client: Client, ref: str, cart: Cart) -> tuple[Reward, ...]:
    """Return the offers for this cart, lowest weight first; none where the module is off. Offers that miss
    money or a product in the cart are not locked: their minimum and their products say so."""
    if not client.settings.has_offers or not cart.items:
        return ()
    body: dict[str, Any] = {"customer": ref, "eligible_only": False, "cart": cart_body(cart)}
    if cart.store:
        body["store"] = cart.store
    try:
        answer = client.ask("/offers/", "list_offers", body)
    except Refused as refused:
        if refused.status == 404:
            return ()
        raise
    found = sorted(listed(answer), key=lambda row: number(row.get("weight")))
    return tuple(_offer(row, cart) for row in found)


def cart_body(cart: Cart) -> dict[str, Any]:
    """Return the cart as Antavo's offers and points preview take it: units of one product at one price as
    one item."""
    lines: dict[tuple[str, Any], int] = {}
    for item in cart.items:
        lines[item.product_id, item.price] = lines.get((item.product_id, item.price), 0) + 1
    return {
        "total": cart.total.amount,
        "items": [
            {"product_id": product, "quantity": count, "price": price, "subtotal": price * count}
            for (product, price), count in lines.items()
        ],
    }


def _offer(row: dict[str, Any], cart: Cart) -> Reward:
    discount = _discount(row, cart.total.currency)
    misses_money = number(row.get("min_total")) > cart.total.amount
    misses_product = bool(discount.skus) and not {item.product_id for item in cart.items} & set(discount.skus)
    is_within_reach = bool(row.get("is_eligible")) or misses_money or misses_product
    return Reward(
        reward_id=OFFER + text(row.get("id")),
        title=text(row.get("card_title")) or text(row.get("name")),
        description=text(row.get("card_description")),
        points=0,
        discount=discount,
        lock=None if is_within_reach else Lock(reason=LockReason.OTHER),
    )


def _discount(row: dict[str, Any], currency: str) -> Discount:
    """Return the discount: on the cart, or on the products that are listed as eligible. Categories, lists
    and combined offers cannot be judged from a cart's product ids."""
    discount = table(row.get("discount"))
    kind, value = text(discount.get("type")), number(discount.get("value"))
    items = rows(row, "eligible_items")
    skus = tuple(text(item.get("id")) for item in items if text(item.get("type")) == "product")
    scope = text(row.get("type"))
    minimum = number(row.get("min_total"))
    if scope not in ("cart", "item") or (scope == "item" and (not skus or len(skus) != len(items))):
        return Discount(kind=DiscountKind.UNKNOWN, raw=f"{scope} {kind}")
    skus = skus if scope == "item" else ()
    if kind == "fixed_price" and value >= 0:
        smallest = Money(amount=minimum, currency=currency) if minimum > 0 else None
        price = Money(amount=value, currency=currency)
        return Discount(kind=DiscountKind.PRICE, amount=price, skus=skus, minimum=smallest, raw=kind)
    types = {"fixed_discount": "amount", "percent_discount": "percentage"}
    terms = CouponTerms(type=types.get(kind, kind), value=value, minimum=minimum, skus=skus)
    return discount_of(terms, currency)
