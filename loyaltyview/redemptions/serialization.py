"""A redemption's row from a request, and from the row what the vendor and NewStore are asked. Cart and
discount are kept as JSON."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings

from loyaltyview.newstore.coupons import CouponRequest
from loyaltyview.redemptions.commands import RedeemRequest, fingerprint_of
from loyaltyview.redemptions.models import Redemption
from loyaltyview.redemptions.offers import saving_in
from loyaltyview.work import clock
from providers.sales import Spend, SpendIntent, SpendKind
from providers.types import Cart, CartItem, Discount, DiscountKind, Money


def money_to_json(money: Money | None) -> dict[str, str] | None:
    return {"amount": str(money.amount), "currency": money.currency} if money else None


def money_from_json(data: dict[str, str] | None) -> Money | None:
    return Money(amount=Decimal(data["amount"]), currency=data["currency"]) if data else None


def discount_to_json(discount: Discount) -> dict[str, Any]:
    return {
        "kind": discount.kind.value,
        "amount": money_to_json(discount.amount),
        "percent": None if discount.percent is None else str(discount.percent),
        "skus": list(discount.skus),
        "minimum": money_to_json(discount.minimum),
        "stores": list(discount.stores),
        "category": discount.category,
        "raw": discount.raw,
    }


def discount_from_json(data: dict[str, Any]) -> Discount:
    return Discount(
        kind=DiscountKind(data["kind"]),
        amount=money_from_json(data["amount"]),
        percent=None if data["percent"] is None else Decimal(data["percent"]),
        skus=tuple(data["skus"]),
        minimum=money_from_json(data["minimum"]),
        stores=tuple(data.get("stores", ())),
        category=data.get("category", ""),
        raw=data["raw"],
    )


def cart_to_json(cart: Cart) -> dict[str, Any]:
    return {
        "cart_id": cart.cart_id,
        "total": money_to_json(cart.total),
        "items": [[item.item_id, item.product_id, str(item.price)] for item in cart.items],
        "store": cart.store,
    }


def cart_from_json(data: dict[str, Any]) -> Cart:
    return Cart(
        cart_id=data["cart_id"],
        total=Money(amount=Decimal(data["total"]["amount"]), currency=data["total"]["currency"]),
        items=tuple(
            CartItem(item_id=item_id, product_id=product_id, price=Decimal(price))
            for item_id, product_id, price in data["items"]
        ),
        store=data["store"],
    )


def requested_row(request: RedeemRequest) -> Redemption:
    """Return the row of a tap, not yet stored, and leased to this process."""
    now = clock.now()
    lease_until = now + timedelta(seconds=settings.WORK_LEASE_S)
    return Redemption(
        program=request.program,
        key=request.key,
        fingerprint=fingerprint_of(
            request.launch_id, request.member_ref, request.kind, request.item_id, request.points
        ),
        launch_id=request.launch_id,
        profile_id=request.profile_id,
        cart=cart_to_json(request.cart),
        cart_id=request.cart.cart_id,
        member_ref=request.member_ref,
        kind=request.kind.value,
        item_id=request.item_id,
        title=request.title[:200],
        points=request.points,
        discount=discount_to_json(request.discount),
        saving=request.saving.amount,
        currency=request.saving.currency,
        is_final=request.is_final,
        cart_slot=request.cart_slot,
        associate_id=request.actor.name,
        store_id=request.actor.store_id,
        device_id=request.actor.device_id,
        requested_at=now,
        due_at=lease_until,
        lease_until=lease_until,
    )


def spend_key(row: Redemption) -> str:
    """Return the key of the current spend at the vendor: a redemption that is spent again after its
    release (a late order) is a new spend there."""
    return f"{row.id.hex}-{row.spend_number}"


def intent_of(row: Redemption, pin: str = "") -> SpendIntent:
    """Return the spend that `row` is about to make or has made. Only the tap itself has a `pin`: no row keeps
    it."""
    return SpendIntent(
        key=spend_key(row),
        member_ref=row.member_ref,
        kind=SpendKind(row.kind),
        item_id=row.item_id,
        points=row.points,
        discount=discount_from_json(row.discount),
        cart=cart_from_json(row.cart),
        code=row.code,
        requested_at=row.requested_at,
        pin=pin,
    )


def spend_of(row: Redemption) -> Spend:
    """Return the spend that `row` made, as the vendor named it."""
    return Spend(
        key=spend_key(row),
        member_ref=row.member_ref,
        kind=SpendKind(row.kind),
        provider_ref=row.provider_ref,
        points=row.points,
        is_held=row.is_held,
        memo=row.memo,
    )


def coupon_of(row: Redemption) -> CouponRequest:
    """Return the coupon that NewStore makes for the discount of `row`."""
    discount = discount_from_json(row.discount)
    worth = discount.amount.amount if discount.amount else None
    if discount.skus or discount.kind is DiscountKind.PRICE:
        # What it takes off this very cart: the coupon knows no products. (The row keeps it rounded.)
        worth = saving_in(discount, cart_from_json(row.cart))[0].amount or row.saving
    is_percent = discount.kind is DiscountKind.PERCENT and not discount.skus
    return CouponRequest(
        reference=row.item_id,
        label=row.title,
        amount=None if is_percent else worth,
        percent=discount.percent if is_percent else None,
        currency=row.currency,
        minimum=discount.minimum.amount if discount.minimum else None,
        profile_id=row.profile_id,
    )
