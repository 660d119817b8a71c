"""What points are worth in this cart, which offer beats another, and when it is better to keep the points.

Only figures that are known count: what the program offers, what this cart takes, what it earns. Pure
functions, no I/O. The words are in the templates.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from loyaltyview.redemptions.offers import (
    Offer,
    OfferState,
    full_worth,
    points_as_money,
    smallest_unit,
    units_of,
)
from loyaltyview.webview.member_offers import MemberOffer, points_for
from providers.types import Balance, Cart, LockReason, Money

SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Better:
    """An offer that saves at least as much as another one for fewer points."""

    title: str
    saving: Money
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """Of a discount that is worth `worth`, the cart uses only a part: `lost` is the rest."""

    worth: Money
    lost: Money


class Wait(StrEnum):
    """Why waiting is better."""

    EARNED = "earned"  # the points that this cart earns open a reward that gives more for each point
    NEXT = "next"  # the same, and the member has at least half of its points
    CART = "cart"  # the cart uses less than half of what a reward is worth, and a larger one more


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """Keep the points, for the reward `title`. `now` and `then` are what 100 points give now at most, and
    then. `points` is what is missing, or for EARNED what this cart earns. `uses` and `worth`: of CART."""

    wait: Wait
    title: str
    now: Money
    then: Money
    points: int = 0
    uses: Money | None = None
    worth: Money | None = None


def value_of_100(offer: Offer, saving: Money | None = None) -> Money | None:
    """Return what 100 points of `offer` save in this cart (with `saving` instead of its own), None for what
    costs no points or saves nothing."""
    rate = _rate(offer, saving or offer.saving)
    if rate is None or offer.saving is None:
        return None
    currency = offer.saving.currency
    return Money(amount=(100 * rate).quantize(smallest_unit(currency), ROUND_HALF_UP), currency=currency)


def _rate(offer: Offer, saving: Money | None) -> Decimal | None:
    if offer.points_range:
        return offer.points_range.value_per_point.amount
    return saving.amount / offer.points if saving and offer.points else None


def lost_in(offer: Offer, cart: Cart) -> Lost | None:
    """Return what of a usable offer this cart cannot use; None where it takes everything. Points as money
    never take more than the cart needs."""
    if offer.saving is None or offer.points_range:
        return None
    worth = full_worth(offer.discount, cart)
    rest = worth.amount - offer.saving.amount
    return Lost(worth=worth, lost=Money(amount=rest, currency=worth.currency)) if rest > 0 else None


def beaten_by(offer: Offer, others: Iterable[MemberOffer], cart: Cart) -> Better | None:
    """Return which of `others`, all usable now, makes `offer` a bad choice: it saves as much or more for
    fewer points, or more for the same. None without one. What cannot be undone never beats what can. Of
    several, the one that costs the fewest points."""
    if not offer.points or offer.saving is None:
        return None
    # Where the customer chooses one of several products, the most expensive one counts.
    savings = [saving.amount for saving in units_of(offer.discount, cart).values()]
    most = max([offer.saving.amount, *savings])
    found = [
        better
        for other in others
        if other.offer.points and (other.offer.kind, other.offer.item_id) != (offer.kind, offer.item_id)
        if (better := _as_good(other, most)) and not (other.offer.is_final and not offer.is_final)
        if better.points < offer.points or (better.points == offer.points and better.saving.amount > most)
    ]
    return min(found, key=lambda better: (better.points, -better.saving.amount), default=None)


def _as_good(other: MemberOffer, saving: Decimal) -> Better | None:
    """Return `other` where it saves at least `saving`, points as money with the points that this needs."""
    offer, choice = other.offer, other.choice
    if offer.saving is None:
        return None
    if choice is None or offer.points_range is None:
        is_enough = offer.saving.amount >= saving
        return Better(title=offer.title, saving=offer.saving, points=offer.points) if is_enough else None
    points = max(choice.minimum, points_for(saving, offer.points_range))
    points += (choice.minimum - points) % choice.step
    if points > choice.maximum:
        return None
    worth = points_as_money(points, offer.points_range)
    return Better(title=offer.title, saving=worth, points=points)


def expires_soon(balance: Balance, now: datetime) -> bool:
    """Return whether some of the points expire within a month: then it is no advice to keep them."""
    return any(now <= each.at <= now + SOON for each in balance.expiring)


def keep_points(
    offers: Collection[MemberOffer], cart: Cart, *, spendable: int, earn: int | None
) -> Advice | None:
    """Return why the member should keep the points, None where spending them now is as good, or where none of
    `offers` takes points now. `earn` is what this cart earns, None where that is not known. No reward that
    cannot be undone is named."""
    usable = [each.offer for each in offers if each.offer.state is OfferState.AVAILABLE and each.offer.points]
    values = [value for offer in usable if (value := value_of_100(offer))]
    if not values:
        return None
    now = max(values, key=lambda value: value.amount)
    waiting = [
        (each.offer, value)
        for each in offers
        if _misses_points_only(each.offer)
        if (value := value_of_100(each.offer)) and value.amount > now.amount
    ]
    waiting.sort(key=lambda pair: (pair[0].points_gap, -pair[1].amount))
    for offer, value in waiting:
        if earn and offer.points_gap <= earn:
            return Advice(wait=Wait.EARNED, title=offer.title, now=now, then=value, points=earn)
    for offer, value in waiting:
        if 2 * spendable >= offer.points:
            return Advice(wait=Wait.NEXT, title=offer.title, now=now, then=value, points=offer.points_gap)
    return _for_a_larger_cart(usable, cart, now)


def _misses_points_only(offer: Offer) -> bool:
    is_locked = offer.state is OfferState.LOCKED and offer.reason == LockReason.POINTS
    return is_locked and offer.points_gap > 0 and offer.saving is not None and not offer.is_final


def _for_a_larger_cart(usable: Iterable[Offer], cart: Cart, now: Money) -> Advice | None:
    best: Advice | None = None
    for offer in usable:
        lost = None if offer.is_final else lost_in(offer, cart)
        if lost is None or offer.saving is None or 2 * offer.saving.amount >= lost.worth.amount:
            continue
        then = value_of_100(offer, lost.worth)
        if then and then.amount > max(now.amount, best.then.amount if best else now.amount):
            best = Advice(
                wait=Wait.CART, title=offer.title, now=now, then=then, uses=offer.saving, worth=lost.worth
            )
    return best
