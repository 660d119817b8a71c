"""The vendor's discount objects in our words. Money there is in minor units.

Source: docs/contracts/whitelabel.md 2.5. The engine enforces none of it: product and store are ours to look
at. Assumed: `productSku` (or `sku`) limits a discount to these products, `venues` to these stores.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from providers.answers import inner, number, rows
from providers.currencies import from_minor_units
from providers.types import Discount, DiscountKind, Money
from providers.whitelabel.engine import Engine, Json

UNKNOWN = Discount(kind=DiscountKind.UNKNOWN)


def read_discount(engine: Engine, data: Json, stores: Mapping[str, str]) -> Discount:
    """Return what a benefit, a reward or the answer of a validation takes off. `stores` maps ids of venues
    to our store ids. Codes of a pool carry none: then the program's own map says. UNKNOWN for what one
    coupon cannot express."""
    listed = rows(engine.names.find(data, "discounts")) or _of_program(engine, data)
    found = [_one(engine, row, stores) for row in listed]
    if not found:
        return UNKNOWN
    first = found[0]
    if len(found) == 1:
        return first
    # Several are one when they differ in nothing but the store.
    if all(each.stores and replace(each, stores=first.stores) == first for each in found):
        return replace(first, stores=tuple(store for each in found for store in each.stores))
    return replace(UNKNOWN, raw=f"{len(found)} discounts")


def _of_program(engine: Engine, data: Json) -> list[Mapping[str, Any]]:
    reward = inner(data, "reward") or data
    known = engine.settings.code_discounts
    for key in (reward.get("id"), reward.get("name")):
        if isinstance(key, str) and key in known:
            return [known[key]]
    return []


def _one(engine: Engine, row: Mapping[str, Any], stores: Mapping[str, str]) -> Discount:
    discount = _worth(engine, str(row.get("type")), number(row.get("value")))
    if discount.kind is DiscountKind.UNKNOWN:
        return replace(discount, raw=str(row.get("type"))[:40])
    # "comma recommended": other delimiters occur.
    skus = tuple(re.split(r"[,;|\s]+", engine.names.text(row, "discount_skus").strip()))
    skus = tuple(sku for sku in skus if sku)
    is_free = discount.percent == 100 or (
        discount.kind is DiscountKind.PRICE and discount.amount is not None and not discount.amount.amount
    )
    if skus and is_free:
        discount = Discount(kind=DiscountKind.PRODUCT)
    ids = [venue["id"] for venue in rows(row.get("venues")) if "id" in venue]
    # A venue that we do not know is no store of ours, but it still limits.
    return replace(discount, skus=skus, stores=tuple(stores.get(venue, venue) for venue in ids))


def _worth(engine: Engine, kind: str, value: Decimal | None) -> Discount:
    if value is None or value < 0:
        return UNKNOWN
    if kind == "PERCENTAGE" and 0 < value <= 100:
        return Discount(kind=DiscountKind.PERCENT, percent=value)
    currency = engine.config.currency
    amount = Money(amount=from_minor_units(value, currency), currency=currency)
    if kind == "ABSOLUTE" and value > 0:
        return Discount(kind=DiscountKind.FIXED, amount=amount)
    if kind == "FIXED":
        return Discount(kind=DiscountKind.PRICE, amount=amount)
    return UNKNOWN
