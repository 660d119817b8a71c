"""The member page's cards: offers, sorted into use now, soon, and the rest, with their words."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace

from loyaltyview.redemptions.offers import CartReason, Offer, OfferState, points_as_money
from loyaltyview.redemptions.release import can_release
from loyaltyview.webview import wording
from loyaltyview.webview.points import PointsChoice, points_choice
from providers.base import LoyaltyProvider
from providers.types import Cart, LockReason, PointsRange, SpendKind

# Locked, but the customer or the cart can get there.
REACHABLE = frozenset(
    {
        LockReason.POINTS,
        LockReason.TIER,
        CartReason.MINIMUM,
        CartReason.PRODUCT_MISSING,
        CartReason.CART_EMPTY,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One card. `key` makes its form idempotent and is new for every rendering; `action` is the button's
    text, `gap` says what is missing."""

    offer: Offer
    key: str = ""
    action: str = ""
    gap: str = ""
    is_final: bool = False
    is_chosen: bool = False
    choice: PointsChoice | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deck:
    now: tuple[Card, ...]
    soon: tuple[Card, ...]
    rest: tuple[Card, ...]


def build_deck(
    offers: Iterable[Offer], provider: LoyaltyProvider, cart: Cart, spendable: int, chosen: str = ""
) -> Deck:
    """Sort `offers` (already in their order) into three groups. `chosen` is the item to preselect; without
    it the best saving is."""
    now: list[Card] = []
    soon: list[Card] = []
    rest: list[Card] = []
    for offer in offers:
        card = _card(offer, provider, cart, spendable)
        if card.key:
            now.append(card)
        else:
            (soon if offer.reason in REACHABLE else rest).append(card)
    at = next((i for i, card in enumerate(now) if card.offer.item_id == chosen), 0)
    return Deck(
        now=tuple(replace(card, is_chosen=i == at) for i, card in enumerate(now)),
        soon=tuple(soon),
        rest=tuple(rest),
    )


def _card(offer: Offer, provider: LoyaltyProvider, cart: Cart, spendable: int) -> Card:
    choice = None
    if offer.points_range and offer.state is not OfferState.LOCKED:
        choice = points_choice(offer.points_range, spendable, cart)
        offer = _at_most(offer, offer.points_range, choice, cart)
    if offer.state is OfferState.LOCKED:
        return Card(offer=offer, gap=wording.gap(offer))
    return Card(
        offer=offer,
        key=secrets.token_urlsafe(16),
        action=wording.action(offer),
        is_final=offer.is_final or not can_release(provider, SpendKind(offer.kind)),
        choice=choice,
    )


def _at_most(offer: Offer, span: PointsRange, choice: PointsChoice | None, cart: Cart) -> Offer:
    """Return points as money as the stepper starts: with as many points as the cart and the balance take."""
    if choice is None:
        return replace(offer, state=OfferState.LOCKED, reason=LockReason.POINTS.value)
    worth = points_as_money(choice.maximum, span)
    saving = replace(worth, amount=min(worth.amount, cart.total.amount))
    return replace(offer, points=choice.maximum, saving=saving, is_capped=False)
