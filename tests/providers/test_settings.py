"""Declared settings: the values that each rule refuses, the error texts, and the typed values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyaltyview.programs.provider_settings import restored, storable
from providers.errors import SettingsError
from providers.names import Names
from providers.registry import PROVIDERS, provider_class
from providers.settings import VendorSettings, names_setting, setting, specs_of, validated

ASSUMED = {"points": "points,balance", "path": "/v1/x", "note": ""}


class Kind(StrEnum):
    FIXED = "fixed"
    PERCENT = "percent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    kind: Kind
    value: Decimal | None = setting(above=0)
    skus: tuple[str, ...] = ()
    step: int = setting(default=0, minimum=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(VendorSettings):
    token: str = setting(required=True, is_secret=True)
    unit: str = setting(default="points", choices=("points", "miles", "stars"))
    sign: int = setting(default=1, choices=(1, -1))
    sale: str = setting(default="SALE", pattern="[A-Z]+", pattern_help="must be capitals")
    comment: str = setting(pattern="[A-Z]+", pattern_help="must be capitals")
    rate: int = setting(default=5, minimum=1, maximum=100)
    worth: Decimal = setting(default=Decimal("0.01"), minimum=0)
    is_on: bool = setting(default=True)
    terms: Mapping[str, Terms] = setting()
    labels: Mapping[str, str] = setting()
    names: Names = names_setting(
        {"points": "points,balance", "path": "/v1/x", "note": ""}, needed=("points",)
    )


def accepted(**given: Any) -> dict[str, Any]:
    return validated(specs_of(Settings), {"token": "t", **given})


def typed(**given: Any) -> Settings:
    return Settings.read(accepted(**given))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"token": ""}, "token: missing"),
        ({"colour": "red"}, "colour: unknown setting"),
        ({"unit": "euros"}, "unit: must be points, miles or stars"),
        ({"unit": 5}, "unit: must be text"),
        ({"sign": 0}, "sign: must be 1 or -1"),
        ({"sale": "SALE_2"}, "sale: must be capitals"),
        ({"sale": ""}, "sale: must be capitals"),
        ({"rate": 101}, "rate: must be from 1 to 100"),
        ({"rate": True}, "rate: must be a whole number"),
        ({"worth": Decimal(-1)}, "worth: must be at least 0"),
        ({"worth": "much"}, "worth: must be a number"),
        ({"worth": Decimal("NaN")}, "worth: must be a number"),
        ({"is_on": "yes"}, "is_on: must be true or false"),
        ({"terms": "all"}, "terms: must be a table"),
        ({"terms": {"a": "ten"}}, "terms: a: must be a table"),
        ({"terms": {"a": {}}}, "terms: a.kind: missing"),
        ({"terms": {"a": {"kind": "gift"}}}, "terms: a.kind: must be fixed or percent"),
        ({"terms": {"a": {"kind": "fixed", "value": 0}}}, "terms: a.value: must be above 0"),
        ({"terms": {"a": {"kind": "fixed", "step": -1}}}, "terms: a.step: must be at least 0"),
        ({"terms": {"a": {"kind": "fixed", "skus": "A"}}}, "terms: a.skus: must be a list of texts"),
        ({"terms": {"a": {"kind": "fixed", "skus": [1]}}}, "terms: a.skus: must be text"),
        (
            {"terms": {"a": {"kind": "fixed", "color": 1}}},
            "terms: a: unknown key color: must be kind, value, skus or step",
        ),
        ({"labels": {"a": 1}}, "labels: a: must be text"),
        ({"names": {"point": "x"}}, "names: unknown key point: must be points, path or note"),
        ({"names": {"points": " "}}, "names: points: must not be empty"),
        ({"names": {"path": "v1"}}, "names: path: must begin with a slash"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place_and_what_is_allowed(
    wrong: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        accepted(**wrong)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("kind", sorted(PROVIDERS))
def test_the_repr_of_settings_shows_no_secret(kind: str) -> None:
    cls = provider_class(kind).settings_class
    read = cls.read({})
    for spec in specs_of(cls):
        if spec.is_secret:
            object.__setattr__(read, spec.name, "s3cret-of-the-account")
    assert "s3cret" not in repr(read)


def test_a_missing_setting_gets_its_default() -> None:
    settings = typed()
    assert (settings.unit, settings.rate, settings.worth, settings.is_on) == (
        "points",
        5,
        Decimal("0.01"),
        True,
    )
    assert (settings.comment, settings.terms, settings.labels) == ("", {}, {})
    assert dict(settings.names) == {"points": "points,balance", "path": "/v1/x", "note": ""}


def test_given_values_are_typed() -> None:
    settings = typed(
        worth=2,
        terms={"a": {"kind": "percent", "value": 7.5, "skus": ["X", "Y"]}, "b": {"kind": "fixed"}},
        names={"note": "memo"},
    )
    assert settings.worth == Decimal(2)
    assert settings.terms == {
        "a": Terms(kind=Kind.PERCENT, value=Decimal("7.5"), skus=("X", "Y"), step=0),
        "b": Terms(kind=Kind.FIXED, value=None, skus=(), step=0),
    }
    assert (settings.names["note"], settings.names["path"]) == ("memo", "/v1/x")


def test_settings_that_were_stored_before_a_setting_existed_can_be_read() -> None:
    assert Settings.read({"token": "t", "rate": None}).rate == 5


def test_an_invalid_stored_number_does_not_stop_the_reader() -> None:
    terms = Settings.read({"token": "t", "terms": {"a": {"kind": "fixed", "value": "ten"}}}).terms
    assert terms["a"].value is None


SCALARS = st.none() | st.booleans() | st.integers() | st.decimals() | st.floats() | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)


@pytest.mark.parametrize("kind", PROVIDERS)
@settings(max_examples=30)
@given(data=st.data())
def test_any_value_of_a_vendors_setting_is_usable_or_refused(kind: str, data: st.DataObject) -> None:
    """A value that is accepted can be stored, read again and used."""
    vendor = provider_class(kind)
    names = [spec.name for spec in vendor.setting_specs if not spec.name.endswith("url")]
    needed = {spec.name: "x" for spec in vendor.setting_specs if spec.required}
    needed |= {"base_url": "https://api.st9.vendor.test"} if names else {}
    values = data.draw(st.dictionaries(st.sampled_from(names), VALUES, max_size=3)) if names else {}
    try:
        accepted = vendor.validate_settings({**needed, **values})
    except SettingsError:
        return
    stored = json.loads(json.dumps(storable(accepted)))
    assert vendor.settings_class.read(restored(kind, stored)) == vendor.settings_class.read(accepted)
