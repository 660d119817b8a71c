"""A delivery's JSON: read without trusting it, kept as far as we may keep it, masked for the screen."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.utils.dateparse import parse_datetime

# Blocks that nothing here needs and that must not lie in our database (design section 12).
NEVER_STORED = frozenset(
    {
        "billing_address", "shipping_address", "address", "addresses", "payment", "payments",
        "payment_history", "payment_method", "payment_methods", "instruments", "transactions",
    }
)  # fmt: skip
# Keys whose values tell who somebody is. Extended attributes are free text of the retailer's.
PERSONAL = re.compile(
    r"email|phone|(first|last|full|middle)_name|customer_name|note$|extended_attributes", re.I
)
MASK = "•••"


class NotJson(Exception):
    """The bytes are no JSON that we read: broken, not UTF-8, NaN, absurdly large numbers or nesting."""


def parse(body: bytes) -> Any:
    """Return the JSON value in `body`, fractions as Decimal. Raises NotJson, and nothing else."""
    try:
        return json.loads(body.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise NotJson(type(error).__name__) from error


def dump(value: Any) -> bytes:
    """Return `value` as compact ASCII JSON with sorted keys. Raises NotJson when it is nested too deep."""
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_number).encode()
    except (ValueError, RecursionError) as error:
        raise NotJson(type(error).__name__) from error


def storable(body: bytes, value: Any) -> bytes:
    """Return what may be stored of a delivery: `body` itself, or, when `value` (its JSON) has address or
    payment blocks, the same JSON without them. Raises NotJson when it is nested too deep."""
    try:
        kept = _without_blocks(value)
        return body if kept == value else dump(kept)
    except RecursionError as error:
        raise NotJson(type(error).__name__) from error


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


def _without_blocks(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_blocks(item) for key, item in value.items() if key.lower() not in NEVER_STORED}
    if isinstance(value, list):
        return [_without_blocks(item) for item in value]
    return value


def _mask(value: Any) -> Any:
    return MASK if value else value
