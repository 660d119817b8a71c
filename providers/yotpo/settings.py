"""The settings of a program, `[provider.yotpo]`, and the names that Yotpo's public pages do not give."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from providers.errors import SettingsError
from providers.names import Names
from providers.settings import SettingSpec, VendorSettings, names_setting, one_of, setting
from providers.types import DiscountKind
from providers.yotpo.platforms import (
    BIGCOMMERCE,
    BIGCOMMERCE_OPEN,
    BIGCOMMERCE_STATUSES,
    FREE,
    GENERIC,
    PAID,
    PLATFORMS,
    SFCC,
    SFCC_CODES,
    SFCC_OPEN,
    SHOPIFY,
    TABLE,
)

# Every name that we had to assume, such as `names = { delay_field = "..." }` would change it. A value with
# commas is a list; what is compared with Yotpo's sentences is in lower case.
NAMES = {
    # POST /redemptions: the reference has this name, a help page "delayed_point_deduction".
    "delay_field": "delay_points_deduction",
    # GET /redemption_codes: the keys of the redemption and of its option (a help page implies the first).
    "redemption_id_key": "point_redemption_id",
    "option_id_key": "redemption_option_id",
    # A refused redemption: the key (from a shop app) or the words that mean "not enough points" ...
    "points_keys": "amount,points",
    "points_words": "not enough,insufficient,greater than the customer's balance",
    # ... the words for "no codes left", and the key of "no such option".
    "stock_words": "no codes,out of codes,codes available",
    "option_keys": "redemption_option,redemption_option_id",
    # A cancellation that was done before is a success.
    "cancelled_words": "already cancelled,already canceled,already been cancelled,already reversed",
    # GET /customers: words in the title of a line of the history that a purchase made.
    "purchase_words": "made a purchase,placed an order",
    # The callback that cancels a code of delayed deduction: where its secret and the code stand.
    "callback_secret_keys": "secret,shared_secret,api_secret",
    "callback_code_keys": "coupon_code,code,reward_text",
    # The status of an order that carries a code but is not to earn yet (`open_order_status` wins).
    "open_status": "open",
    # POST /orders: the form of `created_at`, in UTC: ISO 8601, or "%Y-%m-%d %H:%M:%S" as in a sample.
    "created_at_form": "%Y-%m-%dT%H:%M:%S.000Z",
    # `total_amount_cents` as a number, as the reference and clients have it, or as a text, as in the sample.
    "total_form": "number",
}
TOTAL_FORMS = ("number", "text")

# When an order is sent: once, when it is completed; or before as well, as soon as it carries a code.
WHEN_PAID, WHEN_OPEN_AND_PAID = "paid", "open_and_paid"


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardValue:
    """What a redemption option is worth at the till, where Yotpo cannot say. None: as Yotpo says."""

    kind: DiscountKind | None = None
    amount: Decimal | None = setting(above=0)
    percent: Decimal | None = setting(above=0)
    minimum: Decimal | None = setting(above=0)
    skus: tuple[str, ...] = ()
    step: int = setting(default=0, minimum=0)
    maximum: int = setting(default=0, minimum=0)
    tier: str = setting(default="", make=str.strip)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(VendorSettings):
    base_url: str = setting(
        default="https://loyalty.yotpo.com/api/v2", help="Address of the API, with its version."
    )
    guid: str = setting(required=True, is_secret=True, help="Settings > General Settings in Yotpo.")
    api_key: str = setting(required=True, is_secret=True, help="Beside the GUID; never in a browser.")
    platform: str = setting(default=GENERIC, choices=PLATFORMS, help=TABLE)
    order_status: str = setting(
        help=f"generic and magento: the status of an order that earns; empty: {PAID}. It must match Process "
        "Order With Status in Yotpo, else nothing is earned."
    )
    bigcommerce_status: str = setting(
        default=BIGCOMMERCE_STATUSES[0],
        choices=BIGCOMMERCE_STATUSES,
        help="bigcommerce: the status of an order that earns, by the merchant's rule in Yotpo.",
    )
    sfcc_status: str = setting(
        default="COMPLETED",
        choices=tuple(SFCC_CODES),
        help="sfcc: the status of an order that earns, by the merchant's rule in Yotpo. CREATED for every "
        "rule with CREATED in it. Sent as Salesforce's number: 5, 0, 3 or 4.",
    )
    order_sending: str = setting(
        default=WHEN_PAID,
        choices=(WHEN_PAID, WHEN_OPEN_AND_PAID),
        help="paid: each order once, when it is completed. open_and_paid: an order with a code before as "
        "well, in its open status; only where Yotpo has confirmed that the second one updates the first.",
    )
    open_order_status: str = setting(
        help="Status of an order with a code that does not earn; empty: one of the platform's that is in "
        "none of Yotpo's rules. It must not match the rule in Yotpo."
    )
    offline_only: bool = setting(default=True, help="Only rewards marked for use in stores.")
    delays_deduction: bool = setting(
        default=True,
        help="Generic rewards take their points with the order. Needs the Cancel Coupons URL in Yotpo.",
    )
    callback_secret: str = setting(is_secret=True, help="The Secret beside Yotpo's Cancel Coupons URL.")
    reward_values: Mapping[str, RewardValue] = setting(
        help="By redemption option id: kind, amount, percent, skus, minimum, step, maximum, tier. Custom "
        "coupons and free products need theirs; tier names the lowest one that may have the reward."
    )
    stores: Mapping[str, Mapping[str, str]] = setting(
        each=SettingSpec(type=dict, keys=tuple(SettingSpec(name=n) for n in ("address", "city", "state"))),
        help="By the provider's store id: address, city and state for its reports.",
    )
    requires_opt_in: bool = setting(
        default=False, help="A customer without opt-in is not a member until they are enrolled."
    )
    tier_rule: str = setting(
        default="all", choices=("all", "any"), help="all or any: of the thresholds that a tier names."
    )
    rate_per_s: int = setting(default=5, minimum=1, maximum=100, help="Calls a second to this account.")
    names: Names = names_setting(
        NAMES, former_name="assumed", help="Other names for what Yotpo does not document."
    )

    @property
    def sends_customer_id(self) -> bool:
        """Required for a generic integration; elsewhere the id is the platform's to give."""
        return self.platform == GENERIC

    @property
    def sends_open_orders(self) -> bool:
        return self.order_sending == WHEN_OPEN_AND_PAID

    @property
    def earning_status(self) -> str:
        """The status of an order that earns, "" to send none."""
        chosen = {SHOPIFY: "", BIGCOMMERCE: self.bigcommerce_status, SFCC: SFCC_CODES[self.sfcc_status]}
        return self.order_status or chosen.get(self.platform, PAID)

    @property
    def open_status(self) -> str:
        """The status of an order that carries a code and does not earn, "" to send none."""
        chosen = {SHOPIFY: "", BIGCOMMERCE: BIGCOMMERCE_OPEN, SFCC: SFCC_OPEN[self.sfcc_status]}
        return self.open_order_status or chosen.get(self.platform, self.names["open_status"])

    def check(self) -> None:
        if self.order_status and self.platform not in FREE:
            instead = {BIGCOMMERCE: "use bigcommerce_status", SFCC: "use sfcc_status"}
            problem = f"must be empty for {self.platform}: {instead.get(self.platform, 'none is sent')}"
            raise SettingsError("order_status", problem)
        if self.open_status and self.open_status == self.earning_status:
            raise SettingsError("open_order_status", "must not be the status that earns")
        if self.names["total_form"] not in TOTAL_FORMS:
            raise SettingsError("names", f"must be {one_of(TOTAL_FORMS)}", ("total_form",))
