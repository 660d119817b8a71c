"""White Label Loyalty as a provider: each method of the interface is one call into this package."""

import time
from urllib.parse import urlsplit

from providers.base import Capability, LoyaltyProvider, ProviderConfig
from providers.journal.spending import find, spend
from providers.outbound.budget import Budget
from providers.types import (
    Cart,
    CheckResult,
    Consents,
    Member,
    MemberProfile,
    MemberQuery,
    Order,
    PointsChange,
    ProviderStore,
    Return,
    Reward,
    Spend,
    SpendFinding,
    SpendIntent,
    Voucher,
    WebhookEvent,
    WebhookRequest,
)
from providers.whitelabel import (
    catalogue,
    members,
    rate,
    refunds,
    sales,
    spending,
    venues,
    vouchers,
    webhooks,
)
from providers.whitelabel.engine import Engine
from providers.whitelabel.settings import Settings


class WhiteLabelProvider(LoyaltyProvider):
    """The vendor's Rewards API. `ref` is its user id, `member_id` the account number."""

    kind = "whitelabel"
    finds_codes_as_ids = True
    # No HOLD: the engine takes at once. No RELEASE_VOUCHER: what is redeemed or burned stays so.
    capabilities = frozenset(
        {
            Capability.RELEASE_POINTS,
            Capability.VARIABLE_POINTS,
            Capability.EARN_PREVIEW,
            Capability.PHONE_LOOKUP,
            Capability.EMAIL_LOOKUP,
            Capability.CODE_LOOKUP,
            Capability.ENROL,
            Capability.CONSENT_EMAIL,
            Capability.CONSENT_SMS,
            Capability.TIERS,
            Capability.STORES,
            Capability.WEBHOOKS,
            Capability.PARTIAL_RETURN,
            Capability.PARTIAL_RELEASE,
        }
    )
    calls_of_page, calls_of_tap = 5, 9
    settings_class = Settings

    def __init__(self, config: ProviderConfig) -> None:
        super().__init__(config)
        self.engine = Engine(config)

    @property
    def budget(self) -> Budget | None:
        return self.engine.budget

    # --- Reads ------------------------------------------------------------------------------------

    def find_members(self, query: MemberQuery) -> tuple[Member, ...]:
        return members.find(self.engine, query)

    def get_member(self, ref: str) -> Member:
        return members.get(self.engine, ref)

    def list_rewards(self, ref: str, cart: Cart) -> tuple[Reward, ...]:
        return catalogue.list_rewards(self.engine, ref)

    def list_vouchers(self, ref: str) -> tuple[Voucher, ...]:
        return catalogue.list_vouchers(self.engine, ref)

    def find_voucher(self, ref: str, code: str) -> Voucher:
        return vouchers.look(self.engine, ref, code)

    def preview_earn(self, ref: str, cart: Cart) -> int | None:
        return rate.preview_sale(self.engine, ref, cart)

    def find_spend(self, intent: SpendIntent) -> SpendFinding:
        return find(spending.way_of(self.engine, intent.kind), intent)

    def list_stores(self) -> tuple[ProviderStore, ...]:
        return venues.list_stores(self.engine)

    def check(self) -> CheckResult:
        started = time.perf_counter()
        # Only an administrator's token lists users, so this proves key and token alike.
        self.engine.rows("/users", operation="check", limit=1)
        latency_ms = round((time.perf_counter() - started) * 1000)
        host = urlsplit(self.engine.settings.base_url).hostname or ""
        tiers = len(venues.list_tiers(self.engine))
        return CheckResult(account=f"{host} ({tiers} tiers)", latency_ms=latency_ms)

    # --- Writes -----------------------------------------------------------------------------------

    def spend(self, intent: SpendIntent) -> Spend:
        return spend(spending.way_of(self.engine, intent.kind), intent)

    def release(self, spend: Spend) -> None:
        refunds.release(self.engine, spend)

    def release_part(self, spend: Spend, points: int, key: str) -> None:
        refunds.release_part(self.engine, spend, points, key)

    def confirm(self, spend: Spend, order: Order) -> None:
        refunds.confirm(self.engine, spend, order.order_id)

    def enrol(self, profile: MemberProfile, consents: Consents) -> Member:
        return members.enrol(self.engine, profile, consents)

    def record_order(self, order: Order) -> PointsChange:
        return sales.record_order(self.engine, order)

    def record_return(self, ret: Return) -> PointsChange:
        return sales.record_return(self.engine, ret)

    def cancel_order(self, order: Order) -> PointsChange:
        return sales.cancel_order(self.engine, order)

    # --- Webhooks ---------------------------------------------------------------------------------

    def parse_webhook(self, request: WebhookRequest) -> tuple[WebhookEvent, ...]:
        return webhooks.parse(self.engine, request)
