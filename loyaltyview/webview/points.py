"""Points as money: how many points the stepper may offer for this member and cart."""

from dataclasses import dataclass
from decimal import ROUND_UP, Decimal

from loyaltyview.redemptions.offers import points_as_money, smallest_unit
from providers.types import Cart, PointsRange


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsChoice:
    """What the stepper offers: `minimum` to `maximum` points in steps of `step`. It starts with `minimum`:
    how many points are spent is for the associate to choose."""

    minimum: int
    maximum: int
    step: int


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


def points_for(amount: Decimal, span: PointsRange) -> int:
    """Return the fewest points that are worth `amount`."""
    return int((amount / span.value_per_point.amount).quantize(Decimal(1), ROUND_UP))


def is_offered(points: int, choice: PointsChoice) -> bool:
    """Return whether `points` is one of the stepper's values."""
    is_inside = choice.minimum <= points <= choice.maximum
    return is_inside and (points - choice.minimum) % choice.step == 0
