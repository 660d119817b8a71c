"""What is refused when a program is saved."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from providers.errors import SettingsError
from providers.whitelabel.provider import WhiteLabelProvider
from providers.whitelabel.settings import NAMES, Settings

NEEDED = {
    "api_key": "key",
    "client_id": "id",
    "client_secret": "secret",
    "consent_email_type": "type-1",
    "consent_sms_type": "type-2",
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sale_type", "TRANSACTION_2"),
        ("spend_type", ""),
        ("refund_type", "points_refund"),
        ("return_type", "A__B"),
        ("amount_unit", "cents"),
        ("refund_sign", 0),
        ("point_value", Decimal(-1)),
        ("points_step", -5),
        ("rate_per_s", 0),
        ("burst", 0),
        ("names", {"wallet": "x"}),
        ("names", {"wallet_points": 5}),
        ("names", {"points_request": ""}),
        ("code_discounts", {"Museum ticket": {"type": "ABSOLUTE"}}),
        ("api_key", ""),
        ("color", "red"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: Any) -> None:
    with pytest.raises(SettingsError) as caught:
        WhiteLabelProvider.validate_settings({**NEEDED, name: value})
    assert caught.value.key == name


def test_every_credential_is_a_secret_and_every_other_setting_says_what_it_is() -> None:
    secrets = {spec.name for spec in WhiteLabelProvider.setting_specs if spec.is_secret}
    assert secrets == {"api_key", "client_id", "client_secret", "user_token_key", "webhook_token"}
    defaults = WhiteLabelProvider.validate_settings(NEEDED)
    assert defaults["return_type"] == ""
    assert defaults["sale_type"] == "TRANSACTION"


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://api.rewards.wlloyalty.net/v1", "https://auth.wlloyalty.net"),
        ("https://api.staging.rewards.us.wlloyalty.net/v1", "https://auth.us.wlloyalty.net"),
    ],
)
def test_the_region_tells_where_tokens_come_from(base_url: str, expected: str) -> None:
    settings = Settings.read({**NEEDED, "base_url": base_url})
    assert settings.token_url == expected
    assert replace(settings, auth_url="https://auth.test").token_url == "https://auth.test"


def test_every_assumed_name_can_be_changed() -> None:
    changed = dict.fromkeys(NAMES, "other")
    assert WhiteLabelProvider.validate_settings({**NEEDED, "names": changed})["names"] == changed
