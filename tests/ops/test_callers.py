"""The caller's address: nobody can choose it by a header of their own."""

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from loyaltyview.ops.callers import caller_of


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
