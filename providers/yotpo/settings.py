"""The settings of a Yotpo program: what there is, what is wrong with it, and its typed form."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from providers.base import ProviderConfig
from providers.errors import SettingsError
from providers.settings import SettingSpec
from providers.types import DiscountKind
from providers.yotpo.assumed import ASSUMED

# Which status makes an order earn, by the shop's platform; "" sends none: Shopify's orders earn at once.
# Source: support.yotpo.com, store-associate-managed loyalty (read 2026-11-24).
EARNING_STATUS = {
    "generic": "paid",
    "magento": "paid",
    "shopify": "",
    "bigcommerce": "completed",
    "sfcc": "5",
}
# As long as an order is open. SFCC knows numbers only: 4 is OPEN.
OPEN_STATUS = {"shopify": "", "sfcc": "4"}
TIER_RULES = ("all", "any")
# When an order is sent: once, when it is completed; or before as well, as soon as it carries a code.
PAID, OPEN_AND_PAID = "paid", "open_and_paid"

SPECS = (
    SettingSpec(
        name="base_url",
        default="https://loyalty.yotpo.com/api/v2",
        help="Address of the API, with its version.",
    ),
    SettingSpec(name="guid", required=True, is_secret=True, help="Settings > General Settings in Yotpo."),
    SettingSpec(name="api_key", required=True, is_secret=True, help="Beside the GUID; never in a browser."),
    SettingSpec(name="platform", default="generic", help="Of the shop: " + ", ".join(EARNING_STATUS) + "."),
    SettingSpec(name="order_status", help="Status of an order that earns; empty: that of the platform."),
    SettingSpec(
        name="order_sending",
        default=PAID,
        help="paid: each order once, when it is completed. open_and_paid: an order with a code before as "
        "well, in its open status; only where Yotpo has confirmed that the second one updates the first.",
    ),
    SettingSpec(name="open_order_status", help="Status of an order with a code that does not earn."),
    SettingSpec(
        name="offline_only", type=bool, default=True, help="Only rewards marked for use in stores."
    ),
    SettingSpec(
        name="delays_deduction",
        type=bool,
        default=True,
        help="Generic rewards take their points with the order. Needs the Cancel Coupons URL in Yotpo.",
    ),
    SettingSpec(
        name="callback_secret", is_secret=True, help="The Secret beside Yotpo's Cancel Coupons URL."
    ),
    SettingSpec(
        name="reward_values",
        type=dict,
        help="By redemption option id: kind, amount, percent, skus, minimum, step, maximum, tier. Custom "
        "coupons and free products need theirs; tier names the lowest one that may have the reward.",
    ),
    SettingSpec(
        name="stores", type=dict, help="By the provider's store id: address, city and state for its reports."
    ),
    SettingSpec(
        name="requires_opt_in",
        type=bool,
        default=False,
        help="A customer without opt-in is not a member until she is enrolled.",
    ),
    SettingSpec(
        name="tier_rule", default="all", help="all or any: of the thresholds that a tier names."
    ),
    SettingSpec(name="rate_per_s", type=int, default=5, help="Calls a second to this account."),
    SettingSpec(name="assumed", type=dict, help="Other names for what Yotpo does not document."),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardValue:
    """What a redemption option is worth at the till, where Yotpo cannot say. None: as Yotpo says."""

    kind: DiscountKind | None = None
    amount: Decimal | None = None
    percent: Decimal | None = None
    minimum: Decimal | None = None
    skus: tuple[str, ...] = ()
    step: int = 0
    maximum: int = 0
    tier: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class YotpoSettings:
    """The program's settings, typed. `order_status` and `open_order_status` may be empty: send none."""

    base_url: str
    guid: str
    api_key: str
    sends_customer_id: bool
    order_status: str
    open_order_status: str
    sends_open_orders: bool
    offline_only: bool
    delays_deduction: bool
    callback_secret: str
    reward_values: Mapping[str, RewardValue]
    stores: Mapping[str, Mapping[str, str]]
    requires_opt_in: bool
    tier_rule: str
    rate_per_s: int
    assumed: Mapping[str, str]


