"""Yotpo Loyalty as a provider: each method of the interface is one call into this package."""

import time
from collections.abc import Callable
from datetime import datetime

from providers.base import Capability, LoyaltyProvider, ProviderConfig
from providers.currencies import HUNDREDTH_DECIMALS
from providers.errors import Unsupported
from providers.journal.spending import find, spend
from providers.movements import NEWEST, History
from providers.outbound.budget import Budget
from providers.sales import Order, PointsChange, Return, Spend, SpendFinding, SpendIntent, SpendKind
from providers.types import (
    Cart,
    CheckResult,
    Consents,
    Member,
    MemberProfile,
    MemberQuery,
    Reward,
    Voucher,
    WebhookEvent,
    WebhookRequest,
)
from providers.yotpo import members, orders, refunds, release, rewards, webhooks
from providers.yotpo.client import Client, client_for
from providers.yotpo.settings import Settings
from providers.yotpo.spending import Redemption
from providers.yotpo.stories import list_movements
from providers.yotpo.tiers import list_tiers, unknown_tiers


class YotpoProvider(LoyaltyProvider):
    """One Yotpo account. `ref` is opaque (`refs.py`); a spend's `provider_ref` is Yotpo's code."""

    kind = "yotpo"
    most_decimals = HUNDREDTH_DECIMALS
    # What a cart earns is not in the API, nor are a customer's unused codes, consents and stores.
    capabilities = frozenset(
        {
            Capability.HOLD,
            Capability.RELEASE_POINTS,
            Capability.VARIABLE_POINTS,
            Capability.PHONE_LOOKUP,
            Capability.EMAIL_LOOKUP,
            Capability.CODE_LOOKUP,
            Capability.ENROL,
            Capability.TIERS,
            Capability.HISTORY,
            Capability.WEBHOOKS,
            Capability.CANCELS_SPENDS,
            Capability.PARTIAL_RETURN,
            Capability.ONLINE_RETURN,
            Capability.PARTIAL_RELEASE,
        }
    )
    calls_of_page, calls_of_tap = 2, 2
    settings_class = Settings

    def __init__(self, config: ProviderConfig, sleep: Callable[[float], None] = time.sleep) -> None:
        super().__init__(config)
        self._sleep = sleep
        if not Settings.read(config.settings).delays_deduction:
            self.capabilities = self.capabilities - {Capability.HOLD}  # type: ignore[misc]  # of this account

    @property
    def client(self) -> Client:
        return client_for(self.config, self._sleep)

    @property
    def budget(self) -> Budget | None:
        return self.client.session.budget

    # --- Reads ------------------------------------------------------------------------------------

    def find_members(self, query: MemberQuery) -> tuple[Member, ...]:
        return members.find(self.client, query)

    def get_member(self, ref: str) -> Member:
        return members.get(self.client, ref)

    def list_rewards(self, ref: str, cart: Cart) -> tuple[Reward, ...]:
        return rewards.list_rewards(self.client, ref)

    def list_vouchers(self, ref: str) -> tuple[Voucher, ...]:
        """None: Yotpo does not say which codes of a customer are still unused."""
        return ()

    def get_history(self, ref: str, until: datetime | None = None, limit: int = NEWEST) -> History:
        return list_movements(self.client, ref, until, limit)

    def find_spend(self, intent: SpendIntent) -> SpendFinding:
        return find(Redemption(self.client), intent)

    def check(self) -> CheckResult:
        started = time.perf_counter()
        client = self.client
        tiers = list_tiers(client)
        latency_ms = round((time.perf_counter() - started) * 1000)
        account = f"GUID …{client.settings.guid[-4:]} ({len(tiers)} tiers)"
        if unknown := unknown_tiers(client, tiers):
            account += f", reward_values name tiers that it does not have: {', '.join(unknown)}"
        return CheckResult(account=account, latency_ms=latency_ms)

    # --- Writes -----------------------------------------------------------------------------------

    def spend(self, intent: SpendIntent) -> Spend:
        return spend(Redemption(self.client), intent)

    def release(self, spend: Spend) -> None:
        if spend.kind is SpendKind.VOUCHER:
            raise Unsupported("vouchers")
        release.release(self.client, spend)

    def release_part(self, spend: Spend, points: int, key: str) -> None:
        release.release_part(self.client, spend, points, key)

    def confirm(self, spend: Spend, order: Order) -> None:
        orders.confirm(self.client, spend, order)

    def enrol(self, profile: MemberProfile, consents: Consents) -> Member:
        return members.enrol(self.client, profile)

    def record_order(self, order: Order) -> PointsChange:
        return orders.record_order(self.client, order)

    def close_order(self, order: Order) -> None:
        orders.close_order(self.client, order)

    def record_return(self, ret: Return) -> PointsChange:
        return refunds.record_return(self.client, ret)

    def cancel_order(self, order: Order) -> PointsChange:
        return refunds.cancel_order(self.client, order)

    # --- Webhooks ---------------------------------------------------------------------------------

    def parse_webhook(self, request: WebhookRequest) -> tuple[WebhookEvent, ...]:
        return webhooks.parse(self.config.program, self.client.settings, request)

    # --- Our own rows -----------------------------------------------------------------------------

    @classmethod
    def forget_old(cls, before: datetime) -> int:
        return members.forget_old(before)

    def erase_member(self, ref: str, pseudonym: str) -> int:
        return members.erase(self.config.program, ref, pseudonym)
