"""A vendor in memory that answers every call after 50 ms."""

import time
from collections import defaultdict
from decimal import Decimal

from providers.base import ProviderConfig
from providers.sales import Spend, SpendIntent
from providers.types import Cart, Discount, DiscountKind, Member, Money, Reward
from tests.redemptions.memory_provider import Ledger, MemoryProvider

ANSWERS_AFTER_S = 0.05

LEDGER = Ledger(points=defaultdict(lambda: 1_000_000))
TEN_OFF = Reward(
    reward_id="ten-off",
    title="$10 off",
    points=200,
    discount=Discount(kind=DiscountKind.FIXED, amount=Money(amount=Decimal("10.00"), currency="USD")),
)


class SlowVendor(MemoryProvider):
    """Answers the calls of a tap: member and rewards (in parallel), then the spend."""

    kind = "house"

    def __init__(self, config: ProviderConfig) -> None:
        super().__init__(LEDGER)
        self.config = config

    def get_member(self, ref: str) -> Member:
        time.sleep(ANSWERS_AFTER_S)
        return super().get_member(ref)

    def list_rewards(self, ref: str, cart: Cart) -> tuple[Reward, ...]:
        time.sleep(ANSWERS_AFTER_S)
        return (TEN_OFF,)

    def spend(self, intent: SpendIntent) -> Spend:
        time.sleep(ANSWERS_AFTER_S)
        return super().spend(intent)
