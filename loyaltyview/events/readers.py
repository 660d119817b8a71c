"""What the payloads of NewStore's events say, as frozen dataclasses.

Null-safe where the contract allows null, strict where an amount or an id would have to be guessed.
Source: contracts/newstore.md 6.6 to 6.9.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import Any, TypeVar

from loyaltyview.events.payloads import NotJson, is_text, parse, read_time

CENT_OF_CENT = Decimal("0.0001")
# Larger than any sale, small enough for the columns.
LARGEST_AMOUNT = Decimal(10) ** 9

Item = TypeVar("Item")


class PayloadError(Exception):
    """The payload lacks `field`, or holds something else there. Trying again does not help."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`net` is in the order's currency, after discounts, without tax, for the whole line."""

    item_id: str
    product_id: str
    quantity: int
    net: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderOpened:
    """`order.created` and `order.opened` have the same shape. `lines` are the products; `codes` are all
    coupon codes, without repeats, in the order they stand in."""

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
    codes: tuple[str, ...]
    lines: tuple[Line, ...]


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
    """`order_id` is "" for a blind return. `net` is what was refunded for the goods, without tax."""

    return_id: str
    order_id: str
    returned_at: datetime
    store_id: str
    currency: str
    net: Decimal
    lines: tuple[Line, ...]


def read_order(body: bytes) -> OrderOpened:
    """Read an `order.created` or `order.opened` delivery. Raises PayloadError."""
    payload = _payload(body)
    channel_type = _text(payload, "channel_type")
    items = _items(payload, required=True)
    is_tax_included = _text(payload, "price_method") == "tax_included"
    # "channel" is the store of a store order; of a web order it is the shop.
    channel = _text(payload, "channel", optional=True) if channel_type == "store" else ""
    return OrderOpened(
        order_id=_text(payload, "id"),
        external_id=_text(payload, "external_id", optional=True),
        placed_at=_time(payload, "placed_at", "created_at"),
        channel_type=channel_type,
        store_id=channel or _text(payload, "demand_location_id", optional=True),
        associate_id=_text(payload, "associate_id", optional=True),
        profile_id=_text(payload, "customer_id", optional=True),
        customer_email=_text(payload, "customer_email", optional=True, limit=254),
        currency=_currency(payload),
        is_exchange=payload.get("is_exchange") is True,
        is_historical=payload.get("is_historical") is True,
        codes=_codes(payload, items),
        lines=_each(items, lambda item: _order_line(item, is_tax_included), only=_is_product),
    )


def read_completed(body: bytes) -> OrderCompleted:
    """Read an `order.completed` delivery. Raises PayloadError."""
    return OrderCompleted(order_id=_text(_payload(body), "id"))


def read_cancelled(body: bytes) -> OrderCancelled:
    """Read an `order.cancelled` or `order.items_cancelled` delivery. Raises PayloadError."""
    payload = _payload(body)
    return OrderCancelled(
        order_id=_text(payload, "id"),
        item_ids=_each(_items(payload), lambda item: _text(item, "id")),
    )


def read_return(body: bytes) -> ReturnProcessed:
    """Read a `return.processed` delivery. Raises PayloadError."""
    payload = _payload(body)
    lines = _each(_items(payload), _return_line)
    total = _amount(payload, "total_refund_excl_tax", optional=bool(lines))
    return ReturnProcessed(
        return_id=_text(payload, "id"),
        order_id=_text(payload, "order_id", optional=True),
        returned_at=_time(payload, "returned_at"),
        store_id=_text(payload, "return_location_id", optional=True),
        currency=_currency(payload),
        net=max(sum((line.net for line in lines), Decimal(0)) if lines else total, Decimal(0)),
        lines=lines,
    )


def _order_line(item: dict[str, Any], is_tax_included: bool) -> Line:
    # Discounts and tax are taken for the whole line; for a quantity above one the contract does not say,
    # and NewStore lists each unit as a line of its own.
    quantity = _amount(item, "quantity", default=Decimal(1))
    net = _amount(item, "pricebook_price") * quantity
    net -= _amount(item, "item_discounts", optional=True) + _amount(item, "order_discounts", optional=True)
    if is_tax_included:
        net -= _amount(item, "tax")
    return Line(
        item_id=_text(item, "id"),
        product_id=_text(item, "product_id"),
        quantity=_whole(quantity),
        net=_bounded("items", net),
    )


