"""The member and the rewards of `reading_vendor.py` in memory: a page without a call."""

from decimal import Decimal

from providers.base import ProviderConfig
from providers.types import (
    Balance,
    Cart,
    Discount,
    DiscountKind,
    Lock,
    LockReason,
    Member,
    Money,
    Reward,
    Voucher,
)
from tests.load.reading_vendor import POINTS, REWARDS
from tests.redemptions.memory_provider import Ledger, MemoryProvider


class InMemory(MemoryProvider):
    """The same answers without a call."""

    kind = "memory"
    is_local = True

    def __init__(self, config: ProviderConfig) -> None:
        super().__init__(Ledger())
        self.config = config

    def get_member(self, ref: str) -> Member:
        return Member(ref=ref, member_id=ref, first_name="Mia", balance=Balance(spendable=POINTS))

    def list_rewards(self, ref: str, cart: Cart) -> tuple[Reward, ...]:
        return IN_MEMORY

    def list_vouchers(self, ref: str) -> tuple[Voucher, ...]:
        return ()


IN_MEMORY = tuple(
    Reward(
        reward_id=f"r-{points}",
        title=title,
        points=points,
        discount=Discount(kind=DiscountKind.FIXED, amount=Money(amount=Decimal(cents) / 100, currency="USD")),
        lock=Lock(reason=LockReason.POINTS, points_gap=points - POINTS) if points > POINTS else None,
    )
    for title, points, cents in REWARDS
)
