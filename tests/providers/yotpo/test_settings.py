"""Settings that are wrong are refused when a program is saved, with the key that is wrong."""

from decimal import Decimal
from typing import Any

import pytest

from providers.errors import SettingsError
from providers.yotpo.provider import YotpoProvider
from providers.yotpo.settings import NAMES

GOOD = {"guid": "g", "api_key": "k"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("guid", ""),
        ("platform", "woo"),
        ("tier_rule", "some"),
        ("rate_per_s", -1),
        ("rate_per_s", 1000),
        ("names", {"unknown": "x"}),
        ("names", {"delay_field": ""}),
        ("names", {"total_form": "cents"}),
        ("reward_values", {"1": "ten"}),
        ("reward_values", {"1": {"colour": "red"}}),
        ("reward_values", {"1": {"kind": "gift"}}),
        ("reward_values", {"1": {"amount": "ten"}}),
        ("reward_values", {"1": {"amount": -1}}),
        ("reward_values", {"1": {"step": "x"}}),
        ("reward_values", {"1": {"skus": "TOTE-01"}}),
        ("stores", {"boston-1": "Boston"}),
        ("stores", {"boston-1": {"zip": "02108"}}),
        ("unknown", "x"),
    ],
)
def test_a_wrong_setting_is_named(key: str, value: Any) -> None:
    with pytest.raises(SettingsError) as caught:
        YotpoProvider.validate_settings({**GOOD, key: value})
    assert caught.value.key == key


def test_decimals_of_a_file_are_kept_as_text() -> None:
    values = {"1": {"amount": Decimal("7.50"), "skus": ["A"]}}

    kept = YotpoProvider.validate_settings({**GOOD, "reward_values": values})["reward_values"]

    assert kept == {"1": {"amount": "7.50", "skus": ["A"]}}


def test_every_assumed_name_can_be_overridden() -> None:
    for name in NAMES:
        YotpoProvider.validate_settings({**GOOD, "names": {name: "text"}})


def test_both_credentials_are_secrets() -> None:
    secrets = {spec.name for spec in YotpoProvider.setting_specs if spec.is_secret}

    assert secrets == {"guid", "api_key", "callback_secret"}


def test_a_file_with_the_former_name_of_the_table_is_told_the_new_one() -> None:
    with pytest.raises(SettingsError) as caught:
        YotpoProvider.validate_settings({**GOOD, "assumed": {"open_status": "pending"}})

    assert str(caught.value) == "assumed: is called names now: rename it"
