"""What can be used in this cart, best first: the vendor's rewards and vouchers judged against the cart.

The vendor knows points, tiers and stock; we know the cart. Pure functions, no I/O.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from enum import StrEnum

from babel.numbers import get_currency_precision

from providers.sales import SpendKind
from providers.texts import shown, shown_lines
from providers.types import (
    Cart,
    CartItem,
    Discount,
    DiscountKind,
    LockReason,
    Money,
    PointsRange,
    Reward,
    Voucher,
)

MOST_DECIMALS = 3  # as many as a redemption keeps of its saving
NEVER = datetime.max.replace(tzinfo=UTC)


class OfferState(StrEnum):
    AVAILABLE = "available"
    LOCKED = "locked"
    OWNED = "owned"  # a voucher the member has and can use now


class CartReason(StrEnum):
    """Why an offer does not fit this cart; the vendor's own reasons are `LockReason`."""

    NO_CART = "NO_CART"  # the page was not opened from a cart
    MINIMUM = "MINIMUM"  # `money_gap` more in the cart
    CURRENCY = "CURRENCY"
    PRODUCT_MISSING = "PRODUCT_MISSING"  # none of `discount.skus` is in the cart
    CART_EMPTY = "CART_EMPTY"
    IN_CART = "IN_CART"  # as often as the program allows it in one cart (`limits`)
    CODES_PER_CART = "CODES_PER_CART"  # the cart has as many codes as the program allows (`stacking`)
    NOT_TOGETHER = "NOT_TOGETHER"  # the program does not allow it beside `not_with` (`stacking`)
    STORE = "STORE"  # not in the store of this cart
    CATEGORY = "CATEGORY"  # for products of `discount.category`, and carts do not show categories
    GIFT_CARD = "GIFT_CARD"  # money to pay with, not a discount
    UNKNOWN = "UNKNOWN"  # a kind of discount that we cannot put on a till coupon


