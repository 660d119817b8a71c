"""A date without a time: when it begins and ends (docs/decisions/0004-dates-without-a-time.md).

A day counts in the program's time zone. Where the program names none, it counts where it begins and ends
last: among the zones of the program's country, else anywhere on Earth.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel.core import get_global

from providers.base import ProviderConfig

LAST_ON_EARTH = "Etc/GMT+12"
ONE_DAY = timedelta(days=1)
SHORTEST = timedelta(microseconds=1)

Read = Callable[[Any], datetime | None]


def start_of(value: Any, config: ProviderConfig, read: Read) -> datetime | None:
    """Return the time `value` from which something is valid: the first moment of a date, else the result of
    the vendor's own `read`."""
    day = bare_date(value)
    return read(value) if day is None else first_moment(day, config.time_zone, config.country)


def end_of(value: Any, config: ProviderConfig, read: Read) -> datetime | None:
    """Return the time `value` until which something is valid: the last moment of a date, else the result of
    the vendor's own `read`."""
    day = bare_date(value)
    return read(value) if day is None else last_moment(day, config.time_zone, config.country)


def shown_end_of(value: Any, config: ProviderConfig, read: Read) -> datetime | None:
    """As `end_of`, for dates that a page only shows, such as the day on which points expire.
    Where the program names no zone, pages show days in UTC, and so the day ends there."""
    day = bare_date(value)
    return read(value) if day is None else last_moment(day, config.time_zone or "UTC")


def timestamp(at: datetime) -> str:
    """Return a time as 2026-11-30T08:00:00.000Z. Some vendors demand the milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def bare_date(value: Any) -> date | None:
    """Return the date that a text without a time names, None for anything else."""
    try:
        return date.fromisoformat(value.strip()) if isinstance(value, str) else None
    except ValueError:
        return None


def first_moment(day: date, time_zone: str, country: str = "") -> datetime:
    """Return when `day` begins, as aware UTC: where it begins last, if several zones are possible."""
    return _begins(day, zone_of(day, time_zone, country))


def last_moment(day: date, time_zone: str, country: str = "") -> datetime:
    """Return when `day` ends, to the microsecond, as aware UTC: where it ends last, if several zones are
    possible."""
    if day == date.max:
        return datetime.max.replace(tzinfo=UTC)
    return _begins(day + ONE_DAY, zone_of(day, time_zone, country)) - SHORTEST


def zone_of(day: date, time_zone: str, country: str = "") -> ZoneInfo:
    """Return the zone in which `day` counts."""
    zones = _zones(time_zone, country)
    return zones[0] if len(zones) == 1 else max(zones, key=lambda zone: _begins(day, zone))


def _begins(day: date, zone: ZoneInfo) -> datetime:
    try:
        return datetime.combine(day, time(), zone).astimezone(UTC)
    except OverflowError:  # at the ends of the calendar, which vendors use for "never"
        return datetime.combine(day, time(), UTC)


@lru_cache(maxsize=256)
def _zones(time_zone: str, country: str) -> tuple[ZoneInfo, ...]:
    names = [time_zone] if time_zone else get_global("territory_zones").get(country) or [LAST_ON_EARTH]
    return tuple(ZoneInfo(name) for name in names)
