"""The settings of an Antavo program: their declaration, their validation, and their typed form."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from providers.antavo.names import NAMES
from providers.errors import SettingsError
from providers.settings import SettingSpec

WEBHOOK_AUTHS = ("path", "jwt", "basic")
WEBHOOK_FIELDS = ("event", "id", "member", "ref")
DISCOUNT_KEYS = ("type", "value", "minimum", "skus")
ORDER_WAYS = ("now", "queue")

SPECS = (
    SettingSpec(name="base_url", required=True, help="Such as https://api.st9.antavo.com"),
    SettingSpec(name="environment", default="", help="The stack in signatures; empty: from base_url."),
    SettingSpec(name="api_key", required=True, is_secret=True, help="Settings > API in Antavo."),
    SettingSpec(name="api_secret", required=True, is_secret=True, help="Shown once by Antavo."),
    SettingSpec(name="account", default="", help="Account whose points are spent; empty: the only one."),
    SettingSpec(name="tier_structure", default="", help="Id of the structure to show; empty: the first."),
    SettingSpec(name="tiers", default="", help="Names of the tiers, the lowest first, separated by commas."),
    SettingSpec(
        name="reward_tiers", type=dict, help="By reward id: the lowest tier that may have it; needs tiers."
    ),
    SettingSpec(name="tier_unit", default="points", help="points, or the currency of a spend-based tier."),
    SettingSpec(name="phone_field", default="mobile_phone", help="Searchable field with the phone."),
    SettingSpec(name="card_fields", default="", help="External id fields on cards, separated by commas."),
    SettingSpec(name="discounts", type=dict, help="By reward or coupon pool: type, value, minimum, skus."),
    SettingSpec(name="has_offers", type=bool, default=True, help="The Offers module is on."),
    SettingSpec(name="orders", default="now", help="now, or queue: sent by antavo_send."),
    SettingSpec(name="accepts_checkouts", type=bool, default=False, help="Accept pending checkouts."),
    SettingSpec(
        name="refund_returns_points", type=bool, default=True, help="A refund gives burned points back."
    ),
    SettingSpec(name="webhook_auth", default="path", help="path (the secret address alone), jwt or basic."),
    SettingSpec(name="webhook_key", default="", is_secret=True, help="HS256 key, or user:password."),
    SettingSpec(name="webhook_fields", type=dict, help="Where event, id, member and ref stand in a body."),
    SettingSpec(name="webhook_events", type=dict, help="The workspace's name of an event: ours."),
    SettingSpec(name="calls_per_minute", type=int, default=1500, help="Shared stacks allow 1500."),
    SettingSpec(name="names", type=dict, help="Other names for what Antavo does not document."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponTerms:
    """What a reward takes off, in the words of a coupon pool: amount, percentage, free_shipping, physical."""

    type: str
    value: Decimal = Decimal(0)
    minimum: Decimal = Decimal(0)
    skus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The settings as the adapter uses them."""

    base_url: str
    environment: str
    api_key: str
    api_secret: str
    account: str
    tier_structure: str
    tiers: tuple[str, ...]
    reward_tiers: Mapping[str, str]
    tier_unit: str
    phone_field: str
    card_fields: tuple[str, ...]
    discounts: Mapping[str, CouponTerms]
    has_offers: bool
    queues_orders: bool
    accepts_checkouts: bool
    refund_returns_points: bool
    webhook_auth: str
    webhook_key: str
    webhook_fields: Mapping[str, str]
    webhook_events: Mapping[str, str]
    calls_per_minute: int
    names: Mapping[str, str]


