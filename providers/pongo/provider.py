"""Pongo as a provider: each method of the interface is one call into this package."""

import re
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from providers.base import Capability, LoyaltyProvider, ProviderConfig
from providers.currencies import HUNDREDTH_DECIMALS
from providers.errors import AuthFailed, SettingsError, Unsupported
from providers.outbound.budget import Budget
from providers.pongo import account as accounts
from providers.pongo import catalogue, customers, oauth, orders, retention, spending, stores, webhooks
from providers.pongo.client import Client
from providers.pongo.names import names_with
from providers.sealing import unseal
from providers.settings import SettingSpec
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
    QueryKind,
    Return,
    Reward,
    Spend,
    SpendFinding,
    SpendIntent,
    Voucher,
    WebhookEvent,
    WebhookRequest,
)


class PongoProvider(LoyaltyProvider):
    """One merchant at Pongo. `ref` is the customer's public id, the code of her pass."""

    kind = "pongo"
    most_decimals = HUNDREDTH_DECIMALS
    finds_codes_as_ids = True
    # No holds, tiers, history, preview or points as money in its reference; bought rewards stay bought.
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
            Capability.STORES,
            Capability.WEBHOOKS,
        }
    )
    calls_of_page, calls_of_tap = 3, 2
    setting_specs = (
        SettingSpec(
            name="base_url",
            default="https://api.heypongo.com",
            help="Pongo's address; its sandbox is https://sandbox-api.heypongo.com.",
        ),
        SettingSpec(name="client_id", help="Of the partner account, to connect merchants from admin."),
        SettingSpec(name="client_secret", is_secret=True, help="Of the partner account."),
        SettingSpec(
            name="access_token",
            is_secret=True,
            help="A token that Pongo handed out, for merchants who are not connected from admin.",
        ),
        SettingSpec(name="enrol_store", help="Slug of the store to enrol at when the till's is not mapped."),
        SettingSpec(name="skus", help="This retailer's SKUs, comma-separated: others are no free products."),
        SettingSpec(name="sku_pattern", help="A regular expression that this retailer's SKUs match."),
        SettingSpec(
            name="email_lookup",
            type=bool,
            default=True,
            help="Off where Pongo ignores the filter by e-mail: then it only costs time.",
        ),
        SettingSpec(name="requests_per_minute", type=int, default=60, help="Our share of Pongo's limit."),
        SettingSpec(
            name="catalogue_cache_s", type=int, default=30, help="How long a catalogue is kept; 0: not."
        ),
        SettingSpec(
            name="settle_s",
            type=int,
            default=60,
            help="After how many seconds a purchase that left no trace did not happen.",
        ),
        SettingSpec(
            name="signing_secret",
            is_secret=True,
            help="Of webhooks that were set up by hand; those subscribed from admin need none.",
        ),
        SettingSpec(name="names", type=dict, help="Corrections of names in Pongo's API, see names.py."),
    )

    def __init__(self, config: ProviderConfig) -> None:
        """Reads the connection: see `account`."""
        super().__init__(config)
        if not config.settings["email_lookup"]:
            without = type(self).capabilities - {Capability.EMAIL_LOOKUP}
            self.capabilities = without  # type: ignore[misc]  # per program, where Pongo ignores the filter
        self.account = accounts.load(config.program, config.settings["base_url"])
        self.client = Client(config, self.account)
        self.known = catalogue.KnownSkus.from_settings(config.settings)
        self.shop = spending.Shop(
            client=self.client,
            known=self.known,
            currency=config.currency,
            settle_s=config.settings["settle_s"],
        )

    @classmethod
    def validate_settings(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        settings = super().validate_settings(given)
        names_with(settings["names"])
        try:
            re.compile(settings["sku_pattern"] or "")
        except re.error as error:
            raise SettingsError("sku_pattern", "is no regular expression") from error
        for name, least in (("requests_per_minute", 1), ("catalogue_cache_s", 0), ("settle_s", 1)):
            if settings[name] < least:
                raise SettingsError(name, f"must be at least {least}")
        return settings

    @property
    def budget(self) -> Budget | None:
        return self.client.budget

    # --- Reads ------------------------------------------------------------------------------------

    def find_members(self, query: MemberQuery) -> tuple[Member, ...]:
        if query.kind is QueryKind.EMAIL and Capability.EMAIL_LOOKUP not in self.capabilities:
            raise Unsupported("email_lookup is off")
        return customers.find(self.client, query)

    def get_member(self, ref: str) -> Member:
        return customers.get(self.client, ref)

    def list_rewards(self, ref: str, cart: Cart) -> tuple[Reward, ...]:
        cache_s: int = self.config.settings["catalogue_cache_s"]
        return catalogue.list_rewards(self.client, ref, cart, self.known, self.config.currency, cache_s)

    def list_vouchers(self, ref: str) -> tuple[Voucher, ...]:
        return catalogue.list_vouchers(self.client, ref, self.known, self.config.currency)

    def find_spend(self, intent: SpendIntent) -> SpendFinding:
        return spending.find(self.shop, intent)

    def list_stores(self) -> tuple[ProviderStore, ...]:
        return stores.list_stores(self.client)

    def check(self) -> CheckResult:
        started = time.perf_counter()
        _merchant_id, name = oauth.merchant_of(self.client)
        latency_ms = round((time.perf_counter() - started) * 1000)
        accounts.note_works(self.config.program)
        return CheckResult(account=name, latency_ms=latency_ms)

    # --- Writes -----------------------------------------------------------------------------------

    def spend(self, intent: SpendIntent) -> Spend:
        return spending.spend(self.shop, intent)

    def release(self, spend: Spend) -> None:
        spending.release(self.shop, spend)

    def leave(self, spend: Spend) -> bool:
        return spending.leave(self.shop, spend)

    def confirm(self, spend: Spend, order: Order) -> None:
        orders.confirm(self.shop, spend, order)

    def enrol(self, profile: MemberProfile, consents: Consents) -> Member:
        store: str = self.config.settings["enrol_store"] or ""
        return customers.enrol(self.client, profile, consents, store)

    def change_consents(self, ref: str, consents: Consents) -> Member:
        return customers.change_consents(self.client, ref, consents)

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
        """Called by the worker for each `member_changed`: keeps the index of passes current."""
        customers.note_pass(self.client, ref)

    # --- Our own rows -----------------------------------------------------------------------------

    @classmethod
    def forget_old(cls, before: datetime) -> int:
        return retention.forget_old(before)

    def erase_member(self, ref: str, pseudonym: str) -> int:
        return retention.erase_member(self.config.program, ref, pseudonym)

    def _signing_secrets(self) -> tuple[str, ...]:
        secrets = [self.config.settings["signing_secret"] or ""]
        with suppress(AuthFailed):
            secrets.append(unseal(self.account.sealed_signing_secret))
        if self.config.webhook_secret:
            secrets.append(webhooks.signing_secret(self.config.webhook_secret))
        return tuple(secret for secret in secrets if secret)
