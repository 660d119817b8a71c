"""Money, points, dates and times in the active language, through Babel."""

import re
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_skeleton, format_time
from babel.numbers import format_currency, format_decimal
from django.utils import timezone, translation
from django.utils.translation import ngettext

from providers.types import Birthday, Money

LETTER_MEETS_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")


@lru_cache(maxsize=64)
def _locale_of(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def locale() -> Locale:
    """Return Babel's locale for the active language."""
    return _locale_of(translation.get_language() or "en")


def money(value: Money) -> str:
    """Return "$12.50", "KWD 6.244"."""
    return _money(value, locale())


def money_short(value: Money) -> str:
    """Return "$10" for a whole amount, "$12.50" otherwise: for sentences and buttons."""
    return _money_short(value, locale())


# Babel takes as long for one amount as the rest of a card, and the same amounts come again and again.
@lru_cache(maxsize=10_000)
def _money(value: Money, to: Locale) -> str:
    return _spaced(format_currency(value.amount, value.currency, locale=to))


@lru_cache(maxsize=10_000)
def _money_short(value: Money, to: Locale) -> str:
    if value.amount != value.amount.to_integral_value():
        return _money(value, to)
    pattern = to.currency_formats["standard"].pattern.replace(".00", "")
    return _spaced(
        format_currency(value.amount, value.currency, format=pattern, locale=to, currency_digits=False)
    )


def _spaced(text: str) -> str:
    """Return `text` with a space between letters and digits, as browsers write it and Babel does not. No line
    breaks there."""
    return LETTER_MEETS_DIGIT.sub("\N{NO-BREAK SPACE}", text)


def number(value: int | Decimal) -> str:
    """Return "1,234"."""
    return _number(value, locale())


@lru_cache(maxsize=10_000)
def _number(value: int | Decimal, to: Locale) -> str:
    return str(format_decimal(value, locale=to))


def points(value: int) -> str:
    """Return "1 point", "1,234 points"."""
    return ngettext("%(number)s point", "%(number)s points", abs(value)) % {"number": number(value)}


def day(at: datetime, zone: tzinfo = UTC) -> str:
    """Return "Nov 30", or "30 nov." and so on: the day in `zone`; with its year when it is another one."""
    local = at.astimezone(zone)
    is_this_year = local.year == timezone.now().astimezone(zone).year
    return str(format_skeleton("MMMd" if is_this_year else "yMMMd", local, locale=locale()))


def birthday(value: Birthday) -> str:
    """Return "December 24", never the year: the screen is seen by others."""
    return _day_of_year(value.month, value.day, locale())


# Babel needs long for a date, and there are only so many.
@lru_cache(maxsize=4_000)
def _day_of_year(month: int, day: int, to: Locale) -> str:
    leap_year = datetime(2000, month, day, tzinfo=UTC)
    return str(format_skeleton("MMMMd", leap_year, locale=to))


def month(at: datetime, zone: tzinfo = UTC) -> str:
    """Return "March 2024"."""
    local = at.astimezone(zone)
    return _month(local.year, local.month, locale())


@lru_cache(maxsize=4_000)
def _month(year: int, month: int, to: Locale) -> str:
    return str(format_skeleton("yMMMM", datetime(year, month, 1, tzinfo=UTC), locale=to))


def clock(at: datetime) -> str:
    """Return "14:32 UTC". A small script turns it into the device's own time."""
    return f"{format_time(at, 'short', locale=locale())} UTC"
