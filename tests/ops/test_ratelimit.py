"""Limits of calls in a time, counted for a caller who cannot choose their address by a header."""

import threading
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import time_machine
from django.test import RequestFactory
from pytest_django import Settings

from loyaltyview.ops.ratelimit import RetryAfter, allow, caller_of

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_calls_pass_up_to_the_limit_and_the_rest_wait_for_the_next_window() -> None:
    key = uuid4().hex
    with time_machine.travel(NOON, tick=False) as clock:
        assert [allow("lookup", key, 3, 60) for _ in range(3)] == [None] * 3
        clock.shift(20)
        assert allow("lookup", key, 3, 60) == RetryAfter(seconds=40)
        clock.shift(39.9)
        assert allow("lookup", key, 3, 60) == RetryAfter(seconds=1)
        clock.shift(0.1)
        assert allow("lookup", key, 3, 60) is None


def test_scopes_and_keys_are_counted_apart() -> None:
    key, other = uuid4().hex, uuid4().hex
    with time_machine.travel(NOON, tick=False):
        assert allow("lookup", key, 1, 60) is None
        assert allow("lookup", key, 1, 60) is not None
        assert allow("enrol", key, 1, 60) is None
        assert allow("lookup", other, 1, 60) is None


def test_any_text_can_be_a_key() -> None:
    key = f"Zoë Müller\n{uuid4().hex} " + "x" * 1000
    with time_machine.travel(NOON, tick=False):
        assert allow("lookup", key, 1, 60) is None
        assert allow("lookup", key, 1, 60) is not None


def test_many_at_once_never_pass_more_than_the_limit() -> None:
    key = uuid4().hex
    answers: list[RetryAfter | None] = []
    with time_machine.travel(NOON, tick=False):
        threads = [
            threading.Thread(target=lambda: answers.append(allow("lookup", key, 5, 60))) for _ in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers.count(None) == 5


@pytest.mark.parametrize(
    ("proxies", "forwarded", "connected", "caller"),
    [
        (0, "", "198.51.100.7", "198.51.100.7"),
        (0, "203.0.113.9", "198.51.100.7", "198.51.100.7"),
        (1, "203.0.113.9", "10.0.0.2", "203.0.113.9"),
        (1, "192.0.2.1, 203.0.113.9", "10.0.0.2", "203.0.113.9"),
        (2, "192.0.2.1, 203.0.113.9, 10.0.0.1", "10.0.0.2", "203.0.113.9"),
        (2, "203.0.113.9", "10.0.0.2", "10.0.0.2"),
        (1, "", "10.0.0.2", "10.0.0.2"),
        (1, "unknown", "10.0.0.2", "10.0.0.2"),
        (1, "203.0.113.9:4711", "10.0.0.2", "203.0.113.9"),
        (1, "[2001:db8:1:2:3::4]:4711", "10.0.0.2", "2001:db8:1:2::/64"),
        (0, "", "2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        (0, "", "::ffff:198.51.100.7", "198.51.100.7"),
        (0, "", "", "unknown"),
    ],
)
def test_only_what_our_own_proxies_added_counts(
    settings: Settings, proxies: int, forwarded: str, connected: str, caller: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR=connected)
    if forwarded:
        request.META["HTTP_X_FORWARDED_FOR"] = forwarded

    assert caller_of(request) == caller
