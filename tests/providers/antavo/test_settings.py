"""Settings: wrong values that are refused when a program is saved, and derived defaults."""

from typing import Any

import pytest

from providers.antavo.provider import AntavoProvider
from providers.antavo.settings import NAMES, Settings
from providers.errors import SettingsError

GOOD = {"base_url": "https://api.st9.antavo.com", "api_key": "key-1", "api_secret": "s3cr3t/+"}


def test_the_environment_follows_from_the_address() -> None:
    settings = Settings.read(AntavoProvider.validate_settings(GOOD))
    assert settings.stack == "st9"
    assert settings.names == NAMES


def test_the_environment_can_be_named() -> None:
    given = AntavoProvider.validate_settings(
        {**GOOD, "base_url": "https://api.antavo.com", "environment": "eu6"}
    )
    assert Settings.read(given).stack == "eu6"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("base_url", "http://api.st9.antavo.com"),
        ("base_url", ""),
        ("api_key", "with/slash"),
        ("api_secret", ""),
        ("orders", "sometimes"),
        ("webhook_auth", "hmac"),
        ("calls_per_minute", 0),
        ("names", {"unknown_name": "x"}),
        ("names", {"store": 5}),
        ("webhook_fields", {"unknown_name": "x"}),
        ("webhook_events", {"voucher_claimed": 1}),
        ("discounts", {"five-off": {"value": 5}}),
        ("discounts", {"five-off": {"type": "amount", "values": 5}}),
        ("discounts", {"five-off": {"type": "amount", "value": "much"}}),
        ("discounts", {"five-off": {"type": "physical", "skus": "TOTE-01"}}),
        ("unknown_name", "x"),
    ],
)
def test_a_wrong_setting_is_named(key: str, value: Any) -> None:
    with pytest.raises(SettingsError) as caught:
        AntavoProvider.validate_settings({**GOOD, key: value})
    assert caught.value.key == key


def test_an_address_that_does_not_tell_the_environment_needs_it() -> None:
    with pytest.raises(SettingsError) as caught:
        AntavoProvider.validate_settings({**GOOD, "base_url": "https://api.antavo.com"})
    assert caught.value.key == "environment"


def test_a_checked_webhook_needs_its_key() -> None:
    with pytest.raises(SettingsError) as caught:
        AntavoProvider.validate_settings({**GOOD, "webhook_auth": "jwt"})
    assert caught.value.key == "webhook_key"
