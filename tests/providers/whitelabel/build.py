"""Builders for the tests of this vendor's own rules."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from loyaltyview.sandbox.vendors.whitelabel.sample import fixed_id
from providers.journal.models import Write, WriteKind, WriteState
from providers.sales import Order, OrderLine, Return, Spend, SpendIntent, SpendKind
from providers.types import Cart, CartItem, Discount, DiscountKind, Money

SECRET = "tenant-secret-1-of-the-acme-club"
FIVE_OFF = fixed_id("reward-$5 off")
TWENTY_FIVE_OFF = fixed_id("reward-$25 off")
MUSEUM = fixed_id("reward-Museum ticket")


def usd(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="USD")


CART = Cart(
    cart_id="cart-1",
    total=usd("92.40"),
    items=(
        CartItem(item_id="item-1", product_id="SHIRT-01", price=Decimal("79.90")),
        CartItem(item_id="item-2", product_id="SOCKS-01", price=Decimal("12.50")),
    ),
    store="boston-1",
)


def fixed(amount: str) -> Discount:
    return Discount(kind=DiscountKind.FIXED, amount=usd(amount))


def reward_intent(ref: str, key: str = "key-1", item_id: str = FIVE_OFF, points: int = 100) -> SpendIntent:
    return intent(ref, SpendKind.REWARD, key, item_id, points, fixed("5"))


def voucher_intent(ref: str, item_id: str, key: str = "key-1", amount: str = "10") -> SpendIntent:
    return intent(ref, SpendKind.VOUCHER, key, item_id, 0, fixed(amount))


def points_intent(ref: str, points: int, key: str = "key-1") -> SpendIntent:
    discount = Discount(kind=DiscountKind.POINTS, amount=usd(f"{points / 100:.2f}"))
    return intent(ref, SpendKind.POINTS, key, "points", points, discount)


def intent(ref: str, kind: SpendKind, key: str, item_id: str, points: int, discount: Discount) -> SpendIntent:
    return SpendIntent(
        key=key,
        member_ref=ref,
        kind=kind,
        item_id=item_id,
        points=points,
        discount=discount,
        cart=CART,
        code="LOY-7Q2M",
        requested_at=datetime.now(UTC),
    )


def order(ref: str, base: str = "80.00", order_id: str = "order-1", spends: tuple[Spend, ...] = ()) -> Order:
    line = OrderLine(item_id="item-1", product_id="SHIRT-01", quantity=1, net=Decimal(base))
    return Order(
        order_id=order_id,
        external_id="100234",
        member_ref=ref,
        placed_at=datetime.now(UTC),
        earn_base=usd(base),
        lines=(line,),
        spends=spends,
        store="boston-1",
        associate_id="a-17",
    )


def returned(ref: str, net: str, return_id: str = "return-1", base: str = "80.00") -> Return:
    return Return(
        return_id=return_id,
        order_id="order-1",
        member_ref=ref,
        returned_at=datetime.now(UTC),
        net=usd(net),
        order_earn_base=usd(base),
        store="boston-1",
    )


def sent(kind: WriteKind, key: str, ref: str, **columns: Any) -> Write:
    """Write down what was sent just now, and whose answer is lost."""
    return Write.objects.create(
        vendor="whitelabel",
        program="acme",
        kind=kind,
        key=key,
        member_ref=ref,
        state=WriteState.SENT,
        sent_at=timezone.now(),
        **columns,
    )
