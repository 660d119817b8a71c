"""White Label Loyalty as a provider: each method of the interface is one call into this package."""

import time
from datetime import datetime
from urllib.parse import urlsplit

from providers.base import Capability, LoyaltyProvider, ProviderConfig
from providers.journal.history import list_movements
from providers.journal.spending import find, spend
from providers.movements import NEWEST, History
from providers.outbound.budget import Budget
from providers.outbound.parallel import together
from providers.sales import Order, PointsChange, Return, Spend, SpendFinding, SpendIntent
from providers.types import (
    Cart,
    CheckResult,
    Consents,
    Member,
    MemberProfile,
    MemberQuery,
    ProviderStore,
    Reward,
    Voucher,
    WebhookEvent,
    WebhookRequest,
)
from providers.whitelabel import (
    codes,
    members,
    offers,
    orders,
    release,
    rewards,
    spending,
    venues,
    vouchers,
    webhooks,
    worth,
)
from providers.whitelabel.client import Client
from providers.whitelabel.settings import Settings

NEWEST_USERS = 20


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
            Capability.HISTORY,
            Capability.STORES,
            Capability.WEBHOOKS,
            Capability.PARTIAL_RETURN,
            Capability.PARTIAL_RELEASE,
            Capability.ANONYMOUS_SALES,
        }
    )
    has_our_history = True  # the points of each of the engine's events would be one more call
    calls_of_page, calls_of_tap = 5, 6
    settings_class = Settings

    def __init__(self, config: ProviderConfig) -> None:
        super().__init__(config)
        self.client = Client(config)

    @property
    def budget(self) -> Budget | None:
        return self.client.budget

    # --- Reads ------------------------------------------------------------------------------------

    def find_members(self, query: MemberQuery) -> tuple[Member, ...]:
        return members.find(self.client, query)

    def get_member(self, ref: str) -> Member:
        return members.get(self.client, ref)

    def list_rewards(self, ref: str, cart: Cart) -> tuple[Reward, ...]:
        return rewards.list_rewards(self.client, ref)

    def list_vouchers(self, ref: str) -> tuple[Voucher, ...]:
        own, of_engine = together(
            lambda: vouchers.list_vouchers(self.client, ref), lambda: offers.read_own(self.client, ref)
        )
        return (*own, *offers.describe_offers(self.client, ref, of_engine))

    def find_voucher(self, ref: str, code: str) -> Voucher:
        return codes.look(self.client, ref, code)

    def get_history(self, ref: str, until: datetime | None = None, limit: int = NEWEST) -> History:
        return list_movements(self.client.journal, ref, until, limit, given_back=release.given_back)

    def preview_earn(self, ref: str, cart: Cart) -> int | None:
        return worth.preview_sale(self.client, ref, cart)

    def find_spend(self, intent: SpendIntent) -> SpendFinding:
        return find(spending.way_of(self.client, intent.kind), intent)

    def list_stores(self) -> tuple[ProviderStore, ...]:
        return venues.list_stores(self.client)

    def check(self) -> CheckResult:
        started = time.perf_counter()
        # Only an administrator's token lists users, so this proves key and token alike.
        # Those who enrolled at a till, perhaps the newest, have no login yet.
        offers.check_access(self.client, self.client.rows("/users", operation="check", limit=NEWEST_USERS))
        latency_ms = round((time.perf_counter() - started) * 1000)
        host = urlsplit(self.client.settings.base_url).hostname or ""
        tiers = len(venues.list_tiers(self.client))
        return CheckResult(account=f"{host} ({tiers} tiers)", latency_ms=latency_ms)

    # --- Writes -----------------------------------------------------------------------------------

    def spend(self, intent: SpendIntent) -> Spend:
        return spend(spending.way_of(self.client, intent.kind), intent)

    def release(self, spend: Spend) -> None:
        release.release(self.client, spend)

    def release_part(self, spend: Spend, points: int, key: str) -> None:
        release.release_part(self.client, spend, points, key)

    def confirm(self, spend: Spend, order: Order) -> None:
        release.confirm(self.client, spend, order.order_id)

    def enrol(self, profile: MemberProfile, consents: Consents) -> Member:
        return members.enrol(self.client, profile, consents)

    def record_order(self, order: Order) -> PointsChange:
        return orders.record_order(self.client, order)

    def record_return(self, ret: Return) -> PointsChange:
        return orders.record_return(self.client, ret)

    def cancel_order(self, order: Order) -> PointsChange:
        return orders.cancel_order(self.client, order)

    # --- Webhooks ---------------------------------------------------------------------------------

    def parse_webhook(self, request: WebhookRequest) -> tuple[WebhookEvent, ...]:
        return webhooks.parse(self.client, request)
