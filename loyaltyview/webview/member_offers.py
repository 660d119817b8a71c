"""What the member page offers: rewards and vouchers judged against the cart, points as money with the numbers
that its stepper takes. Pure functions, no I/O."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import ROUND_UP, Decimal

from loyaltyview.redemptions.models import Redemption
from loyaltyview.redemptions.offers import (
    CartReason,
    Offer,
    OfferState,
    Preference,
    build_offers,
    points_as_money,
    preference,
    smallest_unit,
)
from loyaltyview.redemptions.stacking import StackingRule, lock_stacked
from providers.types import Cart, LockReason, PointsRange, Reward, Voucher


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsChoice:
    """What the stepper offers: `minimum` to `maximum` points in steps of `step`. It starts with `minimum`:
    how many points are spent is for the associate to choose."""

    minimum: int
    maximum: int
    step: int


# What the chips beside the stepper offer, in money; a hundred times as much of a currency without decimals.
CHIPS = (Decimal(10), Decimal(25))


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberOffer:
    """An offer, for points as money as the stepper starts. `choice` is None for everything else."""

    offer: Offer
    choice: PointsChoice | None = None


def fit_offers(
    rewards: tuple[Reward, ...],
    vouchers: tuple[Voucher, ...],
    *,
    cart: Cart,
    spendable: int,
    rows: Iterable[Redemption],
    rule: StackingRule,
) -> list[MemberOffer]:
    """Return all offers: those that can be used in `cart`, best first, then the locked ones, nearest first.
    `rows` are the member's redemptions in the cart, `rule` says what may share it with them."""
    offers = lock_stacked(build_offers(rewards, vouchers, cart, spendable), rows, rule)
    # Again: points as money save what the stepper starts with.
    return sorted((_with_choice(offer, cart, spendable) for offer in offers), key=_usable_first)


def _usable_first(each: MemberOffer) -> tuple[bool, tuple[Preference, ...]]:
    is_locked = each.offer.state is OfferState.LOCKED
    return is_locked, () if is_locked else (preference(each.offer),)


def _with_choice(offer: Offer, cart: Cart, spendable: int) -> MemberOffer:
    span = offer.points_range
    if span is None or offer.state is OfferState.LOCKED:
        return MemberOffer(offer=offer)
    choice = points_choice(span, spendable, cart)
    if choice is None:
        return MemberOffer(offer=_below_least(offer, span, spendable, cart))
    worth = points_as_money(choice.minimum, span)
    saving = replace(worth, amount=min(worth.amount, cart.total.amount))
    start = replace(offer, points=choice.minimum, saving=saving, is_capped=False)
    return MemberOffer(offer=start, choice=choice)


def _below_least(offer: Offer, span: PointsRange, spendable: int, cart: Cart) -> Offer:
    """Return points as money of which not even the least can be used, with what is missing."""
    locked = replace(offer, state=OfferState.LOCKED, reason=LockReason.POINTS.value)
    if spendable < span.minimum:
        return replace(locked, points_gap=span.minimum - spendable)
    least = points_as_money(span.minimum, span)
    if gap := max(least.amount - cart.total.amount, Decimal(0)):
        return replace(locked, reason=CartReason.MINIMUM.value, money_gap=replace(least, amount=gap))
    return locked


def points_choice(span: PointsRange, spendable: int, cart: Cart) -> PointsChoice | None:
    """Return the choice, or None when not even the smallest step fits. Never more than the vendor's
    maximum, the balance, or what the cart costs, never more than their worth needs, and never so few that
    they are worth nothing."""
    if span.value_per_point.amount <= 0 or span.step <= 0:
        return None
    # Rounded up: the last point may be worth a part of a cent more than the cart.
    most = min(span.maximum, spendable, points_for(cart.total.amount, span))
    most -= (most - span.minimum) % span.step
    least = max(span.minimum, points_for(smallest_unit(cart.total.currency), span))
    least += (span.minimum - least) % span.step
    if most < least:
        return None
    worth = min(points_as_money(most, span).amount, cart.total.amount)
    needed = points_for(worth, span)
    most = min(most, max(least, needed + (span.minimum - needed) % span.step))
    return PointsChoice(minimum=least, maximum=most, step=span.step)


def chips_of(choice: PointsChoice, span: PointsRange) -> tuple[int, ...]:
    """Return the numbers of points that are one tap away: the fewest that are worth each of CHIPS, where they
    lie between the least and the most."""
    unit = Decimal(100) if smallest_unit(span.value_per_point.currency) == 1 else Decimal(1)
    needed = [max(choice.minimum, points_for(amount * unit, span)) for amount in CHIPS]
    steps = dict.fromkeys(points + (choice.minimum - points) % choice.step for points in needed)
    return tuple(points for points in steps if choice.minimum < points < choice.maximum)


def points_for(amount: Decimal, span: PointsRange) -> int:
    """Return the fewest points that are worth `amount`."""
    return int((amount / span.value_per_point.amount).quantize(Decimal(1), ROUND_UP))


def is_offered(points: int, choice: PointsChoice) -> bool:
    """Return whether `points` is one of the stepper's values."""
    is_inside = choice.minimum <= points <= choice.maximum
    return is_inside and (points - choice.minimum) % choice.step == 0
