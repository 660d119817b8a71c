"""Carts, and the discounts of their coupon codes, exact to the smallest unit of the currency.

The REST cart (docs/contracts/newstore.md 8.4) has neither prices nor codes. The app has both, as here.
"""

import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.answers import Json, answer, problem
from loyaltyview.sandbox.coupons import Coupon
from loyaltyview.sandbox.sample import CURRENCY, STORE, TAX_RATE, Customer, Product, smallest_unit


@dataclass(frozen=True, slots=True, kw_only=True)
class CartItem:
    """One unit."""

    item_id: str
    product: Product


@dataclass(slots=True, kw_only=True)
class Cart:
    """`codes` are the applied coupon codes, in the order of their arrival."""

    cart_id: str
    associate_id: str
    customer: Customer | None
    items: tuple[CartItem, ...]
    codes: list[str] = field(default_factory=list)
    currency: str = CURRENCY
    store_id: str = STORE.store_id
    state: str = "active"

    @property
    def profile_id(self) -> str:
        return self.customer.profile_id if self.customer else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedCode:
    """The discount of one code: the whole `amount`, and `shares` for each item in the cart's order."""

    code: str
    kind: str
    value: Decimal
    amount: Decimal
    shares: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """At the shop's prices: `subtotal - discount == total`. `nets` holds each item's price after discounts,
    and `taxes` its tax: a part of the net where prices include tax, else on top of it."""

    subtotal: Decimal
    applied: tuple[AppliedCode, ...]
    discount: Decimal
    total: Decimal
    nets: tuple[Decimal, ...]
    taxes: tuple[Decimal, ...]
    is_tax_included: bool = False

    @property
    def tax(self) -> Decimal:
        return sum(self.taxes, Decimal("0.00"))

    @property
    def to_pay(self) -> Decimal:
        return self.total if self.is_tax_included else self.total + self.tax


def price(
    prices: Sequence[Decimal],
    coupons: Sequence[Coupon],
    *,
    currency: str = CURRENCY,
    is_tax_included: bool = False,
) -> Totals:
    """Return the totals of items at `prices` with these coupons; each applies to the rest that the last one
    left."""
    left, applied, unit = list(prices), [], smallest_unit(currency)
    for coupon in coupons:
        remaining = sum(left, Decimal("0.00"))
        wanted = coupon.discount if coupon.kind == "fixed" else remaining * coupon.discount / 100
        amount = min(wanted.quantize(unit, ROUND_HALF_UP), remaining)
        shares = split(amount, left, unit)
        left = [before - share for before, share in zip(left, shares, strict=True)]
        applied.append(
            AppliedCode(
                code=coupon.code, kind=coupon.kind, value=coupon.discount, amount=amount, shares=shares
            )
        )
    rate = TAX_RATE / (1 + TAX_RATE) if is_tax_included else TAX_RATE
    discount = sum((code.amount for code in applied), Decimal("0.00"))
    subtotal = sum(prices, Decimal("0.00"))
    return Totals(
        subtotal=subtotal,
        applied=tuple(applied),
        discount=discount,
        total=subtotal - discount,
        nets=tuple(left),
        taxes=tuple((net * rate).quantize(unit, ROUND_HALF_UP) for net in left),
        is_tax_included=is_tax_included,
    )


def split(
    amount: Decimal, weights: Sequence[Decimal], unit: Decimal = Decimal("0.01")
) -> tuple[Decimal, ...]:
    """Return `amount` divided in proportion to `weights`: shares of whole units that add up to it exactly.

    No share is larger than its weight as long as `amount` is not larger than their sum. The units that
    rounding down leaves go to the largest remainders, the first of equal ones.
    """
    total = sum(weights, Decimal(0))
    if not total:
        return tuple(Decimal("0.00") for _ in weights)
    exact = [amount * weight / total / unit for weight in weights]
    floors = [int(share) for share in exact]
    missing = int(amount / unit) - sum(floors)
    # The exact share is at most its weight, so a rounded-down share has room for one more unit.
    by_remainder = sorted(range(len(exact)), key=lambda index: floors[index] - exact[index])
    for index in by_remainder[:missing]:
        floors[index] += 1
    return tuple(floor * unit for floor in floors)


@dataclass(slots=True)
class CartBook:
    """All carts by id."""

    lock: threading.RLock
    carts: dict[str, Cart] = field(default_factory=dict)

    def add(
        self,
        *,
        associate_id: str,
        customer: Customer | None,
        products: Sequence[Product],
        currency: str = CURRENCY,
    ) -> Cart:
        cart = Cart(
            cart_id=str(uuid.uuid4()),
            associate_id=associate_id,
            customer=customer,
            items=tuple(CartItem(item_id=str(uuid.uuid4()), product=product) for product in products),
            currency=currency,
        )
        with self.lock:
            self.carts[cart.cart_id] = cart
        return cart

    def read(self, request: Request, cart_id: str) -> Response:
        """`GET /checkout/carts/{id}`; 422 for a malformed cart id, 404 for an unknown one."""
        try:
            uuid.UUID(cart_id)
        except ValueError as error:
            raise problem(422, "cart id must be a UUID") from error
        with self.lock:
            if cart_id not in self.carts:
                raise problem(404, "cart not found")
            return answer(cart_json(self.carts[cart_id]))


def cart_json(cart: Cart) -> Json:
    """Return the cart as the REST API shows it; without a customer it has no `customer_id`."""
    href = f"/checkout/carts/{cart.cart_id}"
    customer = {"customer_id": cart.profile_id} if cart.customer else {}
    return {
        "id": cart.cart_id,
        "associate_id": cart.associate_id,
        "channel_id": cart.store_id,
        "channel_type": "STORE",
        **customer,
        "currency": cart.currency,
        "catalog": "storefront-catalog-en",
        "locale": "en-us",
        "state": cart.state,
        "items": [
            {
                "id": item.item_id,
                "product_id": item.product.product_id,
                "quantity": 1,
                "price": {"source": "pricebook", "source_id": "default"},
                "extended_attributes": [],
                "add_ons": [],
                "fulfillment": None,
                "serial_number": None,
                "epc": None,
                "source_id": None,
                "_links": {"self": {"href": f"{href}/items/{item.item_id}"}},
            }
            for item in cart.items
        ],
        "_links": {"self": {"href": href}},
    }