def read_settings(config: ProviderConfig) -> YotpoSettings:
    """Return the settings of `config`, which `check_settings` has passed."""
    given = {spec.name: spec.default for spec in SPECS} | dict(config.settings)
    platform = given["platform"]
    assumed = {**ASSUMED, **(given["assumed"] or {})}
    return YotpoSettings(
        base_url=given["base_url"] or "",
        guid=given["guid"] or "",
        api_key=given["api_key"] or "",
        # "id" is required for a generic integration; elsewhere it is the platform's to give.
        sends_customer_id=platform == "generic",
        order_status=given["order_status"] or EARNING_STATUS[platform],
        open_order_status=given["open_order_status"] or OPEN_STATUS.get(platform, assumed["open_status"]),
        sends_open_orders=given["order_sending"] == OPEN_AND_PAID,
        offline_only=given["offline_only"] is not False,
        delays_deduction=given["delays_deduction"] is not False,
        callback_secret=given["callback_secret"] or "",
        reward_values={
            option_id: _reward_value(option_id, value)
            for option_id, value in (given["reward_values"] or {}).items()
        },
        stores=given["stores"] or {},
        requires_opt_in=bool(given["requires_opt_in"]),
        tier_rule=given["tier_rule"],
        rate_per_s=given["rate_per_s"] or 5,
        assumed=assumed,
    )


def check_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """Return `settings` with every decimal inside a table as text; raise SettingsError."""
    if settings["platform"] not in EARNING_STATUS:
        raise SettingsError("platform", "must be one of " + ", ".join(EARNING_STATUS))
    if settings["order_sending"] not in (PAID, OPEN_AND_PAID):
        raise SettingsError("order_sending", f"must be {PAID} or {OPEN_AND_PAID}")
    if settings["tier_rule"] not in TIER_RULES:
        raise SettingsError("tier_rule", "must be all or any")
    if not 1 <= (settings["rate_per_s"] or 5) <= 100:
        raise SettingsError("rate_per_s", "must be from 1 to 100")
    for name, value in (settings["assumed"] or {}).items():
        if name not in ASSUMED or not isinstance(value, str) or not value.strip():
            raise SettingsError("assumed", f"{name}: must be text, for one of " + ", ".join(ASSUMED))
    for option_id, value in (settings["reward_values"] or {}).items():
        _reward_value(option_id, value)
    for store, place in (settings["stores"] or {}).items():
        is_good = isinstance(place, dict) and set(place) <= {"address", "city", "state"}
        if not is_good or not all(isinstance(text, str) for text in place.values()):
            raise SettingsError("stores", f"{store}: must be texts for address, city, state")
    return {name: _plain(value) for name, value in settings.items()}


def _reward_value(option_id: str, value: Any) -> RewardValue:
    known = {"kind", "amount", "percent", "minimum", "skus", "step", "maximum", "tier"}
    if not isinstance(value, dict) or not set(value) <= known:
        raise SettingsError("reward_values", f"{option_id}: must be a table of " + ", ".join(sorted(known)))
    skus = value.get("skus", [])
    if not isinstance(skus, list) or not all(isinstance(sku, str) for sku in skus):
        raise SettingsError("reward_values", f"{option_id}.skus: must be a list of texts")
    if not isinstance(value.get("tier", ""), str):
        raise SettingsError("reward_values", f"{option_id}.tier: must be text")
    try:
        read = RewardValue(
            kind=DiscountKind(value["kind"]) if "kind" in value else None,
            amount=_decimal(value, "amount"),
            percent=_decimal(value, "percent"),
            minimum=_decimal(value, "minimum"),
            skus=tuple(skus),
            step=int(value.get("step", 0)),
            maximum=int(value.get("maximum", 0)),
            tier=value.get("tier", "").strip(),
        )
    except (ValueError, TypeError, InvalidOperation) as error:
        raise SettingsError("reward_values", f"{option_id}: {error}") from error
    numbers = (read.amount, read.percent, read.minimum)
    if any(number is not None and number <= 0 for number in numbers) or min(read.step, read.maximum) < 0:
        raise SettingsError("reward_values", f"{option_id}: numbers must be above zero")
    return read


def _decimal(value: Mapping[str, Any], name: str) -> Decimal | None:
    return Decimal(str(value[name])) if name in value else None


def _plain(value: Any) -> Any:
    """Decimals inside a table become text: settings are stored as JSON."""
    if isinstance(value, dict):
        return {
            name: str(item) if isinstance(item, Decimal) else _plain(item) for name, item in value.items()
        }
    return value
