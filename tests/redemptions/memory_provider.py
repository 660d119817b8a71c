"""A loyalty vendor in memory, whose calls can be made to fail before or after their effect."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from providers.base import Capability, LoyaltyProvider
from providers.errors import OutcomeUnknown, ProviderError, Rejected, RejectReason
from providers.sales import Finding, Order, PointsChange, Return, Spend, SpendFinding, SpendIntent
from providers.types import Balance, Cart, CheckResult, Member, MemberQuery, Reward, Voucher


@dataclass
class Ledger:
    """What this vendor has: the points of each member, and every spend with its state."""

    points: dict[str, int] = field(default_factory=lambda: {"mia": 820})
    spends: dict[str, tuple[Spend, str]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    # Called instead of, or after, the effect of the next call of that name.
    before: dict[str, ProviderError] = field(default_factory=dict)
    after: dict[str, ProviderError] = field(default_factory=dict)
    can_find: bool = True

    def state_of(self, key: str) -> str:
        return self.spends[key][1] if key in self.spends else "absent"


class MemoryProvider(LoyaltyProvider):
    """Points leave at once; everything can be given back unless `capabilities` is narrowed."""

    kind = "memory"
    capabilities = frozenset({Capability.RELEASE_POINTS, Capability.RELEASE_VOUCHER})

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def _call(self, name: str, effect: Callable[[], Any]) -> Any:
        self.ledger.calls.append(name)
        if name in self.ledger.before:
            raise self.ledger.before.pop(name)
        result = effect()
        if name in self.ledger.after:
            raise self.ledger.after.pop(name)
        return result

    def spend(self, intent: SpendIntent) -> Spend:
        def effect() -> Spend:
            gap = intent.points - self.ledger.points[intent.member_ref]
            if gap > 0:
                raise Rejected(RejectReason.INSUFFICIENT_POINTS, points_gap=gap)
            self.ledger.points[intent.member_ref] -= intent.points
            spend = Spend(
                key=intent.key,
                member_ref=intent.member_ref,
                kind=intent.kind,
                provider_ref=f"ref-{intent.key}",
                points=intent.points,
            )
            assert intent.key not in self.ledger.spends, "a spend was repeated"
            self.ledger.spends[intent.key] = (spend, "spent")
            return spend

        result: Spend = self._call("spend", effect)
        return result

    def find_spend(self, intent: SpendIntent) -> SpendFinding:
        def effect() -> SpendFinding:
            if not self.ledger.can_find:
                return SpendFinding(finding=Finding.CANNOT_TELL)
            if intent.key in self.ledger.spends:
                return SpendFinding(finding=Finding.HAPPENED, spend=self.ledger.spends[intent.key][0])
            return SpendFinding(finding=Finding.DID_NOT)

        result: SpendFinding = self._call("find_spend", effect)
        return result

    def release(self, spend: Spend) -> None:
        def effect() -> None:
            kept, state = self.ledger.spends[spend.key]
            if state != "released":
                self.ledger.points[spend.member_ref] += kept.points
                self.ledger.spends[spend.key] = (kept, "released")

        self._call("release", effect)

    def confirm(self, spend: Spend, order: Order) -> None:
        def effect() -> None:
            kept, state = self.ledger.spends[spend.key]
            if state == "released":
                raise Rejected(RejectReason.NOT_ALLOWED)
            self.ledger.spends[spend.key] = (kept, "confirmed")

        self._call("confirm", effect)

    def find_members(self, query: MemberQuery) -> tuple[Member, ...]:
        return ()

    def get_member(self, ref: str) -> Member:
        return Member(ref=ref, member_id=ref, balance=Balance(spendable=self.ledger.points[ref]))

    def list_rewards(self, ref: str, cart: Cart) -> tuple[Reward, ...]:
        return ()

    def list_vouchers(self, ref: str) -> tuple[Voucher, ...]:
        return ()

    def check(self) -> CheckResult:
        return CheckResult(account="memory", latency_ms=0)

    def record_order(self, order: Order) -> PointsChange:
        return PointsChange(points=0)

    def record_return(self, ret: Return) -> PointsChange:
        return PointsChange(points=0)

    def cancel_order(self, order: Order) -> PointsChange:
        return PointsChange(points=0)


TIMED_OUT = OutcomeUnknown("read timed out")
