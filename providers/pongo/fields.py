"""Reading Pongo's JSON: what may be missing, what must be there, cents as money, times as aware UTC."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from providers.base import ProviderConfig
from providers.currencies import hundredths
from providers.dates import end_of
from providers.errors import UnexpectedAnswer
from providers.types import Money

CENTS = 100


def text_of(data: Mapping[str, Any], name: str) -> str:
    """Return the text of that name, "" for a missing one, null or something else."""
    value = data.get(name)
    return value if isinstance(value, str) else ""


def id_of(data: Mapping[str, Any], name: str = "id") -> str:
    """Return the text of that name; raise UnexpectedAnswer without one."""
    value = text_of(data, name)
    if not value:
        raise UnexpectedAnswer(f"no {name}")
    return value


def whole_of(data: Mapping[str, Any], names: str) -> int | None:
    """Return the first whole number among the comma-separated names, None without one."""
    for name in names.split(","):
        value = data.get(name)
        if isinstance(value, Decimal) and value == value.to_integral_value():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None


def number_of(data: Mapping[str, Any], name: str) -> Decimal | None:
    """Return the number of that name, None for a missing one or something else."""
    value = data.get(name)
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    return None


def time_of(data: Mapping[str, Any], name: str) -> datetime | None:
    """Return the time of that name; one without offset is taken for UTC."""
    return _time(text_of(data, name))


def end_time_of(data: Mapping[str, Any], name: str, config: ProviderConfig) -> datetime | None:
    """As `time_of`, but a date without a time is its last moment."""
    return end_of(text_of(data, name), config, _time)


def _time(value: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def money_from(cents: Decimal | int, currency: str) -> Money:
    """Return cents as money."""
    return Money(amount=Decimal(cents) / CENTS, currency=currency)


def cents_from(amount: Decimal, currency: str) -> int:
    """Return an amount in major units as whole cents, half up. Raise Rejected for a currency with three
    decimals."""
    return hundredths(amount, currency)
