"""A delivery's JSON: read without trusting it, kept as far as we may keep it, masked for the screen."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.utils.dateparse import parse_datetime

# Blocks that nothing here needs and that must not lie in our database (docs/architecture.md 12).
NEVER_STORED = frozenset(
    {
        "billing_address", "shipping_address", "address", "addresses", "payment", "payments",
        "payment_history", "payment_method", "payment_methods", "instruments", "transactions",
    }
)  # fmt: skip
# Keys whose values tell who somebody is. Extended attributes are free text of the retailer's.
PERSONAL = re.compile(
    r"e-?mail|phone|mobile|(first|last|full|middle|customer)_?name|birth|note$|extended_attributes", re.I
)
MASK = "•••"


class NotJson(Exception):
    """The bytes are no JSON that we read: broken, NaN, absurdly large numbers or nesting."""


def parse(body: bytes, object_hook: Callable[[dict[str, Any]], Any] | None = None) -> Any:
    """Return the JSON value in `body`, fractions as Decimal. Raises NotJson, and nothing else."""
    try:
        return json.loads(
            # One byte that is no text, or a raw line end in a name, is no reason to lose an order.
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


def read_storable(body: bytes) -> tuple[Any, bytes]:
    """Return the JSON value in `body` without address and payment blocks, and the bytes that may be stored:
    `body` itself when it has no such block, else the value's. Raises NotJson."""
    blocks = _Blocks()
    value = parse(body, blocks.drop)
    return value, dump(value) if blocks.were_there else body


def masked(value: Any) -> Any:
    """Return `value` with everything that tells who somebody is replaced by dots."""
    if isinstance(value, dict):
        return {key: _mask(item) if PERSONAL.search(key) else masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item) for item in value]
    return value


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
    # Fractions go back to JSON numbers; the few that a float cannot hold exactly stay readable as text.
    as_float = float(value)
    return as_float if Decimal(repr(as_float)) == value else str(value)


class _Blocks:
    """Takes the blocks out while the JSON is read: a walk through the result took three times as long."""

    def __init__(self) -> None:
        self.were_there = False

    def drop(self, value: dict[str, Any]) -> dict[str, Any]:
        if NEVER_STORED.isdisjoint(map(str.lower, value)):
            return value
        self.were_there = True
        return {key: item for key, item in value.items() if key.lower() not in NEVER_STORED}


def _mask(value: Any) -> Any:
    return MASK if value else value
