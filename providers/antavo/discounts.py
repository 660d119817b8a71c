"""The discounts of coupons, rewards and offers, in our words. Antavo's rewards have none: the program's
setting `discounts` or custom attributes of the reward define them.
"""

from decimal import Decimal
from typing import Any

from providers.antavo.client import Client
from providers.antavo.fields import number, properties, rows, table, text
from providers.antavo.settings import CouponTerms
from providers.types import Discount, DiscountKind, Money

# "percent" stands in one description, "percentage" in every example (docs/contracts/antavo.md 5.2).
KINDS = {
    "amount": DiscountKind.FIXED,
    "gift_card": DiscountKind.FIXED,
    "percentage": DiscountKind.PERCENT,
    "percent": DiscountKind.PERCENT,
    "physical": DiscountKind.PRODUCT,
    "free_shipping": DiscountKind.ONLINE_ONLY,
}


def discount_of(terms: CouponTerms, currency: str, stores: tuple[str, ...] = ()) -> Discount:
    """Return `terms` as a discount; UNKNOWN, with the raw type, for a discount that a till cannot express."""
    kind = KINDS.get(terms.type.lower(), DiscountKind.UNKNOWN)
    needs_value = kind in (DiscountKind.FIXED, DiscountKind.PERCENT)
    is_senseless = (needs_value and terms.value <= 0) or (kind is DiscountKind.PERCENT and terms.value > 100)
    if is_senseless or (kind is DiscountKind.PRODUCT and not terms.skus):
        kind = DiscountKind.UNKNOWN
    return Discount(
        kind=kind,
        amount=Money(amount=terms.value, currency=currency) if kind is DiscountKind.FIXED else None,
        percent=terms.value if kind is DiscountKind.PERCENT else None,
        skus=terms.skus,
        minimum=Money(amount=terms.minimum, currency=currency) if terms.minimum > 0 else None,
        stores=stores,
        raw=terms.type,
    )


def reward_terms(client: Client, reward: dict[str, Any]) -> CouponTerms:
    """Return the terms of a reward: by its id, its coupon pool, or its custom attributes."""
    known = client.settings.discounts
    for name in (text(reward.get("id")), text(reward.get("coupon_pool"))):
        if name in known:
            return known[name]
    custom, names = properties(reward.get("custom_data")), client.names
    return CouponTerms(
        type=custom.get(names["discount_type"]) or text(reward.get("type")),
        value=number(custom.get(names["discount_value"])),
        minimum=number(custom.get(names["discount_minimum"])),
        skus=tuple(filter(None, custom.get(names["discount_skus"], "").replace(" ", "").split(","))),
    )


def coupon_terms(coupon: dict[str, Any]) -> CouponTerms:
    """Return the terms of a coupon; a gift card is worth its remaining amount."""
    kind = text(coupon.get("type"))
    is_card = kind == "gift_card" and coupon.get("balance") is not None
    limits = (number(coupon.get(name)) for name in ("purchase_threshold", "min_amount"))
    products = coupon.get("products")
    return CouponTerms(
        type=kind,
        value=number(coupon.get("balance" if is_card else "value")),
        minimum=max(*limits, Decimal(0)),
        skus=tuple(filter(None, map(text, products))) if isinstance(products, list) else (),
    )


def store_ids(row: dict[str, Any]) -> tuple[str, ...]:
    """Return the stores that a reward or coupon is limited to: ids, objects, or a single object."""
    stores = row.get("stores")
    if isinstance(stores, dict) and "id" in stores:
        stores = [stores]
    plain = [store for store in stores if isinstance(store, str)] if isinstance(stores, list) else []
    return tuple(filter(None, [*plain, *(text(table(store).get("id")) for store in rows(stores))]))
