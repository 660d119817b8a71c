"""A loyalty vendor in memory: one point a dollar, idempotent by order and return, fails on request."""

from collections import Counter
from dataclasses import dataclass, field

from django.db import connection

from providers.base import Capability, LoyaltyProvider
from providers.errors import ProviderError
from providers.sales import Finding, Order, PointsChange, Return, Spend, SpendFinding, SpendIntent
from providers.types import Balance, Cart, CheckResult, Member, MemberQuery, Reward, Voucher


@dataclass
class Books:
    """What the vendor has on record. `entries` are the points of each order, return and cancellation."""

    emails: dict[str, tuple[str, ...]] = field(default_factory=lambda: {"mia@example.test": ("mia",)})
    # NewStore's side: the loyalty ids in its customers' profiles.
    loyalty_ids: dict[str, str] = field(default_factory=dict)
    entries: dict[str, tuple[str, int]] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    returns: dict[str, Return] = field(default_factory=dict)
    spends: dict[str, str] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    # The errors of the next calls of that name; "after" ones happen after the effect.
    fail: dict[str, list[ProviderError]] = field(default_factory=dict)
    fail_after: dict[str, list[ProviderError]] = field(default_factory=dict)
    depth: int = 0

    def points(self, ref: str) -> int:
        return sum(points for member, points in self.entries.values() if member == ref)


class MemoryVendor(LoyaltyProvider):
    kind = "memory"
    capabilities = frozenset({Capability.EMAIL_LOOKUP, Capability.RELEASE_POINTS, Capability.PARTIAL_RETURN})

    def __init__(self, books: Books) -> None:
        self.books = books

    def _enter(self, name: str) -> None:
        assert len(connection.savepoint_ids) == self.books.depth, "a vendor call inside a transaction"
        self.books.calls[name] += 1
        if self.books.fail.get(name):
            raise self.books.fail[name].pop(0)

    def _leave(self, name: str) -> None:
        if self.books.fail_after.get(name):
            raise self.books.fail_after[name].pop(0)

    def find_members(self, query: MemberQuery) -> tuple[Member, ...]:
        self._enter("find_members")
        refs = self.books.emails.get(query.value, ())
        return tuple(Member(ref=ref, member_id=ref, balance=Balance(spendable=0)) for ref in refs)

    def record_order(self, order: Order) -> PointsChange:
        self._enter("record_order")
        points = int(order.earn_base.amount)
        self.books.orders.setdefault(order.order_id, order)
        self.books.entries.setdefault(f"order {order.order_id}", (order.member_ref, points))
        self._leave("record_order")
        return PointsChange(points=self.books.entries[f"order {order.order_id}"][1])

    def close_order(self, order: Order) -> None:
        self._enter("close_order")
        for spend in order.spends:
            self.books.spends[spend.key] = f"closed for {order.member_ref}"

    def record_return(self, ret: Return) -> PointsChange:
        self._enter("record_return")
        earned = self.books.entries[f"order {ret.order_id}"][1]
        points = -int(earned * ret.net.amount / ret.order_earn_base.amount)
        self.books.returns.setdefault(ret.return_id, ret)
        self.books.entries.setdefault(f"return {ret.return_id}", (ret.member_ref, points))
        self._leave("record_return")
        return PointsChange(points=points)

    def cancel_order(self, order: Order) -> PointsChange:
        self._enter("cancel_order")
        member, earned = self.books.entries.get(f"order {order.order_id}", (order.member_ref, 0))
        self.books.entries[f"cancel {order.order_id}"] = (member, -earned)
        self._leave("cancel_order")
        return PointsChange(points=-earned)

    def confirm(self, spend: Spend, order: Order) -> None:
        self._enter("confirm")
        assert self.books.spends.get(spend.key) != "released"
        self.books.spends[spend.key] = "confirmed"
        self._leave("confirm")

    def release(self, spend: Spend) -> None:
        self._enter("release")
        self.books.spends[spend.key] = "released"

    def spend(self, intent: SpendIntent) -> Spend:
        raise AssertionError("no test of events spends")

    def find_spend(self, intent: SpendIntent) -> SpendFinding:
        return SpendFinding(finding=Finding.CANNOT_TELL)

    def get_member(self, ref: str) -> Member:
        return Member(ref=ref, member_id=ref, balance=Balance(spendable=self.books.points(ref)))

    def list_rewards(self, ref: str, cart: Cart) -> tuple[Reward, ...]:
        return ()

    def list_vouchers(self, ref: str) -> tuple[Voucher, ...]:
        return ()

    def check(self) -> CheckResult:
        return CheckResult(account="memory", latency_ms=0)
