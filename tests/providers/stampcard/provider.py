"""Stampcard as a provider: each method of the interface is one call into this package."""

import time
from datetime import datetime

from providers.base import Capability, LoyaltyProvider, ProviderConfig
from providers.movements import NEWEST, History
from providers.outbound.budget import Budget
from providers.sales import Order, PointsChange, Return, Spend, SpendFinding, SpendIntent
from providers.types import (
    Cart,
    CheckResult,
    Member,
    MemberQuery,
    Reward,
    Voucher,
    WebhookEvent,
    WebhookRequest,
)
from tests.providers.stampcard import members, orders, spending, webhooks
from tests.providers.stampcard.client import KIND, Client, Settings


class StampcardProvider(LoyaltyProvider):
    """Stamps are points, and a redemption takes them at once. `ref` is the vendor's customer id."""

    kind = KIND
    capabilities = frozenset(
        {
            Capability.RELEASE_POINTS,
            Capability.EMAIL_LOOKUP,
            Capability.CODE_LOOKUP,
            Capability.HISTORY,
            Capability.WEBHOOKS,
            Capability.PARTIAL_RETURN,
        }
    )
    settings_class = Settings
    most_decimals = 2
    calls_of_page, calls_of_tap = 3, 2

    def __init__(self, config: ProviderConfig) -> None:
        super().__init__(config)
        self.client = Client(config)

    @property
    def budget(self) -> Budget:
        return self.client.budget

    # --- Reads ------------------------------------------------------------------------------------

    def find_members(self, query: MemberQuery) -> tuple[Member, ...]:
        return members.find(self.client, query)

    def get_member(self, ref: str) -> Member:
        return members.get(self.client, ref)

    def list_rewards(self, ref: str, cart: Cart) -> tuple[Reward, ...]:
        return members.list_rewards(self.client, ref)

    def list_vouchers(self, ref: str) -> tuple[Voucher, ...]:
        return ()  # Stampcard has none

    def get_history(self, ref: str, until: datetime | None = None, limit: int = NEWEST) -> History:
        return members.history(self.client, ref, until, limit)

    def find_spend(self, intent: SpendIntent) -> SpendFinding:
        return spending.find_spend(self.client, intent)

    def check(self) -> CheckResult:
        started = time.perf_counter()
        name = members.shop_name(self.client)
        return CheckResult(account=name, latency_ms=round((time.perf_counter() - started) * 1000))

    # --- Writes -----------------------------------------------------------------------------------

    def spend(self, intent: SpendIntent) -> Spend:
        return spending.spend(self.client, intent)

    def release(self, spend: Spend) -> None:
        spending.release(self.client, spend)

    def confirm(self, spend: Spend, order: Order) -> None:
        spending.confirm(self.client, spend, order)

    def record_order(self, order: Order) -> PointsChange:
        return orders.record_order(self.client, order)

    def record_return(self, ret: Return) -> PointsChange:
        return orders.record_return(self.client, ret)

    def cancel_order(self, order: Order) -> PointsChange:
        return orders.cancel_order(self.client, order)

    # --- Deliveries -------------------------------------------------------------------------------

    def parse_webhook(self, request: WebhookRequest) -> tuple[WebhookEvent, ...]:
        return webhooks.parse(self.client.settings.signing_secret, request)
