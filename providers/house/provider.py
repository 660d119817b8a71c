"""The house program as a provider: each method of the interface is one call into this package.

Errors of the database are not translated into ours: without it there is no page to show them on, and a spend
that fails with it stays UNCERTAIN until `find_spend` can look.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from django.core.cache import cache

from providers import clock
from providers.base import Capability, LoyaltyProvider
from providers.errors import Rejected
from providers.house import (
    birthday,
    campaigns,
    catalogue,
    codes,
    earning,
    erasure,
    expiry,
    history,
    mail_outs,
    members,
    pictures,
    referral,
    spending,
)
from providers.house.api import reports, reservations
from providers.house.models import Member as MemberRow
from providers.house.multipliers import of_cart
from providers.movements import NEWEST, History
from providers.sales import Finding, Order, PointsChange, Return, Spend, SpendFinding, SpendIntent
from providers.texts import id_key
from providers.types import (
    Cart,
    CheckResult,
    Consents,
    EnrolmentField,
    Member,
    MemberProfile,
    MemberQuery,
    Reward,
    Voucher,
)

HOUR_S = 3600
CODES_S = 5.0  # of each minute, for batches of codes and for mail-outs


class HouseProvider(LoyaltyProvider):
    """The embedded program: a ledger in our own database. `ref` is the member id."""

    kind = "house"
    finds_codes_as_ids = True
    is_local = True
    # Stores need no mapping, and nothing is delivered: everything happens in this database.
    capabilities = frozenset(Capability) - {
        Capability.STORES,
        Capability.WEBHOOKS,
        Capability.CANCELS_SPENDS,
        Capability.PIN,
        Capability.ENROL_WITH_ORDER,
        Capability.ANONYMOUS_SALES,  # its points are members' only
    }

    # The members that the reads of a block have read, by ref; None outside of one.
    _read: dict[str, MemberRow] | None = None

    @contextmanager
    def reading(self) -> Iterator[None]:
        self._read = {}
        try:
            yield
        finally:
            self._read = None

    # --- Reads ------------------------------------------------------------------------------------

    def find_members(self, query: MemberQuery) -> tuple[Member, ...]:
        return tuple(self._describe(member) for member in members.find(self.config.program, query))

    def find_refs(self, query: MemberQuery) -> tuple[str, ...]:
        return tuple(member.member_id for member in members.find(self.config.program, query))

    def get_member(self, ref: str) -> Member:
        member = self._member(ref)
        return replace(self._describe(member), referral=referral.describe(member))

    def list_rewards(self, ref: str, cart: Cart) -> tuple[Reward, ...]:
        return catalogue.list_rewards(self._member(ref), self.config.currency)

    def list_vouchers(self, ref: str) -> tuple[Voucher, ...]:
        return catalogue.list_vouchers(self._member(ref), self.config.currency)

    def find_voucher(self, ref: str, code: str) -> Voucher:
        try:
            own = super().find_voucher(ref, code)
        except Rejected:
            return campaigns.find_code(self._member(ref), code, self.config.currency, self._zone())
        if id_key(own.code) != id_key(code) and campaigns.is_code(self.config.program, code):
            # Own only by look-alike letters, while the code itself is one of a campaign.
            return campaigns.find_code(self._member(ref), code, self.config.currency, self._zone())
        return own

    def get_history(self, ref: str, until: datetime | None = None, limit: int = NEWEST) -> History:
        return history.list_movements(self._member(ref), until, limit)

    def preview_earn(self, ref: str, cart: Cart) -> int | None:
        if cart.total.currency != self.config.currency:
            return None
        purchase = of_cart(cart, clock.now())
        return earning.preview(self._member(ref), purchase, self.config.time_zone).points

    def find_spend(self, intent: SpendIntent) -> SpendFinding:
        hold = spending.find(self.config.program, intent)
        if hold is None:
            return SpendFinding(finding=Finding.DID_NOT)
        return SpendFinding(finding=Finding.HAPPENED, spend=spending.describe(hold))

    def check(self) -> CheckResult:
        started = time.perf_counter()
        count = MemberRow.objects.filter(program=self.config.program, merged_into=None).count()
        latency_ms = round((time.perf_counter() - started) * 1000)
        return CheckResult(account=f"{self.config.program} ({count} members)", latency_ms=latency_ms)

    # --- Writes -----------------------------------------------------------------------------------

    def spend(self, intent: SpendIntent) -> Spend:
        return spending.describe(spending.spend(self.config.program, intent, zone=self._zone()))

    def release(self, spend: Spend) -> None:
        spending.release(self.config.program, spend)

    def release_part(self, spend: Spend, points: int, key: str) -> None:
        spending.release_part(self.config.program, spend, points, key)

    def confirm(self, spend: Spend, order: Order) -> None:
        spending.capture(self.config.program, spend, order)

    def enrol(self, profile: MemberProfile, consents: Consents) -> Member:
        return self._describe(members.enrol(self.config.program, profile, consents))

    def enrolment_fields(self) -> frozenset[EnrolmentField]:
        asked = {
            EnrolmentField.BIRTHDAY: birthday.rule_of(self.config.program),
            EnrolmentField.REFERRAL_CODE: referral.rule_of(self.config.program),
        }
        return frozenset(name for name, rule in asked.items() if rule)

    def enter_referral(self, ref: str, code: str) -> None:
        referral.enter_later(self.config.program, ref, code)

    def change_consents(self, ref: str, consents: Consents) -> Member:
        return self._describe(members.change_consents(self.config.program, ref, consents))

    def record_order(self, order: Order) -> PointsChange:
        config = self.config
        entry = earning.record_order(config.program, config.currency, order, config.time_zone)
        return PointsChange(points=entry.points)

    def record_return(self, ret: Return) -> PointsChange:
        if ret.reported_as and not earning.earned_with(self.config.program, ret.reported_as):
            return PointsChange(points=0)  # the web shop reported no such order
        entry = earning.record_return(self.config.program, self.config.currency, ret)
        referral.settle(self.config.program, self._zone(), entry.order_id)
        return PointsChange(points=entry.points)

    def cancel_order(self, order: Order) -> PointsChange:
        entry = earning.cancel_order(self.config.program, order)
        referral.settle(self.config.program, self._zone(), entry.order_id)
        return PointsChange(points=entry.points)

    def maintain(self) -> None:
        reservations.expire_all(self.config.program, clock.now())
        codes.store_batches(self.config.program, CODES_S)
        mail_outs.give_codes(self.config.program, self._zone(), CODES_S)
        referral.settle(self.config.program, self._zone())
        self._give_birthday_gifts()
        self._expire_points()

    @classmethod
    def forget_old(cls, before: datetime) -> int:
        return reports.forget_old(before) + reservations.forget_old(before) + pictures.forget_unused(before)

    def former_refs(self, ref: str) -> tuple[str, ...]:
        cards = MemberRow.objects.filter(program=self.config.program, merged_into__member_id=ref)
        return tuple(cards.values_list("member_id", flat=True))

    def erase_member(self, ref: str, pseudonym: str) -> int:
        return erasure.erase_member(self.config.program, ref, pseudonym)

    def _give_birthday_gifts(self) -> None:
        # A day has many hours, so once in each is enough, unless the time did not suffice for all.
        key = f"house:birthdays:{self.config.program}"
        if cache.add(key, True, HOUR_S) and not birthday.give_gifts(
            self.config.program, self._zone(), clock.now(), CODES_S
        ):
            cache.delete(key)

    def _zone(self) -> campaigns.Zone:
        return campaigns.Zone(time_zone=self.config.time_zone, country=self.config.country)

    def _expire_points(self) -> None:
        key, now = f"house:expiry:{self.config.program}", clock.now()
        if cache.add(key, True, HOUR_S):
            expiry.expire_all(self.config.program, now, self.config.time_zone)
            if expiry.is_due(self.config.program, now):
                cache.delete(key)  # more members than one call takes: the next minute goes on

    def _describe(self, member: MemberRow) -> Member:
        return members.describe(member, self.config.time_zone)

    def _member(self, ref: str) -> MemberRow:
        member = self._read.get(ref) if self._read else None
        if member is None:
            member = members.get(self.config.program, ref)
            if self._read is not None:
                self._read[ref] = member
        return member
