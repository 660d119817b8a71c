"""Reading the values of Yotpo's JSON, which are not always of the type that a page promises."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from providers.currencies import hundredths
from providers.errors import UnexpectedAnswer
from providers.types import Money

Json = Mapping[str, Any]


def as_object(value: Any, what: str) -> dict[str, Any]:
    """Return `value` if it is an object; raise UnexpectedAnswer."""
    if not isinstance(value, dict):
        raise UnexpectedAnswer(f"{what}: not an object")
    return value


def as_objects(value: Any, what: str) -> list[dict[str, Any]]:
    """Return a list of objects; raise UnexpectedAnswer for anything else."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise UnexpectedAnswer(f"{what}: not a list of objects")
    return value


def text(data: Json, *names: str) -> str:
    """Return the first of `names` that is there, as text; "" without one. Ids come as numbers, too."""
    for name in names:
        value = data.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return ""


def whole(data: Json, name: str) -> int | None:
    """Return a whole number, None where there is none. Some come as text."""
    value = data.get(name)
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    if isinstance(value, str) and value.strip().lstrip("-").isdecimal():
        return int(value)
    return None


def moment(value: Any) -> datetime | None:
    """Return a date or date-time as aware UTC (a date is its midnight), None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def timestamp(at: datetime) -> str:
    """Return the form Yotpo writes itself: milliseconds and Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def cents(value: Money) -> int:
    """Return money in cents, rounded half up. A cent is a hundredth of any currency: Yotpo's points are
    floor(cents / 100 * points per unit). Raise Rejected for a currency with three decimals."""
    return hundredths(value.amount, value.currency)


def money(amount_cents: int, currency: str) -> Money:
    return Money(amount=Decimal(amount_cents) / 100, currency=currency)
