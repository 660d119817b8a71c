"""Amounts as whole numbers, and currencies whose amounts a vendor cannot represent."""

from decimal import Decimal

import pytest

from providers.currencies import decimals_of, from_minor_units, hundredths, minor_units
from providers.errors import Rejected, SettingsError
from providers.house.models import Reward
from providers.registry import provider_class

DINARS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")


@pytest.mark.parametrize(
    ("currency", "amount", "units"),
    [("USD", "12.345", 1235), ("JPY", "1999", 1999), ("KWD", "0.125", 125), ("JOD", "41.625", 41625)],
)
def test_the_smallest_unit_follows_iso_4217(currency: str, amount: str, units: int) -> None:
    assert minor_units(Decimal(amount), currency) == units
    back = from_minor_units(Decimal(units), currency)
    assert back == round(Decimal(amount) + Decimal("0.0001"), decimals_of(currency))


@pytest.mark.parametrize("currency", DINARS)
def test_hundredths_never_drop_a_third_decimal(currency: str) -> None:
    with pytest.raises(Rejected):
        hundredths(Decimal("0.125"), currency)


def test_hundredths_are_hundredths_of_a_yen_too() -> None:
    assert hundredths(Decimal(1999), "JPY") == 199_900


@pytest.mark.parametrize("kind", ["house", "yotpo", "antavo", "pongo", "whitelabel"])
def test_only_vendors_that_count_in_cents_refuse_three_decimals(kind: str) -> None:
    for currency in ("USD", "JPY"):
        provider_class(kind).check_currency(currency)
    if kind in ("yotpo", "pongo"):
        with pytest.raises(SettingsError, match="currency: KWD has 3 decimals"):
            provider_class(kind).check_currency("KWD")
    else:
        provider_class(kind).check_currency("KWD")


@pytest.mark.parametrize(
    ("currency", "amount", "worth"),
    [("KWD", "0.125", "0.125"), ("USD", "10.005", "10.00"), ("JPY", "150.5", "150")],
)
@pytest.mark.django_db
def test_a_discount_has_whole_units_of_its_currency(currency: str, amount: str, worth: str) -> None:
    Reward.objects.create(program="acme", reward_id="r", title="r", kind="fixed", amount=amount, cost=1)
    discount = Reward.objects.get().discount(currency)
    assert discount.amount
    assert discount.amount.amount == Decimal(worth)
