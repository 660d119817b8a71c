"""Advice about points that expire: which reward would use them; and what would make a balance large enough.

Pure functions. They look at what the page shows, so a page from a snapshot says the same."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from loyaltyview.redemptions.offers import CartReason
from loyaltyview.webview.cards import Card, Deck
from providers.types import Balance, Expiring, LockReason

# Later ones are said only if nothing expires sooner.
SOON = timedelta(days=90)
MOST_LINES = 3
# The member can pay such a reward; another cart may take it.
NOT_THIS_CART = frozenset({CartReason.NO_CART, CartReason.MINIMUM, CartReason.PRODUCT_MISSING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A reward that uses `points` of those that expire first. `is_now`: in this cart."""

    title: str
    points: int
    is_now: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """The nearest reward and the points that are missing for it. `earn` is what this cart earns, 0 where that
    is not known; `is_enough`: with it the balance suffices."""

    title: str
    points: int
    earn: int
    is_enough: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsAdvice:
    """`expiring`, soonest first, at most a few. `use` is for the first of them; `missing` is given where the
    balance pays no reward at all."""

    expiring: tuple[Expiring, ...]
    use: Use | None
    missing: Missing | None


def advise(balance: Balance, deck: Deck, earn: int | None) -> PointsAdvice:
    """Return what to say about the points of `balance`; `earn` is what this cart earns."""
    ordered = sorted((each for each in balance.expiring if each.points > 0), key=lambda each: each.at)
    soon = [each for each in ordered if each.at - ordered[0].at <= SOON]
    first = soon[0].points if soon else 0
    use = _best_use(deck, first, balance.spendable) if first else None
    pays_nothing = not any(_payable(deck, balance.spendable))
    return PointsAdvice(
        expiring=tuple(soon[:MOST_LINES]),
        use=use,
        missing=_missing(deck, earn or 0) if pays_nothing else None,
    )


def _best_use(deck: Deck, expiring: int, spendable: int) -> Use | None:
    """Return the reward that uses most of the points that expire, of several the one that costs least. One
    for this cart comes before one for another cart. What cannot be undone is not proposed."""
    uses = [
        (is_now, min(cost, expiring), -cost, card.offer.title)
        for is_now, card in _payable(deck, spendable)
        if not card.is_final and (cost := _cost(card, expiring))
    ]
    if not uses:
        return None
    is_now, points, _cost_of_it, title = max(uses, key=lambda use: use[:3])
    return Use(title=title, points=points, is_now=is_now)


def _payable(deck: Deck, spendable: int) -> Iterable[tuple[bool, Card]]:
    """Yield the rewards that the points pay, and whether they fit this cart."""
    for card in deck.now:
        if card.offer.points:
            yield True, card
    for card in deck.soon:
        if card.offer.reason in NOT_THIS_CART and 0 < card.offer.points <= spendable:
            yield False, card


def _cost(card: Card, expiring: int) -> int:
    """Return the points that the reward takes; of points as money the fewest that use all that expire."""
    choice = card.choice
    if choice is None:
        return card.offer.points
    steps = max(0, -(-(expiring - choice.minimum) // choice.step))
    return min(choice.minimum + steps * choice.step, choice.maximum)


def _missing(deck: Deck, earn: int) -> Missing | None:
    gaps = [
        card.offer
        for card in deck.soon
        if card.offer.reason == LockReason.POINTS and card.offer.points_gap > 0
    ]
    # Of two that are as near, the one with a value of its own: points as money may be any.
    nearest = min(gaps, key=lambda offer: (offer.points_gap, offer.points_range is not None), default=None)
    if nearest is None:
        return None
    gap = nearest.points_gap
    return Missing(title=nearest.title, points=gap, earn=earn, is_enough=earn >= gap)
