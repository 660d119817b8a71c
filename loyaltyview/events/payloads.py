"""The JSON of a delivery, read without trusting it, and one field of it: present, of the right type, within
bounds, or PayloadError names the field.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal
from math import isfinite
from typing import Any, TypeVar

from django.utils.dateparse import parse_datetime

from loyaltyview.events.errors import PayloadError
from providers.texts import plain_of

LONGEST_ID = 100  # of an order, return or coupon code
SMALLEST_STEP = Decimal("0.0001")
NEGLIGIBLE = Decimal("0.000001")
# Larger than any sale, small enough for the columns.
LARGEST_AMOUNT = Decimal(10) ** 9

Item = TypeVar("Item")


class NotJson(Exception):
    """The bytes are no JSON that we read: broken, NaN, absurdly large numbers or nesting."""


def parse(body: bytes, object_hook: Callable[[dict[str, Any]], Any] | None = None) -> Any:
    """Return the JSON value in `body`, fractions as Decimal. Raises NotJson, and nothing else."""
    try:
        return json.loads(
            # A byte that is no text, or a raw line end in a name, must not lose an order.
            body.decode("utf-8-sig", "replace"),
            strict=False,
            parse_float=Decimal,
            parse_constant=_refuse_constant,
            object_hook=object_hook,
        )
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise NotJson(type(error).__name__) from error


def dump(value: Any) -> bytes:
    """Return `value` as compact ASCII JSON with sorted keys. Raises NotJson when it is nested too deep."""
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_number).encode()
    except (ValueError, RecursionError) as error:
        raise NotJson(type(error).__name__) from error


def payload_of(body: bytes) -> dict[str, Any]:
    try:
        data = parse(body)
    except NotJson as error:
        raise PayloadError("body", f"not JSON ({error})") from error
    payload = data.get("payload") if isinstance(data, dict) else None
    if not isinstance(payload, dict):
        raise PayloadError("payload", "not an object")
    return payload


def items_of(payload: dict[str, Any], required: bool = False) -> list[Any]:
    items = payload.get("items")
    if items is None and not required:
        return []
    if not isinstance(items, list):
        raise PayloadError("items", "not a list")
    return items


def each(
    items: list[Any],
    read: Callable[[dict[str, Any]], Item],
    only: Callable[[dict[str, Any]], bool] = lambda item: True,
) -> tuple[Item, ...]:
    if not all(isinstance(item, dict) for item in items):
        raise PayloadError("items", "not all are objects")
    return tuple(read(item) for item in items if only(item))


def text(source: dict[str, Any], key: str, *, limit: int = 100) -> str:
    """Return a text that is required."""
    value = source.get(key)
    if value is None or value == "":
        raise PayloadError(key, "missing")
    found = plain_of(value, limit)
    if not found:
        raise PayloadError(key, "no usable text")
    return found


def optional_text(source: dict[str, Any], key: str, *, limit: int = 100) -> str:
    """Return a text that is optional: "" when it is missing or cannot be used."""
    return plain_of(source.get(key), limit)


def currency_of(payload: dict[str, Any]) -> str:
    currency = text(payload, "currency", limit=3)
    if len(currency) != 3 or not currency.isalpha():
        raise PayloadError("currency", "no ISO code")
    return currency.upper()


def amount(
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
    return bounded(key, Decimal(value))


def bounded(key: str, value: Decimal) -> Decimal:
    if not -LARGEST_AMOUNT < value < LARGEST_AMOUNT:
        raise PayloadError(key, "too large")
    return value.quantize(SMALLEST_STEP)


def whole(quantity: Decimal) -> int:
    # Goods sold by weight have fractions; vendors count pieces.
    return max(1, int(quantity.to_integral_value(ROUND_CEILING)))


def time_of(source: dict[str, Any], *keys: str) -> datetime:
    for key in keys:
        moment = read_time(source.get(key))
        if moment:
            return moment
    raise PayloadError(keys[0], "no time")


def is_text(value: object, limit: int = 100) -> bool:
    """Return whether `value` is a non-empty string that every database stores as it is: no control
    characters (PostgreSQL refuses NUL), no lone surrogates, at most `limit` characters."""
    return isinstance(value, str) and 0 < len(value) <= limit and value.isprintable()


def read_time(value: object) -> datetime | None:
    """Return the aware UTC time that an ISO-8601 string names, None when it names none.
    NewStore leaves the zone out in old payloads and means UTC."""
    try:
        moment = parse_datetime(value) if isinstance(value, str) else None
        if moment is None:
            return None
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def _number(value: Any) -> float | str:
    # Fractions go back to JSON numbers, also those of more digits than a float holds: no amount needs them.
    # What no float comes near stays readable as text.
    as_float = float(value)
    return as_float if isfinite(as_float) and abs(Decimal(as_float) - value) < NEGLIGIBLE else str(value)
