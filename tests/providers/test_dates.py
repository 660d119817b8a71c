"""A date without a time is valid from its first moment to its last, in the program's zone."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from providers import answers
from providers.antavo.coupons import refusal_of
from providers.antavo.fields import moment
from providers.base import ProviderConfig
from providers.dates import end_of, first_moment, last_moment, shown_end_of, start_of
from providers.pongo.rewards import KnownSkus, won_of
from providers.pongo.settings import NAMES as PONGO

DAY = date(2026, 11, 30)
SHORTEST = timedelta(microseconds=1)


def config(time_zone: str = "", country: str = "US") -> ProviderConfig:
    return ProviderConfig(program="acme", currency="USD", country=country, time_zone=time_zone)


@pytest.mark.parametrize(
    ("time_zone", "country", "begins", "ends"),
    [
        ("Europe/Paris", "US", "2026-11-29T23:00", "2026-11-30T23:00"),
        ("America/New_York", "US", "2026-11-30T05:00", "2026-12-01T05:00"),
        # The program names no zone: the only one of its country, or where the day comes last in it.
        ("", "FR", "2026-11-29T23:00", "2026-11-30T23:00"),
        ("", "KW", "2026-11-29T21:00", "2026-11-30T21:00"),
        ("", "US", "2026-11-30T10:00", "2026-12-01T10:00"),
        ("", "XX", "2026-11-30T12:00", "2026-12-01T12:00"),
    ],
)
def test_a_day_counts_in_the_programs_zone(time_zone: str, country: str, begins: str, ends: str) -> None:
    settings = config(time_zone, country)
    start = start_of("2026-11-30", settings, moment)
    end = end_of("2026-11-30", settings, moment)
    assert start == datetime.fromisoformat(begins).replace(tzinfo=UTC)
    assert end == datetime.fromisoformat(ends).replace(tzinfo=UTC) - SHORTEST


def test_a_value_with_a_time_is_unchanged() -> None:
    for text in ("2026-11-30T10:00:00+02:00", "2026-11-30T08:00:00Z", "2026-11-30 08:00:00"):
        for read in (start_of, end_of, shown_end_of):
            assert read(text, config("Asia/Tokyo"), moment) == datetime(2026, 11, 30, 8, tzinfo=UTC)


@given(st.dates(), st.sampled_from(["", "Pacific/Apia", "America/Santiago", "Asia/Beirut"]))
def test_every_day_of_the_calendar_begins_before_it_ends(day: date, time_zone: str) -> None:
    assert first_moment(day, time_zone, "US") <= last_moment(day, time_zone, "US")


@pytest.mark.parametrize("value", [None, "", "soon", 7, "2026-02-30"])
def test_other_texts_than_dates_are_none(value: Any) -> None:
    assert end_of(value, config(), answers.moment) is None


def test_points_that_expire_on_a_day_are_shown_with_that_day() -> None:
    for time_zone, last in (("", "2026-11-30T23:59"), ("America/New_York", "2026-12-01T04:59")):
        at = shown_end_of("2026-11-30", config(time_zone), answers.moment)
        assert at
        assert at.isoformat().startswith(last)


def test_a_reward_of_pongo_is_valid_to_the_end_of_its_day() -> None:
    client: Any = SimpleNamespace(config=config("Europe/Paris"), names=PONGO)
    known = KnownSkus(listed=frozenset(), pattern=None)
    won = won_of(client, {"hash": "h", "id": "r", "expires_at": "2026-11-30"}, known, "EUR")
    assert won.expires_at == datetime(2026, 11, 30, 23, tzinfo=UTC) - SHORTEST


@time_machine.travel(datetime(2026, 11, 30, 9, tzinfo=UTC))
@pytest.mark.parametrize("expires_at", ["2026-11-30", "2026-11-29", "2026-11-30T08:00:00+00:00"])
def test_antavos_status_decides_whether_a_coupon_is_usable(expires_at: str) -> None:
    assert refusal_of({"status": "claimed", "expires_at": expires_at}) is None