NEVER_AT_A_TILL: dict[DiscountKind, str] = {
    DiscountKind.ONLINE_ONLY: LockReason.ONLINE_ONLY.value,
    DiscountKind.GIFT_CARD: CartReason.GIFT_CARD.value,
    DiscountKind.UNKNOWN: CartReason.UNKNOWN.value,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One card of the member page. `reason` is empty unless locked. `saving` is in money for this cart;
    `is_capped` when the cart takes less than the discount is worth. `gap_share` is 0..100, how near.
    `expires_at` is the end of a voucher. `not_with` is the title of what it cannot share a cart with."""

    kind: SpendKind
    item_id: str
    title: str
    description: str
    points: int
    discount: Discount
    state: OfferState
    reason: str = ""
    points_gap: int = 0
    money_gap: Money | None = None
    tier: str = ""
    text: str = ""
    saving: Money | None = None
    is_capped: bool = False
    is_final: bool = False
    gap_share: int = 0
    points_range: PointsRange | None = None
    terms: str = ""
    image: str = ""
    expires_at: datetime | None = None
    not_with: str = ""


def build_offers(
    rewards: tuple[Reward, ...], vouchers: tuple[Voucher, ...], cart: Cart, spendable: int
) -> list[Offer]:
    """Return all offers: what the member owns, first what expires first, then rewards by the value of their
    points for this cart, then locked ones, nearest first."""
    offers = [_voucher_offer(voucher, cart) for voucher in vouchers]
    offers += [_reward_offer(reward, cart, spendable) for reward in rewards]
    return sorted(offers, key=_rank)


def saving_in(discount: Discount, cart: Cart) -> tuple[Money, bool]:
    """Return what `discount` takes off `cart`, and whether the cart's total capped it.

    Only for discounts that `cart_reason` accepts. NewStore rounds percentages half up to the cent.
    """
    total, value = cart.total.amount, _worth_in(discount, cart)
    return Money(amount=min(value, total), currency=cart.total.currency), value > total


def full_worth(discount: Discount, cart: Cart) -> Money:
    """Return what `discount` is worth where the cart takes all of it. Only for discounts that `cart_reason`
    accepts."""
    if discount.kind is DiscountKind.FIXED and discount.amount:
        return discount.amount
    return Money(amount=_worth_in(discount, cart), currency=cart.total.currency)


def _worth_in(discount: Discount, cart: Cart) -> Decimal:
    """Return what `discount` is worth for what it applies to, whatever else the cart costs."""
    amount = discount.amount.amount if discount.amount else Decimal(0)
    one = (cheapest_match(discount, cart) or Decimal(0)) if discount.skus else cart.total.amount
    if discount.kind is DiscountKind.PERCENT and discount.percent is not None:
        matches = sum((item.price for item in cart.items if item.product_id in discount.skus), Decimal(0))
        base = matches if discount.skus else cart.total.amount
        return (base * discount.percent / 100).quantize(smallest_unit(cart.total.currency), ROUND_HALF_UP)
    if discount.kind is DiscountKind.PRODUCT:
        return cheapest_match(discount, cart) or Decimal(0)
    if discount.kind is DiscountKind.PRICE:
        return max(one - amount, Decimal(0))
    return min(amount, one) if discount.skus else amount


def cheapest_match(discount: Discount, cart: Cart) -> Decimal | None:
    """Return the price of the cheapest item in `cart` among `discount.skus`, None without one that costs
    anything."""
    return min((item.price for item in _matches(discount, cart)), default=None)


def units_of(discount: Discount, cart: Cart) -> dict[str, Money]:
    """Return the products in `cart` of which `discount` makes one free, with what that takes off, cheapest
    first. Several are a choice; the cheapest is free without one."""
    if discount.kind is not DiscountKind.PRODUCT:
        return {}
    products = {item.product_id for item in _matches(discount, cart)}
    savings = {product: saving_in(of_unit(discount, product), cart)[0] for product in sorted(products)}
    return dict(sorted(savings.items(), key=lambda each: each[1].amount))


def of_unit(discount: Discount, product_id: str) -> Discount:
    """Return `discount` for this product alone."""
    return replace(discount, skus=(product_id,))


def with_unit(offer: Offer, product_id: str, name: str, cart: Cart) -> Offer:
    """Return `offer` with the product that the customer chose, which people call `name`. It is locked where
    what is left of the cart has none of that product."""
    is_known = product_id in offer.discount.skus
    discount = of_unit(offer.discount, product_id) if is_known else offer.discount
    if product_id not in units_of(offer.discount, cart):
        return replace(
            offer, discount=discount, state=OfferState.LOCKED, reason=CartReason.PRODUCT_MISSING.value
        )
    saving, is_capped = saving_in(discount, cart)
    title = f"{offer.title}: {shown(name)}"
    return replace(offer, title=title, discount=discount, saving=saving, is_capped=is_capped)


def _matches(discount: Discount, cart: Cart) -> list[CartItem]:
    return [item for item in cart.items if item.product_id in discount.skus and item.price > 0]


def cart_reason(discount: Discount, cart: Cart) -> tuple[CartReason | None, Money | None]:
    """Return why `discount` does not fit `cart` and the gap in money where there is one; None if it fits."""
    if discount.kind in NEVER_AT_A_TILL:
        return CartReason.UNKNOWN, None
    if discount.category:
        return CartReason.CATEGORY, None
    if not cart.cart_id:
        return CartReason.NO_CART, None
    if discount.stores and cart.store not in discount.stores:
        return CartReason.STORE, None
    for money in (discount.amount, discount.minimum):
        if money and money.currency != cart.total.currency:
            return CartReason.CURRENCY, None
    if cart.total.amount <= 0:
        return CartReason.CART_EMPTY, None
    if discount.minimum and cart.total.amount < discount.minimum.amount:
        gap = discount.minimum.amount - cart.total.amount
        return CartReason.MINIMUM, Money(amount=gap, currency=cart.total.currency)
    has_products = discount.skus or discount.kind is DiscountKind.PRODUCT
    if has_products and cheapest_match(discount, cart) is None:
        return CartReason.PRODUCT_MISSING, None
    if discount.kind is not DiscountKind.POINTS and _worth_in(discount, cart) <= 0:
        return CartReason.UNKNOWN, None
    return None, None


def after(cart: Cart, discount: Discount, saving: Money) -> Cart:
    """Return what is left of `cart` once `discount` took `saving` off it: less to pay, and the one item that
    it applied to is not discounted again."""
    items = list(cart.items)
    matches = [] if discount.kind is DiscountKind.PERCENT else _matches(discount, cart)
    if matches:
        items.remove(min(matches, key=lambda item: item.price))
    total = max(cart.total.amount - saving.amount, Decimal(0))
    return replace(cart, total=replace(cart.total, amount=total), items=tuple(items))


def smallest_unit(currency: str) -> Decimal:
    """Return the smallest amount that we count in: 0.01 of a dollar, 1 of a yen, 0.001 of a Kuwaiti dinar."""
    return Decimal(1).scaleb(-min(get_currency_precision(currency), MOST_DECIMALS))


def points_as_money(points: int, points_range: PointsRange) -> Money:
    """Return what `points` are worth, rounded down to the smallest unit: never more than the vendor takes."""
    currency = points_range.value_per_point.currency
    value = points * points_range.value_per_point.amount
    return Money(amount=value.quantize(smallest_unit(currency), ROUND_DOWN), currency=currency)


def _reward_offer(reward: Reward, cart: Cart, spendable: int) -> Offer:
    kind = SpendKind.POINTS if reward.points_range else SpendKind.REWARD
    state, reason, points_gap, tier, text = OfferState.AVAILABLE, "", 0, "", ""
    if reward.discount.kind in NEVER_AT_A_TILL:
        # Not the vendor's reason: without it the till could not take the reward either.
        state, reason = OfferState.LOCKED, NEVER_AT_A_TILL[reward.discount.kind]
        text = reward.lock.text if reward.lock else ""
    elif reward.lock:
        state, reason = OfferState.LOCKED, reward.lock.reason.value
        points_gap, tier, text = reward.lock.points_gap, reward.lock.tier, reward.lock.text
    money_gap = saving = None
    is_capped = False
    cart_says, gap = cart_reason(reward.discount, cart)
    span = reward.points_range
    if cart_says is None and span and span.value_per_point.currency != cart.total.currency:
        cart_says = CartReason.CURRENCY
    if cart_says is None:
        saving, is_capped = saving_in(reward.discount, cart)
    elif state is OfferState.AVAILABLE:
        state, reason, money_gap = OfferState.LOCKED, cart_says.value, gap
    share = 0
    if reason == LockReason.POINTS and points_gap and reward.points:
        share = max(0, min(99, 100 * spendable // reward.points))
    elif money_gap and reward.discount.minimum:
        share = int(min(Decimal(99), 100 * cart.total.amount / reward.discount.minimum.amount))
    return Offer(
        kind=kind,
        item_id=reward.reward_id,
        title=shown(reward.title),
        description=shown(reward.description),
        points=reward.points,
        discount=reward.discount,
        state=state,
        reason=reason,
        points_gap=points_gap,
        money_gap=money_gap,
        tier=tier,
        text=text,
        saving=saving,
        is_capped=is_capped,
        is_final=reward.is_final,
        gap_share=share,
        points_range=reward.points_range,
        terms=shown_lines(reward.terms),
        image=_own_image(reward.image),
    )


def _own_image(address: str) -> str:
    """Return a path on our own host, "" for any other address: the page's policy would block the picture."""
    return address if address.startswith("/") and not address.startswith("//") else ""


def _voucher_offer(voucher: Voucher, cart: Cart) -> Offer:
    state, reason, text = OfferState.OWNED, "", ""
    if voucher.discount.kind in NEVER_AT_A_TILL:
        state, reason = OfferState.LOCKED, NEVER_AT_A_TILL[voucher.discount.kind]
        text = voucher.lock.text if voucher.lock else ""
    elif voucher.lock:
        state, reason, text = OfferState.LOCKED, voucher.lock.reason.value, voucher.lock.text
    money_gap = saving = None
    is_capped = False
    cart_says, gap = cart_reason(voucher.discount, cart)
    if cart_says is None:
        saving, is_capped = saving_in(voucher.discount, cart)
    elif state is OfferState.OWNED:
        state, reason, money_gap = OfferState.LOCKED, cart_says.value, gap
    return Offer(
        kind=SpendKind.OFFER if voucher.is_offer else SpendKind.VOUCHER,
        item_id=voucher.voucher_id,
        title=shown(voucher.title),
        description=shown(voucher.description),
        points=0,
        discount=voucher.discount,
        state=state,
        reason=reason,
        text=text,
        money_gap=money_gap,
        saving=saving,
        is_capped=is_capped,
        is_final=voucher.is_final,
        terms=shown_lines(voucher.terms),
        expires_at=voucher.expires_at,
    )


Preference = tuple[bool, bool, datetime, Decimal, Decimal]


def preference(offer: Offer) -> Preference:
    """Return by what usable offers are sorted: what the member owns, what costs no points, what expires
    first, then the saving for each point, then the saving."""
    saving = offer.saving.amount if offer.saving else Decimal(0)
    return (
        offer.state is not OfferState.OWNED,
        bool(offer.points),
        offer.expires_at or NEVER,
        -saving / (offer.points or 1),
        -saving,
    )


def _rank(offer: Offer) -> tuple[int, tuple[Preference, ...], int, int]:
    usable = offer.state is not OfferState.LOCKED
    # Locked: what misses money in this cart is nearer than what misses points, then by the gap.
    far = 0 if usable else (1 if offer.money_gap else 2 if offer.reason == LockReason.POINTS else 3)
    return (
        far,
        (preference(offer),) if usable else (),
        offer.points_gap or int(offer.money_gap.amount if offer.money_gap else 0),
        offer.points,
    )