def read_options(given: Mapping[str, Any]) -> Options:
    """Return validated settings in their typed form."""
    values: dict[str, Any] = {}
    for spec in SPECS:
        value = given.get(spec.name, spec.default)
        values[spec.name] = ({} if spec.type is dict else spec.type()) if value is None else value
    values["queues_orders"] = values.pop("orders") == "queue"
    values["environment"] = values["environment"] or _second_label(values["base_url"])
    values["card_fields"] = tuple(filter(None, re.split(r"[,\s]+", values["card_fields"])))
    values["tiers"] = _names(values["tiers"])
    values["discounts"] = {name: read_terms(terms) for name, terms in values["discounts"].items()}
    values["names"] = {**NAMES, **values["names"]}
    return Options(**values)


def check_settings(given: dict[str, Any]) -> dict[str, Any]:
    """Return `given`, whose keys and types are right; raise SettingsError for a value that cannot be."""
    address = urlsplit(given["base_url"])
    if address.scheme != "https" and address.hostname not in ("127.0.0.1", "localhost"):
        raise SettingsError("base_url", "must be https")
    if not re.fullmatch(r"[A-Za-z0-9_-]+", given["api_key"]):
        # A "/" would end the key where Antavo splits the credential (docs/contracts/antavo.md 1.2).
        raise SettingsError("api_key", "must be letters, digits, - and _")
    if not given["environment"] and not _second_label(given["base_url"]):
        raise SettingsError("environment", "cannot be told from base_url")
    for name, allowed in (("orders", ORDER_WAYS), ("webhook_auth", WEBHOOK_AUTHS)):
        if given[name] not in allowed:
            raise SettingsError(name, "must be " + " or ".join(allowed))
    if given["webhook_auth"] != "path" and not given["webhook_key"]:
        raise SettingsError("webhook_key", "missing")
    if given["calls_per_minute"] is None or given["calls_per_minute"] < 1:
        raise SettingsError("calls_per_minute", "must be at least 1")
    _check_texts("names", given["names"], tuple(NAMES))
    _check_texts("reward_tiers", given["reward_tiers"], None)
    for reward_id, tier in (given["reward_tiers"] or {}).items():
        if tier not in _names(given["tiers"] or ""):
            raise SettingsError("reward_tiers", f"{reward_id}: must be one of tiers")
    _check_texts("webhook_fields", given["webhook_fields"], WEBHOOK_FIELDS)
    _check_texts("webhook_events", given["webhook_events"], None)
    for name, terms in (given["discounts"] or {}).items():
        if not isinstance(terms, dict) or set(terms) - set(DISCOUNT_KEYS) or "type" not in terms:
            raise SettingsError("discounts", f"{name}: must have type, and may have value, minimum, skus")
        read_terms(terms)
    return given


def read_terms(given: Mapping[str, Any]) -> CouponTerms:
    """Return the terms in a table of the setting `discounts`; raise SettingsError."""
    skus = given.get("skus", [])
    if not isinstance(skus, list) or not all(isinstance(sku, str) for sku in skus):
        raise SettingsError("discounts", "skus must be a list of texts")
    try:
        value, minimum = (Decimal(str(given.get(name, 0))) for name in ("value", "minimum"))
    except InvalidOperation as error:
        raise SettingsError("discounts", "value and minimum must be numbers") from error
    return CouponTerms(type=str(given["type"]), value=value, minimum=minimum, skus=tuple(skus))


def _names(given: str) -> tuple[str, ...]:
    """Return the names in a text with commas; they may contain blanks."""
    return tuple(name.strip() for name in given.split(",") if name.strip())


def _check_texts(name: str, given: Any, allowed: tuple[str, ...] | None) -> None:
    for key, value in (given or {}).items():
        if allowed is not None and key not in allowed:
            raise SettingsError(name, f"unknown name {key}")
        if not isinstance(value, str):
            raise SettingsError(name, f"{key}: must be text")


def _second_label(base_url: str) -> str:
    """Return st9 of https://api.st9.antavo.com, as Antavo's own cartridge does; "" where there is none."""
    labels = (urlsplit(base_url).hostname or "").split(".")
    is_address = all(label.isdecimal() for label in labels)
    return "" if is_address or len(labels) < 4 else labels[1]
