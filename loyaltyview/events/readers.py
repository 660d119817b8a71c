"""Readers of the payloads of NewStore's events: they return frozen dataclasses.

They accept null where the contract allows it, and refuse where an amount or an id would have to be guessed.
Source: docs/contracts/newstore.md 6.6 to 6.10.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from loyaltyview.events.payloads import (
    LONGEST_ID,
    amount,
    bounded,
    currency_of,
    each,
    items_of,
    optional_text,
    parse,
    payload_of,
    read_time,
    text,
    time_of,
    whole,
)
from loyaltyview.newstore.reward_attribute import reward_texts
from loyaltyview.programs.earn_base import (
    EarnOn,
    PricedLine,
    earn_base,
    earns_with_tax,
    needs_tax,
    sale_line_base,
)
from providers.texts import plain_of
from providers.types import WebhookEvent

# Vendors may refuse a line without a product. Nothing here uses the value.
NO_PRODUCT = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`net` is what the whole line earns on, in the order's currency: after discounts, tax by the rule of the
    program. Of a return it is what was refunded, without tax unless asked for otherwise."""

    item_id: str
    product_id: str
    quantity: int
    net: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCodes:
    """The part of `order.created` and `order.opened` that decides about redemptions. `codes` are all coupon
    codes, without repeats, in the order they stand in. `reward_texts` may be further codes
    (`orders.with_reward_codes`)."""

    order_id: str
    is_historical: bool
    codes: tuple[str, ...]
    reward_texts: tuple[str, ...] = ()
    exchanges: tuple["Exchange", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """The order takes the place of what came back from `order_id` with the return `return_id`."""

    order_id: str
    return_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderOpened:
    """`order.created` and `order.opened` have the same shape. `lines` are the products. `earns_with_tax`:
    their `net` contains tax."""

    order_id: str
    external_id: str
    placed_at: datetime
    channel_type: str
    store_id: str
    associate_id: str
    profile_id: str
    customer_email: str
    currency: str
    is_exchange: bool
    is_historical: bool
    exchanges: tuple[Exchange, ...]
    codes: tuple[str, ...]
    reward_texts: tuple[str, ...] = ()
    lines: tuple[Line, ...]
    earns_with_tax: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCompleted:
    """It has no amounts and no customer: they come from the order as it was opened."""

    order_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelled:
    """`item_ids` are the cancelled ones: all of them for `order.cancelled`, some for
    `order.items_cancelled`."""

    order_id: str
    item_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnProcessed:
    """`order_id` is "" for a blind return. `net` is what was refunded for the goods."""

    return_id: str
    order_id: str
    returned_at: datetime
    store_id: str
    currency: str
    net: Decimal
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Appeasement:
    """Money that the customer got back without bringing anything back."""

    refund_id: str
    order_id: str
    requested_at: datetime | None
    currency: str
    amount: Decimal


def read_codes(body: bytes, reward_attribute: str = "") -> OrderCodes:
    """Read the codes of an `order.created` or `order.opened` delivery, even if its amounts are unreadable:
    the customer has the discount. `reward_attribute` is the program's name of the extended attribute.
    Raises PayloadError when it names no order."""
    payload = payload_of(body)
    return OrderCodes(
        order_id=text(payload, "id"),
        is_historical=payload.get("is_historical") is True,
        codes=_codes(payload),
        reward_texts=reward_texts(_holders(payload), reward_attribute),
        exchanges=_exchanges(payload),
    )


def read_order(body: bytes, earn_on: str = EarnOn.PRICE, reward_attribute: str = "") -> OrderOpened:
    """Read an `order.created` or `order.opened` delivery; `earn_on` is the program's rule, and
    `reward_attribute` its name of the extended attribute. Raises PayloadError."""
    payload = payload_of(body)
    channel_type = text(payload, "channel_type", limit=20)
    items = items_of(payload, required=True)
    is_tax_included = text(payload, "price_method") == "tax_included"
    # "channel" is the store of a store order; of a web order it is the shop.
    channel = optional_text(payload, "channel") if channel_type == "store" else ""
    return OrderOpened(
        order_id=text(payload, "id"),
        external_id=optional_text(payload, "external_id"),
        placed_at=time_of(payload, "placed_at", "created_at"),
        channel_type=channel_type,
        store_id=channel or optional_text(payload, "demand_location_id"),
        associate_id=optional_text(payload, "associate_id"),
        profile_id=optional_text(payload, "customer_id"),
        customer_email=optional_text(payload, "customer_email", limit=254),
        currency=currency_of(payload),
        is_exchange=payload.get("is_exchange") is True,
        is_historical=payload.get("is_historical") is True,
        exchanges=_exchanges(payload),
        codes=_codes(payload),
        reward_texts=reward_texts(_holders(payload), reward_attribute),
        lines=each(items, lambda item: _order_line(item, earn_on, is_tax_included), only=_is_product),
        earns_with_tax=earns_with_tax(earn_on, is_tax_included=is_tax_included),
    )


def read_others(body: bytes) -> frozenset[str]:
    """Read the ids of what an `order.opened` delivery sells beside products, such as gift cards: those of the
    items and of what they are. Raises PayloadError."""
    items = items_of(payload_of(body))
    others = [item for item in items if isinstance(item, dict) and not _is_product(item)]
    ids = [item.get(key) for item in others for key in ("id", "product_id")]
    return frozenset(plain_of(each, LONGEST_ID) for each in ids) - {""}


def read_completed(body: bytes) -> OrderCompleted:
    """Read an `order.completed` delivery. Raises PayloadError."""
    return OrderCompleted(order_id=text(payload_of(body), "id"))


def read_cancelled(body: bytes) -> OrderCancelled:
    """Read an `order.cancelled` or `order.items_cancelled` delivery. Raises PayloadError."""
    payload = payload_of(body)
    return OrderCancelled(
        order_id=text(payload, "id"),
        item_ids=each(items_of(payload), lambda item: text(item, "id")),
    )


def read_return(body: bytes, *, with_tax: bool = False) -> ReturnProcessed:
    """Read a `return.processed` delivery, its amounts with or without tax. The payload does not
    say on which of them its order has earned. Raises PayloadError."""
    payload = payload_of(body)
    lines = each(items_of(payload), lambda item: _return_line(item, with_tax))
    total = Decimal(0) if lines else _refund(payload, "total_refund_{}", with_tax)
    return ReturnProcessed(
        return_id=text(payload, "id"),
        order_id=_order_id(payload),
        returned_at=time_of(payload, "returned_at"),
        store_id=optional_text(payload, "return_location_id"),
        currency=currency_of(payload),
        net=earn_base(line.net for line in lines) if lines else max(total, Decimal(0)),
        lines=lines,
    )


def read_appeasement(body: bytes) -> Appeasement:
    """Read a `refund_request.issued` delivery. Raises PayloadError."""
    payload = payload_of(body)
    return Appeasement(
        refund_id=text(payload, "id"),
        order_id=_order_id(payload),
        requested_at=read_time(payload.get("requested_at")),
        currency=currency_of(payload),
        amount=amount(payload, "amount"),
    )


def read_hint(body: bytes) -> WebhookEvent:
    """Read what `inbox.store_hints` wrote of a vendor's delivery."""
    return WebhookEvent(**parse(body))


def _order_line(item: dict[str, Any], earn_on: str, is_tax_included: bool) -> Line:
    # Discounts and tax are taken for the whole line; for a quantity above one the contract does not say,
    # and NewStore lists each unit as a line of its own.
    quantity = amount(item, "quantity", default=Decimal(1))
    priced = PricedLine(
        price=amount(item, "pricebook_price") * quantity,
        discount=amount(item, "item_discounts", optional=True)
        + amount(item, "order_discounts", optional=True),
        tax=amount(item, "tax") if needs_tax(earn_on, is_tax_included=is_tax_included) else None,
    )
    return Line(
        item_id=text(item, "id"),
        product_id=optional_text(item, "product_id") or NO_PRODUCT,
        quantity=whole(quantity),
        net=bounded("items", sale_line_base(priced, earn_on, is_tax_included=is_tax_included)),
    )


def _return_line(item: dict[str, Any], with_tax: bool) -> Line:
    return Line(
        item_id=optional_text(item, "id"),
        product_id=optional_text(item, "product_id"),
        quantity=whole(amount(item, "quantity", default=Decimal(1))),
        net=_refund(item, "refund_{}", with_tax),
    )


def _refund(source: dict[str, Any], keys: str, with_tax: bool) -> Decimal:
    # "*_adjusted" is what the associate paid out in the end, which is not the price of the goods.
    whole_key, net_key, tax_key = (keys.format(part) for part in ("amount", "excl_tax", "tax"))
    if source.get(whole_key if with_tax else net_key) is not None:
        return amount(source, whole_key if with_tax else net_key)
    tax = amount(source, tax_key, optional=True)
    return bounded(whole_key, amount(source, net_key) + tax if with_tax else amount(source, whole_key) - tax)


def _is_product(item: dict[str, Any]) -> bool:
    return item.get("item_type") in (None, "product")


def _holders(payload: dict[str, Any]) -> list[dict[str, Any]]:
    items = payload.get("items")
    return (
        [payload, *(item for item in items if isinstance(item, dict))]
        if isinstance(items, list)
        else [payload]
    )


def _codes(payload: dict[str, Any]) -> tuple[str, ...]:
    lists = [holder.get("discounts") for holder in _holders(payload)]
    discounts = [discount for found in lists if isinstance(found, list) for discount in found]
    given = [found.get("coupon_code") for found in discounts if isinstance(found, dict)]
    codes = [plain_of(code, LONGEST_ID) for code in given]
    return tuple(dict.fromkeys(code for code in codes if code))


def _exchanges(payload: dict[str, Any]) -> tuple[Exchange, ...]:
    links = payload.get("exchanges")
    found = [link for link in links if isinstance(link, dict)] if isinstance(links, list) else []
    exchanges = [
        Exchange(order_id=order_id, return_id=optional_text(link, "return_id"))
        for link in found
        if (order_id := optional_text(link, "order_id"))
    ]
    return tuple(dict.fromkeys(exchanges))


def _order_id(payload: dict[str, Any]) -> str:
    # One that is there but cannot be read is not a return without an order.
    return text(payload, "order_id") if payload.get("order_id") not in (None, "") else ""
