"""What a discount takes off, what a gift card holds, and what a point is worth as money.

Source: docs/contracts/whitelabel.md 2.5, 2.7. The engine enforces no discount: product and store are ours to
look at. Assumed: `productSku` (or `sku`) limits one to these products, `venues` to these stores. A code that
the program calls a category stands for the products that it lists; a till sees no categories.

The worth of a point is the tenant's setting, else the program's own value, else what a test reaction says,
which stores nothing. It is a catalogue of the tenant.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.utils import timezone

from providers.answers import inner, number, rows, text, text_of
from providers.currencies import from_minor_units, minor_units
from providers.dates import timestamp
from providers.errors import UnexpectedAnswer
from providers.outbound import catalogues
from providers.outbound.exchange import segment
from providers.types import Cart, Discount, DiscountKind, Money
from providers.whitelabel.client import Client, Json, Refused, plain
from providers.whitelabel.settings import RECEIPTS
from providers.whitelabel.venues import store_limits

PROBE = Decimal(100)
UNKNOWN = Discount(kind=DiscountKind.UNKNOWN)
# Gift cards of other brands, from Runa and Xoxoday. Source: OpenAPI, RewardDefinition.
GIFT_CARDS = frozenset({"WEGIFT_PRODUCT", "XOXO_PRODUCT"})


def read_discount(client: Client, data: Json, stores: Mapping[str, str]) -> Discount:
    """Return what a benefit, a reward or the answer of a validation takes off. `stores` maps ids of venues
    to our store ids. Codes of a pool carry none: then the program's own map says. UNKNOWN for what one
    coupon cannot express."""
    if is_gift_card(data):
        return _gift_card(client, data)
    listed = rows(client.names.find(data, "discounts")) or _of_program(client, data)
    found = [_discount(client, row, stores) for row in listed]
    if not found:
        return UNKNOWN
    first = found[0]
    # Several are one when they differ in nothing but the store.
    if len(found) > 1 and all(each.stores and replace(each, stores=first.stores) == first for each in found):
        first = replace(first, stores=tuple(store for each in found for store in each.stores))
    elif len(found) > 1:
        return replace(UNKNOWN, raw=f"{len(found)} discounts")
    if not first.stores:  # the reward's own venues, of a voucher, too
        first = replace(
            first, stores=store_limits(data.get("venues") or inner(data, "reward").get("venues"), stores)
        )
    minimum = client.names.number(data, "discount_minimum")
    return replace(first, minimum=_money(client, minimum)) if minimum and minimum > 0 else first


def is_gift_card(data: Json) -> bool:
    """Return whether a benefit or a reward is a gift card."""
    return data.get("type") in GIFT_CARDS or inner(data, "reward").get("type") in GIFT_CARDS


def is_same(shown: Discount, now: Discount) -> bool:
    """Return whether a discount still is what the page showed. Of several products of which one is free the
    customer may have chosen one."""
    is_chosen = shown.kind is DiscountKind.PRODUCT and set(shown.skus) <= set(now.skus)
    return shown == (replace(now, skus=shown.skus) if is_chosen else now)


def point_value(client: Client, ref: str) -> Money | None:
    """Return the worth of one point in the program's currency, None where nobody knows it."""

    def read() -> str:
        return str(_from_setting(client) or client.settings.point_value or _from_reaction(client, ref) or 0)

    # A tap mints a discount of this worth, and the engine never sees it: so it is as young as any worth.
    value = catalogues.known(client.config, "rate", read=read, parse=Decimal)
    return Money(amount=value, currency=client.config.currency) if value > 0 else None


def preview_sale(client: Client, ref: str, cart: Cart) -> int | None:
    """Return what a sale of this cart would earn, as the engine's own reactors say; None where they do
    not."""
    if cart.total.currency != client.config.currency or client.settings.sales == RECEIPTS:
        return None  # nobody can try the engine's own event of an order
    payload = client.names.payload(
        {
            "sale_id": cart.cart_id,
            "sale_amount": sale_amount(client, cart.total.amount),
            "sale_currency": cart.total.currency,
            "sale_store": cart.store,
            "sale_request": "preview",
            "sale_items": [
                client.names.payload(
                    {
                        "item_sku": item.product_id,
                        "item_quantity": 1,
                        "item_amount": sale_amount(client, item.price),
                    }
                )
                for item in cart.items
            ],
        }
    )
    points = _test(client, client.settings.sale_type, ref, payload)
    return None if points is None else max(points, 0)


def sale_amount(client: Client, amount: Decimal) -> int | float:
    """Return an amount of a sale in the unit that the tenant's reactors count in."""
    if client.settings.amount_unit == "minor":
        return minor_units(amount, client.config.currency)
    return plain(amount)


def brand_of(data: Json) -> str:
    """Return the brand of a gift card, "" where the benefit and its reward name none."""
    return text_of(data, "brandName") or text_of(inner(data, "reward"), "brandName")


