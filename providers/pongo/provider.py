"""Pongo as a provider: each method of the interface is one call into this package."""

import time
from contextlib import suppress
from datetime import datetime

from providers.base import Capability, LoyaltyProvider, ProviderConfig
from providers.currencies import HUNDREDTH_DECIMALS
from providers.errors import AuthFailed, Unsupported
from providers.journal.history import list_movements
from providers.journal.spending import find, spend
from providers.movements import NEWEST, History
from providers.outbound import sharing
from providers.outbound.budget import Budget
from providers.pongo import account as accounts
from providers.pongo import members, merchant, orders, release, rewards, spending, webhooks
from providers.pongo.client import Client
from providers.pongo.settings import Settings
from providers.sales import Order, PointsChange, Return, Spend, SpendFinding, SpendIntent
from providers.sealing import unseal
from providers.types import (
    Cart,
    CheckResult,
    Consents,
    Member,
    MemberProfile,
    MemberQuery,
    ProviderStore,
    QueryKind,
    Reward,
    Voucher,
    WebhookEvent,
    WebhookRequest,
)


class PongoProvider(LoyaltyProvider):
    """One merchant at Pongo. `ref` is the customer's public id, the code of the customer's pass."""

    kind = "pongo"
    most_decimals = HUNDREDTH_DECIMALS
    finds_codes_as_ids = True
    # No holds, tiers, preview or points as money in its reference; bought rewards stay bought.
    capabilities = frozenset(
        {
            Capability.RELEASE_VOUCHER,
            Capability.PHONE_LOOKUP,
            Capability.EMAIL_LOOKUP,
            Capability.CODE_LOOKUP,
            Capability.ENROL,
            Capability.CONSENT_EMAIL,
            Capability.CONSENT_SMS,
            Capability.CONSENT_CHANGE,
            Capability.HISTORY,
            Capability.STORES,
            Capability.WEBHOOKS,
            Capability.PIN,
            Capability.ENROL_WITH_ORDER,
        }
    )
    has_our_history = True  # its reference has no call for a history
    calls_of_page, calls_of_tap = 3, 2  # a tap that lists the rewards makes one more
    settings_class = Settings

    def __init__(self, config: ProviderConfig) -> None:
        """Reads the connection: see `account`."""
        super().__init__(config)
        self.account = accounts.load(config.program, config.settings["base_url"])
        self.client = Client(config, self.account)
        settings = self.client.settings
        # Per program: Pongo may ignore the filter by e-mail, and the merchant decides when to enrol.
        wanted = {
            Capability.EMAIL_LOOKUP: settings.email_lookup,
            Capability.ENROL_WITH_ORDER: settings.enrol_with_order,
        }
        without = frozenset(capability for capability, is_wanted in wanted.items() if not is_wanted)
        self.capabilities = type(self).capabilities - without  # type: ignore[misc]
        self.known = rewards.KnownSkus.from_settings(settings)
        self.shop = spending.Shop(
            client=self.client, known=self.known, currency=config.currency, settle_s=settings.settle_s
        )

    @property
    def budget(self) -> Budget | None:
        return self.client.budget

    # --- Reads ------------------------------------------------------------------------------------

    def find_members(self, query: MemberQuery) -> tuple[Member, ...]:
        if query.kind is QueryKind.EMAIL and Capability.EMAIL_LOOKUP not in self.capabilities:
            raise Unsupported("email_lookup is off")
        return members.find(self.client, query)

    def get_member(self, ref: str) -> Member:
        return members.get(self.client, ref)

    def list_rewards(self, ref: str, cart: Cart) -> tuple[Reward, ...]:
        return rewards.list_rewards(self.client, ref, cart, self.known, self.config.currency)

    def list_vouchers(self, ref: str) -> tuple[Voucher, ...]:
        return rewards.list_vouchers(self.client, ref, self.known, self.config.currency)

    def get_history(self, ref: str, until: datetime | None = None, limit: int = NEWEST) -> History:
        return list_movements(self.shop.journal, ref, until, limit, keeps_undone=spending.was_bought)

    def find_spend(self, intent: SpendIntent) -> SpendFinding:
        return find(spending.way_of(self.shop, intent.kind), intent)

    def list_stores(self) -> tuple[ProviderStore, ...]:
        return merchant.list_stores(self.client)

    def check(self) -> CheckResult:
        started = time.perf_counter()
        _merchant_id, name = merchant.merchant_of(self.client)
        latency_ms = round((time.perf_counter() - started) * 1000)
        accounts.note_works(self.config.program)
        return CheckResult(account=name, latency_ms=latency_ms)

    # --- Writes -----------------------------------------------------------------------------------

    def spend(self, intent: SpendIntent) -> Spend:
        return spend(spending.way_of(self.shop, intent.kind), intent)

    def release(self, spend: Spend) -> None:
        release.release(self.shop, spend)

    def keep_with_customer(self, spend: Spend) -> bool:
        return release.keep_with_customer(self.shop, spend)

    def confirm(self, spend: Spend, order: Order) -> None:
        orders.confirm(self.shop, spend, order)

    def enrol(self, profile: MemberProfile, consents: Consents) -> Member:
        return members.enrol(self.client, profile, consents, self.client.settings.enrol_store)

    def enrol_with_order(self, order: Order, profile: MemberProfile, consents: Consents) -> Member:
        return orders.enlist(self.shop, order, profile, consents)

    def change_consents(self, ref: str, consents: Consents) -> Member:
        return members.change_consents(self.client, ref, consents)

    def record_order(self, order: Order) -> PointsChange:
        return orders.record(self.shop, order)

    def record_return(self, ret: Return) -> PointsChange:
        return orders.give_back(self.shop, ret)

    def cancel_order(self, order: Order) -> PointsChange:
        return orders.cancel(self.shop, order)

    # --- Webhooks ---------------------------------------------------------------------------------

    def parse_webhook(self, request: WebhookRequest) -> tuple[WebhookEvent, ...]:
        return webhooks.parse(request, self._signing_secrets())

    def note_member(self, ref: str) -> None:
        """Called by the worker for each `member_changed`: keeps the index of passes current. Other rewards
        may be for the customer now."""
        try:
            members.note_pass(self.client, ref)
        finally:
            sharing.forget_facts(self.config.program, ref)

    # --- Our own rows -----------------------------------------------------------------------------

    @classmethod
    def forget_old(cls, before: datetime) -> int:
        return members.forget_passes(before)

    def erase_member(self, ref: str, pseudonym: str) -> int:
        return members.forget_pass(self.config.program, ref)

    def _signing_secrets(self) -> tuple[str, ...]:
        secrets = [self.client.settings.signing_secret]
        with suppress(AuthFailed):
            secrets.append(unseal(self.account.sealed_signing_secret))
        if self.config.webhook_secret:
            secrets.append(webhooks.signing_secret(self.config.webhook_secret))
        return tuple(secret for secret in secrets if secret)
