"""Builders of the core's arguments to the adapter, and what tests of spends ask for."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from providers.errors import Rejected, RejectReason
from providers.pongo.provider import PongoProvider
from providers.sales import Order, OrderLine, Return, Spend, SpendIntent, SpendKind
from providers.types import Cart, CartItem, Discount, DiscountKind, Money
from tests.providers.pongo.conftest import ANA, FIVE_OFF, MIA, Served

FIVE = Discount(kind=DiscountKind.FIXED, amount=Money(amount=Decimal("5.00"), currency="USD"))
TOTE_FREE = Discount(kind=DiscountKind.PRODUCT, skus=("TOTE-01",))

BUY = f"/v1/rewards/{FIVE_OFF}"
LOCK = f"/v1/customers/{MIA}/rewards/lock"


def usd(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="USD")


def a_cart(store: str = "boston-1") -> Cart:
    items = (
        CartItem(item_id="i1", product_id="JACKET-01", price=Decimal("129.00")),
        CartItem(item_id="i2", product_id="TOTE-01", price=Decimal("24.00")),
    )
    return Cart(cart_id="cart-1", total=usd("153.00"), items=items, store=store)


def an_intent(
    key: str = "key-1",
    item: str = FIVE_OFF,
    *,
    points: int = 100,
    kind: SpendKind = SpendKind.REWARD,
    discount: Discount = FIVE,
    ref: str = MIA,
    store: str = "boston-1",
    pin: str = "",
) -> SpendIntent:
    return SpendIntent(
        key=key,
        member_ref=ref,
        kind=kind,
        item_id=item,
        points=points,
        discount=discount,
        cart=a_cart(store),
        code="LOY-7Q2M",
        requested_at=datetime.now(UTC),
        pin=pin,
    )


def an_order(
    *spends: Spend,
    order_id: str = "order-1",
    base: str = "148.00",
    ref: str = MIA,
    store: str = "boston-1",
    lines: tuple[OrderLine, ...] = (),
) -> Order:
    return Order(
        order_id=order_id,
        external_id="100234",
        member_ref=ref,
        placed_at=datetime(2026, 5, 4, 12, 31, tzinfo=UTC),
        earn_base=usd(base),
        lines=lines,
        spends=spends,
        store=store,
    )


def a_line(item_id: str, sku: str, net: str, quantity: int = 1) -> OrderLine:
    return OrderLine(item_id=item_id, product_id=sku, quantity=quantity, net=Decimal(net))


def a_return(net: str, return_id: str = "return-1", base: str = "148.00") -> Return:
    return Return(
        return_id=return_id,
        order_id="order-1",
        member_ref=MIA,
        returned_at=datetime(2026, 5, 5, 9, 0, tzinfo=UTC),
        net=usd(net),
        order_earn_base=usd(base),
    )


def reason(provider: PongoProvider, **intent: object) -> RejectReason:
    """Return why this spend is refused."""
    with pytest.raises(Rejected) as caught:
        provider.spend(an_intent(**intent))  # type: ignore[arg-type]
    return caught.value.reason


def owned_by_ana(vendor: Served) -> str:
    return vendor.book.customers[ANA].won[0].hash
