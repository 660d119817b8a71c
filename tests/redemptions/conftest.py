"""A till, a vendor in memory and a NewStore that mints; each can be made to fail."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest
from django.utils import timezone

from loyaltyview.newstore.coupons import CouponRequest, MintedCode
from loyaltyview.newstore.errors import NewStoreError
from loyaltyview.programs.models import Program
from loyaltyview.redemptions import saga
from loyaltyview.redemptions.commands import Actor, RedeemRequest
from providers.sales import Order, SpendKind
from providers.types import Cart, Discount, DiscountKind, Money

from .memory_provider import Ledger, MemoryProvider

KIM = Actor(name="a-17", store_id="US_BOSTON_01", device_id="ipad-1")
TEN_DOLLARS = Discount(kind=DiscountKind.FIXED, amount=Money(amount=Decimal("10.00"), currency="USD"))


@dataclass
class Mint:
    """NewStore's coupon maker: the requests it got, and the error that it answers next."""

    requests: list[CouponRequest] = field(default_factory=list)
    error: NewStoreError | None = None
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def __call__(self, program: Program, request: CouponRequest) -> MintedCode:
        self.requests.append(request)
        if self.error:
            raise self.error
        return MintedCode(
            code=f"LOY{next(self.numbers):07d}", expires_at=timezone.now() + timedelta(minutes=15)
        )


@pytest.fixture
def newstore(monkeypatch: pytest.MonkeyPatch) -> Mint:
    mint = Mint()
    monkeypatch.setattr(saga, "mint_code", mint)
    return mint


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """Mia has 820 points."""
    ledger = Ledger()
    monkeypatch.setattr(Program, "provider", lambda self: MemoryProvider(ledger))
    return ledger


@pytest.fixture
def tap(program: Program) -> Callable[..., RedeemRequest]:
    """Make the request of one tap: $10 off for 200 points, unless the test says otherwise."""

    def make(key: str = "k-1", **changes: object) -> RedeemRequest:
        fields: dict[str, object] = {
            "program": program,
            "launch_id": "launch-1",
            "key": key,
            "cart": Cart(cart_id="cart-1", total=Money(amount=Decimal("129.90"), currency="USD")),
            "member_ref": "mia",
            "kind": SpendKind.REWARD,
            "item_id": "ten-off",
            "title": "$10 off",
            "points": 200,
            "discount": TEN_DOLLARS,
            "saving": Money(amount=Decimal("10.00"), currency="USD"),
            "actor": KIM,
        }
        return RedeemRequest(**(fields | changes))  # type: ignore[arg-type]

    return make


@pytest.fixture
def order() -> Order:
    return Order(
        order_id="order-1",
        external_id="ACM-1",
        member_ref="mia",
        placed_at=datetime(2026, 3, 4, 15, 20, tzinfo=UTC),
        earn_base=Money(amount=Decimal("119.90"), currency="USD"),
    )
