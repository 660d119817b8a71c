"""The settings of a program, `[provider.whitelabel]`, and the names that the vendor does not publish."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import jwt

from providers.errors import SettingsError
from providers.names import Names
from providers.settings import SettingSpec, VendorSettings, names_setting, setting

# Every name that the published contract does not give. The vendor publishes requests, but no shapes of
# answers, no grammar of `filter`, and event payloads that each tenant defines itself.
NAMES = {
    # Reading an answer: places, the first that is there counts.
    "wallet_points": "points,pointsBalance,balance,points.balance,points.value,balance.balance,balance.value",
    "wallet_lifetime": "lifetimeEarn,lifetimeEarn.value",
    "wallet_tier": "tier,currentTier",
    "wallet_vouchers": "vouchers",
    "benefit_owner": "owner.id",
    "benefit_code": "code.value",
    "discounts": "discounts,reward.discounts,voucher.reward.discounts",
    "discount_skus": "productSku,sku",
    "discount_minimum": "minTransactionAmount,reward.minTransactionAmount",
    "offer_audience": "purchasableForAudiences,audiences,visibilityCriteria,visibilityCriteriaDefinition",
    "gift_card_left": "balance,denomination,reward.denomination",
    "gift_card_currency": "currency,reward.currency",
    "shared_code": "code.value,reward.code.value",
    "event_subject": "subject.id,subject",
    "event_reacted": "reactedAt",
    "reaction_points": "points",
    "adjusted_comment": "comment",
    # Where in the JSON of `filter` a value goes. `benefit_user` set: that parameter instead of a filter.
    "filter_email": "profile.emailAddress",
    "filter_phone": "profile.telephoneNumber",
    "filter_auth": "authIdentifier",
    "filter_owner": "owner.id",
    "filter_subject": "subject.id",
    "filter_type": "type",
    "filter_consent_user": "user.id",
    "benefit_user": "",
    # Keys of the tenant's own event payloads; an empty one leaves the value out.
    "points_points": "points",
    "points_cart": "transactionId",
    "points_store": "branchId",
    "points_request": "requestId",
    "sale_id": "transactionId",
    "sale_amount": "amount",
    "sale_currency": "currency",
    "sale_store": "branchId",
    "sale_associate": "cashierId",
    "sale_request": "requestId",
    "sale_items": "items",
    "item_sku": "sku",
    "item_quantity": "quantity",
    "item_amount": "amount",
    "sale_benefits": "discounts",
    "benefit_id": "benefitId",
    "offer_id": "rewardId",
    "return_id": "returnId",
    "return_amount": "",
    # Places in the body of an order to Receipts, and where its event carries our request id.
    "receipt_submitter": "submitter.authIdentifier",
    "receipt_id": "externalId",
    "receipt_placed_at": "placedAt",
    "receipt_total": "total",
    "receipt_currency": "currency",
    "receipt_store": "venueIdentifier",
    "receipt_associate": "cashierIdentifier",
    "receipt_source": "metadata.source",
    "receipt_request": "metadata.requestId",
    "receipt_items": "items",
    "receipt_item_sku": "sku",
    "receipt_item_quantity": "quantity",
    "receipt_item_amount": "price",
    "receipt_discounts": "discounts",
    "placed_request": "metadata.requestId,order.metadata.requestId,requestId",
    "probe_amount": "amount",
}
# Without these keys an event of ours could not be found again: its outcome would stay unknown for ever.
NEEDED = ("points_points", "points_request", "sale_request", "receipt_request", "placed_request")
EVENTS, RECEIPTS = "events", "receipts"
NO_OFFERS, AS_MEMBER, AS_ADMIN = "none", "as_member", "as_admin"
HS256, RS256 = "HS256", "RS256"
SHORTEST_SHARED_KEY = 32  # bytes, of HS256. Source: RFC 7518 3.2

POOL_CODE = SettingSpec(
    type=dict,
    keys=(SettingSpec(name="type", required=True), SettingSpec(name="value", type=Decimal, required=True)),
    allows_other_keys=True,
)


def event_type(default: str, help: str) -> Any:
    """Return the field for an event type. Source: OpenAPI, EventDefinition."""
    rule = "must be capitals joined by underscores, without digits"
    return setting(default=default, help=help, pattern=r"[A-Z]+(_[A-Z]+)*", pattern_help=rule)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(VendorSettings):
    base_url: str = setting(
        default="https://api.rewards.wlloyalty.net/v1",
        help="Rewards API with its version. US: https://api.rewards.us.wlloyalty.net/v1",
    )
    auth_url: str = setting(default="", help="Host of /oauth/token. Empty: that of the region in base_url.")
    api_key: str = setting(
        required=True, is_secret=True, help="Console, Settings > Tenant. Names the tenant."
    )
    client_id: str = setting(required=True, is_secret=True, help="Admin credentials, issued by the vendor.")
    client_secret: str = setting(required=True, is_secret=True)
    audience: str = setting(default="wlloyalty.net")
    locale: str = setting(default="en", help="en fr de it es nl ar tr")
    consent_email_type: str = setting(required=True, help="Id of the consent type for e-mails.")
    consent_sms_type: str = setting(required=True, help="Id of the consent type for messages.")
    sales: str = setting(
        default=EVENTS,
        choices=(EVENTS, RECEIPTS),
        help="How sales are reported: as events of sale_type, or as orders to the Receipts API, which the "
        "vendor must enable. Their onboarding manager says which.",
    )
    receipts_url: str = setting(
        default="", help="Receipts API with its version. Empty: base_url with receipts for rewards."
    )
    report_all_sales: bool = setting(
        default=False, help="Report sales without a member, too. The vendor's guides ask for it."
    )
    anonymous_submitter: str = setting(
        default="",
        help="authIdentifier that submits orders without a member to Receipts. Empty: none is named.",
    )
    sale_type: str = event_type("TRANSACTION", "Event type of a sale.")
    spend_type: str = event_type("REDEEMED_POINTS", "Event type that takes points.")
    refund_type: str = event_type("POINTS_REFUND", "Event type that gives them back.")
    return_type: str = event_type(
        "", "Event type that takes back what returned goods earned. Empty: points are adjusted by command."
    )
    refund_sign: int = setting(
        default=1, choices=(1, -1), help="-1 where refunds report a negative number of points."
    )
    amount_unit: str = setting(
        default="major", choices=("major", "minor"), help="major (12.90) or minor (1290), in sales."
    )
    rate_setting: str = setting(default="", help="Name of the tenant's setting with the worth of a point.")
    point_value: Decimal = setting(
        default=Decimal(0),
        minimum=0,
        help="Worth of one point where rate_setting gives none. 0: the engine is asked by a test reaction.",
    )
    points_step: int = setting(default=0, minimum=0, help="Points as money, in steps; 0: not offered.")
    code_discounts: Mapping[str, Mapping[str, Any]] = setting(
        default={},
        each=POOL_CODE,
        help="Worth of pool codes: reward id or name -> {type, value, productSku} as in the console.",
    )
    offers: str = setting(
        default=NO_OFFERS,
        choices=(NO_OFFERS, AS_MEMBER, AS_ADMIN),
        help="Always-on offers. as_member: those that the engine gives the member, by a token that we sign "
        "with user_token_key. as_admin: all without an audience.",
    )
    user_token_key: str = setting(
        is_secret=True,
        help="Console, Settings > Tenant, user authentication: the shared key (HS256), or the private key of "
        "your JWKS as PEM (RS256).",
    )
    user_token_algorithm: str = setting(default=HS256, choices=(HS256, RS256))
    user_token_issuer: str = setting(default="", help="The issuer that the console names.")
    user_token_key_id: str = setting(default="", help="The key's id in your JWKS, for RS256.")
    categories: Mapping[str, tuple[str, ...]] = setting(
        default={},
        help="Category codes that discounts name as sku: code -> its products. An empty list: the code is a "
        "category, and its discounts are shown and not applied.",
    )
    human_minutes: int = setting(
        default=15,
        minimum=0,
        help="How long a HUMAN voucher that was redeemed in the app can be used at the till, once; 0: not.",
    )
    executor: str = setting(default="loyaltyview", help="Who reports, where no associate is known.")
    webhook_header: str = setting(
        default="x-loyaltyview-token",
        help="Header of the vendor's webhook reaction that carries webhook_token.",
    )
    webhook_token: str = setting(is_secret=True, help="Without one every delivery is refused.")
    rate_per_s: int = setting(default=50, minimum=1, help="Our calls a second; the key allows 100.")
    burst: int = setting(default=100, minimum=1, help="Our calls at once; the key allows 400.")
    names: Names = names_setting(NAMES, needed=NEEDED, default={}, help="Corrections of assumed names.")

    @property
    def receipts_api(self) -> str:
        """The Receipts API of the same environment and region. Source: the vendor's reference gives the one
        of EU; the others are assumed to differ as those of the Rewards API do."""
        return self.receipts_url or self.base_url.replace("api.rewards.", "api.receipts.").replace(
            "api.staging.rewards.", "api.staging.receipts."
        )

    def check(self) -> None:
        if self.sales == RECEIPTS and self.receipts_api == self.base_url:
            raise SettingsError("receipts_url", "missing: base_url does not say where Receipts is")
        if self.offers == AS_MEMBER:
            self._check_user_token()

    def _check_user_token(self) -> None:
        for name in ("user_token_key", "user_token_issuer"):
            if not getattr(self, name):
                raise SettingsError(name, "missing: offers are read as the member")
        is_shared = self.user_token_algorithm == HS256
        if is_shared and len(self.user_token_key.encode()) < SHORTEST_SHARED_KEY:
            raise SettingsError("user_token_key", f"must have at least {SHORTEST_SHARED_KEY} bytes")
        if not is_shared and not self.user_token_key_id:
            raise SettingsError("user_token_key_id", "missing: the engine finds the key by it")
        try:
            jwt.encode({}, self.signing_key, algorithm=self.user_token_algorithm)
        # A public key fails with AttributeError, one with a password with TypeError.
        except (jwt.InvalidKeyError, ValueError, TypeError, AttributeError) as error:
            needed = "is a PEM, not a shared key" if is_shared else "is no private RSA key in PEM"
            raise SettingsError("user_token_key", needed) from error

    @property
    def signing_key(self) -> str:
        """The key of members' tokens. A PEM in one line has its line breaks as backslash and n; a shared key
        is taken letter by letter."""
        is_pem = self.user_token_algorithm == RS256
        return self.user_token_key.replace("\\n", "\n") if is_pem else self.user_token_key

    @property
    def token_url(self) -> str:
        """The host that gives tokens. Source: SDK, the region is told by `.us.` in the host."""
        region = "auth.us" if ".us." in self.base_url else "auth"
        return self.auth_url or f"https://{region}.wlloyalty.net"