def _gift_card(client: Client, data: Json) -> Discount:
    """Return a gift card with what it holds, where that is in the program's currency."""
    currency = client.config.currency
    amount = client.names.number(data, "gift_card_left")
    is_ours = (client.names.text(data, "gift_card_currency") or currency) == currency
    if amount is None or amount <= 0 or not is_ours:
        return Discount(kind=DiscountKind.GIFT_CARD)
    return Discount(kind=DiscountKind.GIFT_CARD, amount=Money(amount=amount, currency=currency))


def _of_program(client: Client, data: Json) -> list[Mapping[str, Any]]:
    reward = inner(data, "reward") or data
    known = client.settings.code_discounts
    for key in (reward.get("id"), reward.get("name")):
        if isinstance(key, str) and key in known:
            return [known[key]]
    return []


def _discount(client: Client, row: Mapping[str, Any], stores: Mapping[str, str]) -> Discount:
    discount = _amount_off(client, str(row.get("type")), number(row.get("value")))
    if discount.kind is DiscountKind.UNKNOWN:
        return replace(discount, raw=str(row.get("type"))[:40])
    codes = _codes_in(client, row)
    if codes is None:
        return replace(UNKNOWN, raw="limited to products that nobody can read")
    skus, category = _products(client, codes)
    is_free = discount.percent == 100 or (
        discount.kind is DiscountKind.PRICE and discount.amount is not None and not discount.amount.amount
    )
    if skus and is_free:
        discount = Discount(kind=DiscountKind.PRODUCT)
    return replace(discount, skus=skus, category=category, stores=store_limits(row.get("venues"), stores))


def _codes_in(client: Client, row: Mapping[str, Any]) -> list[str] | None:
    """Return the products and categories that a discount names; None where it names some in a shape that we
    cannot read: without that limit it would apply to everything."""
    told = next((value for value in client.names.found(row, "discount_skus") if value not in ("", [])), "")
    named = [text(each) for each in (told if isinstance(told, list) else [told])]
    if told != "" and not all(named):
        return None
    codes: list[str] = []
    # "comma recommended": other delimiters occur. A category's code may have blanks itself.
    for code in re.split(r"[,;|\n]", ",".join(named)):
        is_category = code.strip() in client.settings.categories
        codes += [code.strip()] if is_category else code.split()
    return codes


def _products(client: Client, codes: list[str]) -> tuple[tuple[str, ...], str]:
    """Return the products that `codes` name, and the categories whose products nobody lists."""
    categories = client.settings.categories
    skus = [sku for code in codes for sku in categories.get(code, (code,))]
    hidden = [code for code in codes if code in categories and not categories[code]]
    return tuple(dict.fromkeys(skus)), ", ".join(hidden)


def _amount_off(client: Client, kind: str, value: Decimal | None) -> Discount:
    if value is None or value < 0:
        return UNKNOWN
    if kind == "PERCENTAGE" and 0 < value <= 100:
        return Discount(kind=DiscountKind.PERCENT, percent=value)
    amount = _money(client, value)
    if kind == "ABSOLUTE" and value > 0:
        return Discount(kind=DiscountKind.FIXED, amount=amount)
    if kind == "FIXED":
        return Discount(kind=DiscountKind.PRICE, amount=amount)
    return UNKNOWN


def _money(client: Client, minor: Decimal) -> Money:
    """Return an amount that the engine has in the lowest denomination."""
    currency = client.config.currency
    return Money(amount=from_minor_units(minor, currency), currency=currency)


def _from_setting(client: Client) -> Decimal | None:
    name = client.settings.rate_setting
    if not name:
        return None
    try:
        data = client.get(f"/settings/{segment(name)}", operation="get_setting")
    except Refused:
        return None
    value = number(data.get("value") if isinstance(data, dict) else data)
    return value if value is not None and value > 0 else None


def _from_reaction(client: Client, ref: str) -> Decimal | None:
    """Ask what a spend worth 100 would take: tells the rate where the reactor counts in money."""
    payload = client.names.payload({"probe_amount": plain(PROBE), "points_request": "probe"})
    points = _test(client, client.settings.spend_type, ref, payload)
    return PROBE / -points if points is not None and points < 0 else None


def _test(client: Client, kind: str, ref: str, payload: Json) -> int | None:
    body = {"type": kind, "subject": ref, "occurredAt": timestamp(timezone.now()), "payload": payload}
    try:
        data = client.test("/events/test_reaction", body, operation="test_reaction")
    except UnexpectedAnswer:
        return None  # refused by the tenant's schema, or of another shape: then there is no answer
    found = list(_points_in(data))
    return int(sum(found)) if found else None


def _points_in(data: object) -> list[Decimal]:
    """Return every number called `points`, wherever in the answer (its shape is assumed)."""
    if isinstance(data, dict):
        own = number(data.get("points"))
        inner = [each for value in data.values() for each in _points_in(value)]
        return inner if own is None else [own, *inner]
    if isinstance(data, list):
        return [each for value in data for each in _points_in(value)]
    return []
