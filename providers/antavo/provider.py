"""Antavo as a provider: each method of the interface is one call into this package."""

import time
from datetime import datetime

from providers.antavo import (
    coupons,
    feed,
    feed_alarms,
    members,
    orders,
    reservations,
    returns,
    rewards,
    spending,
    stories,
    waiting,
    webhooks,
)
from providers.antavo.client import VENDOR, Client, client_for
from providers.antavo.fields import table, whole
from providers.antavo.settings import Settings
from providers.base import Capability, LoyaltyProvider
from providers.errors import UnexpectedAnswer
from providers.journal.spending import find, spend
from providers.movements import NEWEST, History
from providers.outbound.budget import Budget
from providers.sales import Order, PointsChange, Return, Spend, SpendFinding, SpendIntent
from providers.types import (
    Cart,
    CheckResult,
    Consents,
    Member,
    MemberProfile,
    MemberQuery,
    ProviderAlarm,
    Reward,
    Voucher,
    WebhookEvent,
    WebhookRequest,
)

SENDING_S = 30.0  # in one run: the programs after this one wait for the same worker


class AntavoProvider(LoyaltyProvider):
    """One workspace. `ref` is the customer id. Reads touch no database, but for the journal that
    the history reads: pages call them in pool threads."""

    kind = VENDOR
    finds_codes_as_ids = True
    # No call lists the workspace's stores, and a claim is revoked as a whole or not at all.
    capabilities = frozenset(
        {
            Capability.HOLD,
            Capability.RELEASE_POINTS,
            Capability.RELEASE_VOUCHER,
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
            Capability.WEBHOOKS,
            Capability.PARTIAL_RETURN,
        }
    )
    calls_of_page, calls_of_tap = 5, 3
    settings_class = Settings

    @property
    def client(self) -> Client:
        return client_for(self.config)

    @property
    def lists_follow_cart(self) -> bool:
        return bool(self.client.settings.has_offers)

    @property
    def budget(self) -> Budget | None:
        return self.client.session.budget

    # --- Reads ------------------------------------------------------------------------------------

    def find_members(self, query: MemberQuery) -> tuple[Member, ...]:
        return members.find(self.client, query)

    def get_member(self, ref: str) -> Member:
        return members.get(self.client, ref)

    def list_rewards(self, ref: str, cart: Cart) -> tuple[Reward, ...]:
        return rewards.list_rewards(self.client, ref, cart)

    def list_vouchers(self, ref: str) -> tuple[Voucher, ...]:
        return coupons.list_vouchers(self.client, ref)

    def find_voucher(self, ref: str, code: str) -> Voucher:
        return coupons.find_voucher(self.client, ref, code.strip())

    def get_history(self, ref: str, until: datetime | None = None, limit: int = NEWEST) -> History:
        return stories.list_movements(self.client, ref, until, limit)

    def preview_earn(self, ref: str, cart: Cart) -> int | None:
        return orders.preview_earn(self.client, ref, cart)

    def find_spend(self, intent: SpendIntent) -> SpendFinding:
        return find(spending.way_of(self.client, intent), intent)

    def check(self) -> CheckResult:
        client = self.client
        started = time.perf_counter()
        answer = table(client.get("/customers/-/count", "check"))
        if "active" not in answer:
            raise UnexpectedAnswer("check: no count")
        count = whole(answer["active"])
        latency_ms = round((time.perf_counter() - started) * 1000)
        return CheckResult(
            account=f"{client.settings.stack} ({count} active customers)", latency_ms=latency_ms
        )

    # --- Writes -----------------------------------------------------------------------------------

    def spend(self, intent: SpendIntent) -> Spend:
        return spend(spending.way_of(self.client, intent), intent)

    def release(self, spend: Spend) -> None:
        spending.release(self.client, spend)

    def confirm(self, spend: Spend, order: Order) -> None:
        spending.confirm(self.client, spend, order)

    def enrol(self, profile: MemberProfile, consents: Consents) -> Member:
        return members.enrol(self.client, profile, consents)

    def record_order(self, order: Order) -> PointsChange:
        return orders.record_order(self.client, order)

    def record_return(self, ret: Return) -> PointsChange:
        return returns.record_return(self.client, ret)

    def cancel_order(self, order: Order) -> PointsChange:
        return orders.cancel_order(self.client, order)

    def send_queued(self) -> tuple[int, int]:
        """Send up to 50 of the waiting checkouts, or ask what became of those that were handed over. Return
        how many Antavo has now, and how many not. Called by `manage.py antavo_send`."""
        return (0, 0) if self.client.settings.orders == "feed" else waiting.send_due(self.client)

    def run_feed(self, *, everything: bool = False) -> feed.Run:
        """Write, deliver and look after daily files. Called by `manage.py antavo_feed`."""
        return feed.run(self.client, everything=everything)

    def alarms(self) -> tuple[ProviderAlarm, ...]:
        return feed_alarms.alarms(self.client)

    def burn_forgotten(self) -> int:
        """Burn points reserved for orders that never earned. Called by `manage.py antavo_send`."""
        return reservations.burn_forgotten(self.client)

    def maintain(self) -> None:
        began = time.monotonic()
        while any(self.send_queued()) and time.monotonic() - began < SENDING_S:
            pass
        if feed.has_work(self.client):
            self.run_feed()
        self.burn_forgotten()

    # --- Webhooks ---------------------------------------------------------------------------------

    def parse_webhook(self, request: WebhookRequest) -> tuple[WebhookEvent, ...]:
        return webhooks.parse(Settings.read(self.config.settings), request)
