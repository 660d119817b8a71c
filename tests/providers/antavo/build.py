"""Builders for the tests of Antavo's adapter."""

import itertools
from datetime import UTC, datetime
from decimal import Decimal

from providers.sales import Order, OrderLine, Return, Spend, SpendIntent, SpendKind
from providers.types import Cart, CartItem, Discount, DiscountKind, Money
from tests.providers.antavo.conftest import MIA

_numbers = itertools.count(1)


def usd(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="USD")


def cart(total: str = "80.00", *products: str, store: str = "boston-1") -> Cart:
    names = products or ("SHIRT-01",)
    price = (Decimal(total) / len(names)).quantize(Decimal("0.01"))
    items = tuple(CartItem(item_id=f"i-{n}", product_id=name, price=price) for n, name in enumerate(names))
    return Cart(cart_id="cart-1", total=usd(total), items=items, store=store)


def intent(
    item_id: str = "five-off",
    points: int = 100,
    *,
    kind: SpendKind = SpendKind.REWARD,
    discount: Discount | None = None,
    key: str = "",
    in_cart: Cart | None = None,
    ref: str = MIA,
) -> SpendIntent:
    return SpendIntent(
        key=key or f"7d1b5a3c9e4f4a6b8c2d1e0f9a8b7c6d-{next(_numbers)}",
        member_ref=ref,
        kind=kind,
        item_id=item_id,
        points=points,
        discount=discount or Discount(kind=DiscountKind.FIXED, amount=usd("5.00")),
        cart=in_cart or cart(),
        code="LOY-7Q2M",
        requested_at=datetime.now(UTC),
    )


def points_intent(points: int = 200) -> SpendIntent:
    return intent("points", points, kind=SpendKind.POINTS)


def voucher_intent(code: str, discount: Discount | None = None, in_cart: Cart | None = None) -> SpendIntent:
    return intent(code, 0, kind=SpendKind.VOUCHER, discount=discount, in_cart=in_cart)


def order(
    order_id: str = "order-1",
    base: str = "80.00",
    spends: tuple[Spend, ...] = (),
    *,
    ref: str = MIA,
    placed_at: datetime | None = None,
) -> Order:
    line = OrderLine(item_id="i-1", product_id="SHIRT-01", quantity=2, net=Decimal(base))
    return Order(
        order_id=order_id,
        external_id="100234",
        member_ref=ref,
        placed_at=placed_at or datetime.now(UTC),
        earn_base=usd(base),
        lines=(line,),
        spends=spends,
        store="boston-1",
    )


def goods(net: str, return_id: str = "return-1", base: str = "80.00", *, reported_as: str = "") -> Return:
    return Return(
        return_id=return_id,
        order_id="order-1",
        member_ref=MIA,
        returned_at=datetime.now(UTC),
        net=usd(net),
        order_earn_base=usd(base),
        reported_as=reported_as,
    )
