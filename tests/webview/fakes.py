"""A loyalty vendor for the pages' tests: three members, a full catalogue, and switches for trouble."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

from providers.base import Capability, LoyaltyProvider, ProviderConfig
from providers.errors import ProviderError, Rejected, RejectReason
from providers.movements import NEWEST, History, Movement, newest_first
from providers.sales import Finding, Order, PointsChange, Return, Spend, SpendFinding, SpendIntent
from providers.types import (
    Balance,
    Cart,
    CheckResult,
    Consents,
    Discount,
    DiscountKind,
    EnrolmentField,
    Expiring,
    Lock,
    LockReason,
    Member,
    MemberProfile,
    MemberQuery,
    Money,
    PointsRange,
    QueryKind,
    Reward,
    Tier,
    Voucher,
)

T = TypeVar("T")


def _open() -> threading.Event:
    gate = threading.Event()
    gate.set()
    return gate


def usd(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="USD")


def off(amount: str, minimum: str = "") -> Discount:
    return Discount(kind=DiscountKind.FIXED, amount=usd(amount), minimum=usd(minimum) if minimum else None)


MIA = Member(
    ref="L-00042",
    member_id="L-00042",
    first_name="Mia",
    last_name="Stone",
    email="mia@example.test",
    phone="+16175550100",
    balance=Balance(
        spendable=820,
        pending=60,
        expiring=(Expiring(points=120, at=datetime(2026, 11, 30, tzinfo=UTC)),),
    ),
    tier=Tier(
        name="Silver",
        next_name="Gold",
        progress=Decimal(820),
        threshold=Decimal(500),
        next_threshold=Decimal(1000),
    ),
)
NOAH = Member(
    ref="L-00043",
    member_id="L-00043",
    first_name="Noah",
    last_name="Berg",
    email="family@example.test",
    phone="+16175550101",
    balance=Balance(spendable=40),
    tier=Tier(name="Bronze", next_name="Silver", progress=Decimal(40), next_threshold=Decimal(500)),
)
ANNA = Member(
    ref="L-00044",
    member_id="L-00044",
    first_name="Anna",
    last_name="Berg",
    email="family@example.test",
    phone="+16175550102",
    balance=Balance(spendable=0),
)

REWARDS = (
    Reward(reward_id="ten-off", title="$10 off", points=200, discount=off("10.00")),
    Reward(
        reward_id="fifteen-percent",
        title="15% off everything",
        points=300,
        discount=Discount(kind=DiscountKind.PERCENT, percent=Decimal(15)),
        is_final=True,
    ),
    Reward(
        reward_id="fifty-off",
        title="$50 off",
        points=860,
        discount=off("50.00"),
        lock=Lock(reason=LockReason.POINTS, points_gap=40),
    ),
    Reward(
        reward_id="big-cart", title="$25 off a big cart", points=400, discount=off("25.00", minimum="142.40")
    ),
    Reward(
        reward_id="gold-gift",
        title="$30 birthday gift",
        points=100,
        discount=off("30.00"),
        lock=Lock(reason=LockReason.TIER, tier="Gold"),
    ),
    Reward(
        reward_id="free-shipping",
        title="Free shipping",
        points=50,
        discount=Discount(kind=DiscountKind.ONLINE_ONLY),
    ),
)
POINTS_AS_MONEY = Reward(
    reward_id="points-as-money",
    title="Points as money",
    points=100,
    discount=Discount(kind=DiscountKind.POINTS),
    points_range=PointsRange(
        minimum=100, maximum=5000, step=50, value_per_point=Money(amount=Decimal("0.05"), currency="USD")
    ),
)
VOUCHERS = (Voucher(voucher_id="v-birthday", title="Birthday voucher", discount=off("15.00")),)
MOVEMENTS = (
    Movement(at=datetime(2026, 3, 4, tzinfo=UTC), points=120, title="Order ACM-1001"),
    Movement(at=datetime(2026, 2, 1, tzinfo=UTC), points=-200, title="$10 off"),
)


@dataclass
class Vendor:
    """What the vendor knows, and how it behaves. `errors` by method name; while held it answers nothing."""

    members: dict[str, Member] = field(default_factory=lambda: {m.ref: m for m in (MIA, NOAH, ANNA)})
    rewards: tuple[Reward, ...] = REWARDS
    vouchers: tuple[Voucher, ...] = VOUCHERS
    unlisted: tuple[Voucher, ...] = ()  # found by their code only
    capabilities: frozenset[Capability] = frozenset(Capability) - {Capability.ENROL_WITH_ORDER}
    enrolment_fields: frozenset[EnrolmentField] = frozenset()
    referrals: list[tuple[str, str]] = field(default_factory=list)
    is_local: bool = True
    may_answer: threading.Event = field(default_factory=_open)
    errors: dict[str, ProviderError] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    spends: dict[str, Spend] = field(default_factory=dict)
    released: set[str] = field(default_factory=set)
    finding: Finding = Finding.CANNOT_TELL
    enrolled: list[tuple[MemberProfile, Consents]] = field(default_factory=list)
    answers: list[Consents] = field(default_factory=list)
    pins: dict[str, str] = field(default_factory=dict)  # of members who must type one
    movements: tuple[Movement, ...] = MOVEMENTS
    history_spendable: int | None = None  # None: the list may have gaps

    def hold(self) -> None:
        """Answer nothing until `let_go`: slower than any page, however slow this machine is."""
        self.is_local = False  # or the page itself would wait
        self.may_answer.clear()

    def let_go(self) -> None:
        self.may_answer.set()

    def down(self, error: ProviderError) -> None:
        """Let every read fail with `error`."""
        for name in ("find_members", "get_member", "list_rewards", "list_vouchers", "preview_earn"):
            self.errors[name] = error


class FakeProvider(LoyaltyProvider):
    kind = "fake"
    capabilities = frozenset(Capability)

    def __init__(self, vendor: Vendor) -> None:
        super().__init__(ProviderConfig(program="acme", currency="USD", country="US"))
        self.vendor = vendor
        # Class attributes of a real adapter; here a switch of the test.
        self.capabilities = vendor.capabilities  # type: ignore[misc]
        self.is_local = vendor.is_local  # type: ignore[misc]

    def _call(self, name: str, effect: Callable[[], T]) -> T:
        self.vendor.calls.append(name)
        self.vendor.may_answer.wait(30)
        if name in self.vendor.errors:
            raise self.vendor.errors[name]
        return effect()

    def find_members(self, query: MemberQuery) -> tuple[Member, ...]:
        key = {QueryKind.EMAIL: "email", QueryKind.PHONE: "phone"}.get(query.kind, "member_id")
        return self._call(
            "find_members",
            lambda: tuple(m for m in self.vendor.members.values() if getattr(m, key) == query.value),
        )

    def get_member(self, ref: str) -> Member:
        def effect() -> Member:
            if ref not in self.vendor.members:
                raise Rejected(RejectReason.MEMBER_NOT_FOUND)
            return self.vendor.members[ref]

        return self._call("get_member", effect)

    def list_rewards(self, ref: str, cart: Cart) -> tuple[Reward, ...]:
        return self._call("list_rewards", lambda: self.vendor.rewards)

    def list_vouchers(self, ref: str) -> tuple[Voucher, ...]:
        return self._call("list_vouchers", lambda: self.vendor.vouchers)

    def find_voucher(self, ref: str, code: str) -> Voucher:
        def effect() -> Voucher:
            for voucher in (*self.vendor.vouchers, *self.vendor.unlisted):
                if voucher.code.casefold() == code.casefold():
                    return voucher
            raise Rejected(RejectReason.REWARD_NOT_FOUND)

        return self._call("find_voucher", effect)

    def get_history(self, ref: str, until: datetime | None = None, limit: int = NEWEST) -> History:
        return self._call(
            "get_history",
            lambda: newest_first(list(self.vendor.movements), until, limit, self.vendor.history_spendable),
        )

    def preview_earn(self, ref: str, cart: Cart) -> int | None:
        return self._call("preview_earn", lambda: int(cart.total.amount))

    def spend(self, intent: SpendIntent) -> Spend:
        def effect() -> Spend:
            member = self.vendor.members[intent.member_ref]
            if intent.pin != (expected := self.vendor.pins.get(member.ref, intent.pin)):
                raise Rejected(
                    RejectReason.PIN_WRONG if intent.pin else RejectReason.PIN_NEEDED, expected[:0]
                )
            left = member.balance.spendable - intent.points
            if left < 0:
                raise Rejected(RejectReason.INSUFFICIENT_POINTS, points_gap=-left)
            balance = replace(member.balance, spendable=left)
            self.vendor.members[member.ref] = replace(member, balance=balance)
            spend = Spend(
                key=intent.key,
                member_ref=intent.member_ref,
                kind=intent.kind,
                provider_ref=f"ref-{intent.key}",
                points=intent.points,
            )
            self.vendor.spends[intent.key] = spend
            return spend

        return self._call("spend", effect)

    def find_spend(self, intent: SpendIntent) -> SpendFinding:
        self.vendor.calls.append("find_spend")
        if self.vendor.finding is not Finding.HAPPENED:
            return SpendFinding(finding=self.vendor.finding)
        spend = Spend(
            key=intent.key,
            member_ref=intent.member_ref,
            kind=intent.kind,
            provider_ref="found",
            points=intent.points,
        )
        return SpendFinding(finding=Finding.HAPPENED, spend=spend)

    def release(self, spend: Spend) -> None:
        def effect() -> None:
            if spend.key in self.vendor.released:
                return
            self.vendor.released.add(spend.key)
            member = self.vendor.members[spend.member_ref]
            balance = replace(member.balance, spendable=member.balance.spendable + spend.points)
            self.vendor.members[member.ref] = replace(member, balance=balance)

        self._call("release", effect)

    def confirm(self, spend: Spend, order: Order) -> None:
        return None

    def change_consents(self, ref: str, consents: Consents) -> Member:
        def effect() -> Member:
            self.vendor.answers.append(consents)
            return self.vendor.members[ref]

        return self._call("change_consents", effect)

    def enter_referral(self, ref: str, code: str) -> None:
        self._call("enter_referral", lambda: self.vendor.referrals.append((ref, code)))

    def enrolment_fields(self) -> frozenset[EnrolmentField]:
        return self.vendor.enrolment_fields

    def enrol(self, profile: MemberProfile, consents: Consents) -> Member:
        def effect() -> Member:
            self.vendor.enrolled.append((profile, consents))
            for member in self.vendor.members.values():
                if profile.email and member.email == profile.email:
                    return member
            member = Member(
                ref="L-NEW",
                member_id="L-NEW",
                first_name=profile.first_name,
                last_name=profile.last_name,
                email=profile.email,
                phone=profile.phone,
                balance=Balance(spendable=0),
            )
            self.vendor.members[member.ref] = member
            return member

        return self._call("enrol", effect)

    def record_order(self, order: Order) -> PointsChange:
        return PointsChange(points=0)

    def record_return(self, ret: Return) -> PointsChange:
        return PointsChange(points=0)

    def cancel_order(self, order: Order) -> PointsChange:
        return PointsChange(points=0)

    def check(self) -> CheckResult:
        return CheckResult(account="fake", latency_ms=0)
