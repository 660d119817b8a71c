"""Settings that are refused when a program is saved, and assumed names that a program corrects."""

from typing import Any

import pytest

from providers.errors import AuthFailed, Rejected, SettingsError
from providers.pongo.provider import PongoProvider
from tests.providers.pongo.conftest import MIA, Connect, Served
from tests.providers.pongo.intents import an_intent, an_order


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"names": {"path.nothing": "/x"}}, "names"),
        ({"names": {"path.buy": 1}}, "names"),
        ({"names": {"path.buy": ""}}, "names"),
        ({"sku_pattern": "("}, "sku_pattern"),
        ({"requests_per_minute": 0}, "requests_per_minute"),
        ({"catalogue_cache_s": -1}, "catalogue_cache_s"),
        ({"settle_s": 0}, "settle_s"),
        ({"api_key": "x"}, "api_key"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, Any], key: str) -> None:
    with pytest.raises(SettingsError) as caught:
        PongoProvider.validate_settings(settings)

    assert caught.value.key == key


def test_all_settings_are_optional() -> None:
    assert PongoProvider.validate_settings({})["base_url"] == "https://api.heypongo.com"


def test_secrets_are_secret() -> None:
    secret = {spec.name for spec in PongoProvider.setting_specs if spec.is_secret}

    assert secret == {"client_secret", "access_token", "signing_secret"}


def test_without_a_token_nothing_is_sent(connect: Connect, vendor: Served) -> None:
    with pytest.raises(AuthFailed, match="not connected"):
        connect(access_token="").get_member(MIA)

    assert vendor.asked == []


def test_assumed_names_can_be_corrected(connect: Connect, vendor: Served) -> None:
    provider = connect(names={"value.payment_method": "card", "value.channel": "kiosk"})

    provider.record_order(an_order())

    (body,) = vendor.bodies("POST", "/v1/orders")
    assert (body["channel"], body["payments"][0]["method"]) == ("kiosk", "card")


def test_a_wrong_path_for_buying_is_a_refusal(connect: Connect, vendor: Served) -> None:
    provider = connect(names={"path.buy": "/v1/rewards/{reward}/buy"})

    with pytest.raises(Rejected):
        provider.spend(an_intent())
    assert vendor.book.customers[MIA].points == 820
