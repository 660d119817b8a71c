"""What this cart brings the member once it is paid: the balance then, and the rewards that it opens."""

from dataclasses import dataclass

from loyaltyview.webview.cards import Deck
from providers.types import LockReason, Member

MOST_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A reward that the member cannot take yet. `missing` points still lack after it."""

    title: str
    points: int
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterPurchase:
    """`points` is the balance when no more is spent. `opens` are rewards that it reaches, the cheapest first;
    without one, `next_step` is the nearest."""

    points: int
    opens: tuple[Step, ...]
    next_step: Step | None


def after_purchase(member: Member, earn: int | None, deck: Deck) -> AfterPurchase | None:
    """Return what the cart brings; None where it earns nothing, or it is not known."""
    if not earn or earn < 0:
        return None
    locked = (card.offer for card in deck.soon if card.offer.reason == LockReason.POINTS)
    steps = sorted(
        (
            Step(title=offer.title, points=offer.points, missing=max(0, offer.points_gap - earn))
            for offer in locked
            if offer.points_gap
        ),
        key=lambda step: (step.missing, step.points),
    )
    opens = tuple(step for step in steps if not step.missing)
    return AfterPurchase(
        points=member.balance.spendable + earn,
        opens=opens[:MOST_SHOWN],
        next_step=steps[0] if steps and not opens else None,
    )
