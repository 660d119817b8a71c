"""Builders for the tests of Yotpo: its options by their ids, intents, orders and returns."""

import itertools
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from providers.sales import Order, OrderLine, Return, Spend, SpendIntent, SpendKind
from providers.types import Cart, Discount, DiscountKind, MemberQuery, Money, QueryKind
from providers.yotpo.provider import YotpoProvider

MIA, LEO, ANA = "mia@example.test", "leo@example.test", "ana@example.test"
FIVE_OFF, TEN_OFF, TOTE, FIFTEEN_PERCENT = "90210", "90211", "90212", "90213"
TWENTY_FIVE_OFF, POINTS, GOLD_FORTY, SHIPPING = "90214", "90215", "90216", "90217"

CART = Cart(cart_id="cart-1", total=Money(amount=Decimal("80.00"), currency="USD"), store="boston-1")
_numbers = itertools.count(1)


def ref(provider: YotpoProvider, email: str) -> str:
    (member,) = provider.find_members(MemberQuery(kind=QueryKind.EMAIL, value=email))
    return member.ref


def points_of(provider: YotpoProvider, member_ref: str) -> tuple[int, int]:
    """Return what is spendable and what is reserved."""
    balance = provider.get_member(member_ref).balance
    return balance.spendable, balance.reserved


def make_intent(
    member_ref: str,
    option: str = FIVE_OFF,
    points: int = 100,
    *,
    kind: SpendKind = SpendKind.REWARD,
    key: str = "",
) -> SpendIntent:
    return SpendIntent(
        key=key or f"7d1b5a3c9e4f4a6b8c2d1e0f9a8b7c6d-{next(_numbers)}",
        member_ref=member_ref,
        kind=kind,
        item_id=option,
        points=points,
        discount=Discount(kind=DiscountKind.FIXED, amount=Money(amount=Decimal(5), currency="USD")),
        cart=CART,
        code="NS-CODE",
        requested_at=timezone.now(),
    )


def make_order(
    member_ref: str, *spends: Spend, base: str = "80.00", order_id: str = "order-1", store: str = "boston-1"
) -> Order:
    return Order(
        order_id=order_id,
        external_id="100234",
        member_ref=member_ref,
        placed_at=datetime(2026, 11, 24, 12, tzinfo=UTC),
        earn_base=Money(amount=Decimal(base), currency="USD"),
        lines=(
            OrderLine(item_id="1", product_id="SHIRT-01", quantity=1, net=Decimal("35.05")),
            OrderLine(item_id="2", product_id="SHIRT-01", quantity=1, net=Decimal("34.95")),
            OrderLine(item_id="3", product_id="SOCKS-01", quantity=1, net=Decimal("10.00")),
        ),
        spends=spends,
        store=store,
        associate_id="a-17",
    )


def make_return(member_ref: str, net: str, return_id: str = "return-1", **fields: Any) -> Return:
    return Return(
        return_id=return_id,
        order_id="order-1",
        member_ref=member_ref,
        returned_at=datetime(2026, 11, 24, 13, tzinfo=UTC),
        net=Money(amount=Decimal(net), currency="USD"),
        order_earn_base=Money(amount=Decimal("80.00"), currency="USD"),
        **fields,
    )
