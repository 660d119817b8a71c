"""Reading one field of a payload: present, of the right type, within bounds, or PayloadError names it."""

from collections.abc import Callable
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import Any, TypeVar

from loyaltyview.events.payloads import NotJson, parse, read_time
from providers.texts import plain_of

SMALLEST_STEP = Decimal("0.0001")
# Larger than any sale, small enough for the columns.
LARGEST_AMOUNT = Decimal(10) ** 9

Item = TypeVar("Item")


class PayloadError(Exception):
    """The payload lacks `field`, or holds something else there. Trying again does not help."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


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
    """Return what we cannot do without."""
    value = source.get(key)
    if value is None or value == "":
        raise PayloadError(key, "missing")
    found = plain_of(value, limit)
    if not found:
        raise PayloadError(key, "no usable text")
    return found


def optional_text(source: dict[str, Any], key: str, *, limit: int = 100) -> str:
    """Return what an order or return is handled without, too: "" for one that cannot be used."""
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
