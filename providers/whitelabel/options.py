"""The settings of a program, `[provider.whitelabel]`, and what is refused when it is saved."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from providers.errors import SettingsError
from providers.settings import SettingSpec
from providers.whitelabel.names import NAMES, NEEDED

EVENT_TYPES = ("sale_type", "spend_type", "refund_type", "return_type")

SPECS = (
    SettingSpec(
        name="base_url",
        default="https://api.rewards.wlloyalty.net/v1",
        help="Rewards API with its version. US: https://api.rewards.us.wlloyalty.net/v1",
    ),
    SettingSpec(
        name="auth_url",
        default="",
        help="Host of /oauth/token. Empty: that of the region in base_url.",
    ),
    SettingSpec(
        name="api_key", required=True, is_secret=True, help="Console, Settings > Tenant. Names the tenant."
    ),
    SettingSpec(
        name="client_id", required=True, is_secret=True, help="Admin credentials, issued by the vendor."
    ),
    SettingSpec(name="client_secret", required=True, is_secret=True),
    SettingSpec(name="audience", default="wlloyalty.net"),
    SettingSpec(name="locale", default="en", help="en fr de it es nl ar tr"),
    SettingSpec(name="consent_email_type", required=True, help="Id of the consent type for e-mails."),
    SettingSpec(name="consent_sms_type", required=True, help="Id of the consent type for messages."),
    SettingSpec(name="sale_type", default="TRANSACTION", help="Event type of a sale."),
    SettingSpec(name="spend_type", default="REDEEMED_POINTS", help="Event type that takes points."),
    SettingSpec(name="refund_type", default="POINTS_REFUND", help="Event type that gives them back."),
    SettingSpec(
        name="return_type",
        default="",
        help="Event type that takes back what returned goods earned. Empty: points are adjusted by command.",
    ),
    SettingSpec(
        name="refund_sign", type=int, default=1, help="-1 where refunds report a negative number of points."
    ),
    SettingSpec(name="amount_unit", default="major", help="major (12.90) or minor (1290), in sales."),
    SettingSpec(
        name="rate_setting", default="", help="Name of the tenant's setting with the worth of a point."
    ),
    SettingSpec(
        name="point_value",
        type=Decimal,
        default=Decimal(0),
        help="Worth of one point where rate_setting gives none. 0: the engine is asked by a test reaction.",
    ),
    SettingSpec(name="points_step", type=int, default=0, help="Points as money, in steps; 0: not offered."),
    SettingSpec(
        name="code_discounts",
        type=dict,
        default={},
        help="Worth of pool codes: reward id or name -> {type, value, productSku} as in the console.",
    ),
    SettingSpec(name="executor", default="loyaltyview", help="Who reports, where no associate is known."),
    SettingSpec(
        name="webhook_header",
        default="x-loyaltyview-token",
        help="Header of the vendor's webhook reaction that carries webhook_token.",
    ),
    SettingSpec(name="webhook_token", is_secret=True, help="Without one every delivery is refused."),
    SettingSpec(name="rate_per_s", type=int, default=50, help="Our calls a second; the key allows 100."),
    SettingSpec(name="burst", type=int, default=100, help="Our calls at once; the key allows 400."),
    SettingSpec(name="names", type=dict, default={}, help="Corrections of assumed names, see names.py."),
)


def check_settings(settings: Mapping[str, Any]) -> None:
    """Raise SettingsError for what the types alone do not tell."""
    for name in EVENT_TYPES:
        # Source: OpenAPI, EventDefinition, `^[A-Z]+(_[A-Z]+)*$`: no digits.
        words = settings[name].split("_")
        if not (name == "return_type" and not settings[name]) and not all(
            word.isascii() and word.isalpha() and word.isupper() for word in words
        ):
            raise SettingsError(name, "must be capitals joined by underscores, without digits")
    if settings["amount_unit"] not in ("major", "minor"):
        raise SettingsError("amount_unit", "must be major or minor")
    if settings["refund_sign"] not in (1, -1):
        raise SettingsError("refund_sign", "must be 1 or -1")
    if settings["point_value"] < 0:
        raise SettingsError("point_value", "must not be negative")
    for name in ("rate_per_s", "burst"):
        if settings[name] < 1:
            raise SettingsError(name, "must be at least 1")
    if settings["points_step"] < 0:
        raise SettingsError("points_step", "must not be negative")
    for name, value in settings["names"].items():
        if name not in NAMES:
            raise SettingsError("names", f"unknown name {name}")
        if not isinstance(value, str) or (name in NEEDED and not value):
            raise SettingsError("names", f"{name} must be text")
    for reward, discount in settings["code_discounts"].items():
        if not isinstance(discount, dict) or not {"type", "value"} <= discount.keys():
            raise SettingsError("code_discounts", f"{reward} needs type and value")


def auth_url(settings: Mapping[str, Any]) -> str:
    """Return the host that gives tokens. Source: SDK, the region is told by `.us.` in the host."""
    if settings["auth_url"]:
        return str(settings["auth_url"])
    region = "auth.us" if ".us." in settings["base_url"] else "auth"
    return f"https://{region}.wlloyalty.net"