def _return_line(item: dict[str, Any]) -> Line:
    # Orders earn on amounts without tax, so returns take back by them, whatever the price method was.
    # "*_adjusted" is what the associate paid out in the end: it says nothing about the goods' price.
    if item.get("refund_excl_tax") is not None:
        net = _amount(item, "refund_excl_tax")
    else:
        net = _amount(item, "refund_amount") - _amount(item, "refund_tax", optional=True)
    return Line(
        item_id=_text(item, "id", optional=True),
        product_id=_text(item, "product_id", optional=True),
        quantity=_whole(_amount(item, "quantity", default=Decimal(1))),
        net=net,
    )


def _is_product(item: dict[str, Any]) -> bool:
    return item.get("item_type") in (None, "product")


def _codes(payload: dict[str, Any], items: list[Any]) -> tuple[str, ...]:
    holders = [payload, *(item for item in items if isinstance(item, dict))]
    lists = [holder.get("discounts") for holder in holders]
    discounts = [discount for found in lists if isinstance(found, list) for discount in found]
    codes = [discount.get("coupon_code") for discount in discounts if isinstance(discount, dict)]
    return tuple(dict.fromkeys(code for code in codes if is_text(code)))


def _payload(body: bytes) -> dict[str, Any]:
    try:
        data = parse(body)
    except NotJson as error:
        raise PayloadError("body", f"not JSON ({error})") from error
    payload = data.get("payload") if isinstance(data, dict) else None
    if not isinstance(payload, dict):
        raise PayloadError("payload", "not an object")
    return payload


def _items(payload: dict[str, Any], required: bool = False) -> list[Any]:
    items = payload.get("items")
    if items is None and not required:
        return []
    if not isinstance(items, list):
        raise PayloadError("items", "not a list")
    return items


def _each(
    items: list[Any],
    read: Callable[[dict[str, Any]], Item],
    only: Callable[[dict[str, Any]], bool] = lambda item: True,
) -> tuple[Item, ...]:
    if not all(isinstance(item, dict) for item in items):
        raise PayloadError("items", "not all are objects")
    return tuple(read(item) for item in items if only(item))


def _text(source: dict[str, Any], key: str, *, optional: bool = False, limit: int = 100) -> str:
    value = source.get(key)
    if value is None or value == "":
        if optional:
            return ""
        raise PayloadError(key, "missing")
    if not is_text(value, limit):
        raise PayloadError(key, "no usable text")
    return str(value)


def _currency(payload: dict[str, Any]) -> str:
    currency = _text(payload, "currency", limit=3)
    if len(currency) != 3 or not currency.isalpha():
        raise PayloadError("currency", "no ISO code")
    return currency.upper()


def _amount(
    source: dict[str, Any], key: str, *, optional: bool = False, default: Decimal | None = None
) -> Decimal:
    """Return a number in major units; zero for a missing one that is `optional`."""
    value = source.get(key)
    if value is None:
        if optional or default is not None:
            return default or Decimal(0)
        raise PayloadError(key, "missing")
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise PayloadError(key, "not a number")
    return _bounded(key, Decimal(value))


def _bounded(key: str, value: Decimal) -> Decimal:
    if not -LARGEST_AMOUNT < value < LARGEST_AMOUNT:
        raise PayloadError(key, "too large")
    return value.quantize(CENT_OF_CENT)


def _whole(quantity: Decimal) -> int:
    # Goods sold by weight have fractions; vendors count pieces.
    return max(1, int(quantity.to_integral_value(ROUND_CEILING)))


def _time(source: dict[str, Any], *keys: str) -> datetime:
    for key in keys:
        moment = read_time(source.get(key))
        if moment:
            return moment
    raise PayloadError(keys[0], "no time")
