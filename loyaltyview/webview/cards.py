"""The member page's cards: offers, sorted into use now, soon, and the rest, with their words."""

import json
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from loyaltyview.redemptions.offers import CartReason, Offer, OfferState, points_as_money, preference
from loyaltyview.redemptions.release import can_release
from loyaltyview.webview import wording
from loyaltyview.webview.points import PointsChoice, points_choice
from providers.base import LoyaltyProvider
from providers.types import Cart, Discount, DiscountKind, LockReason, Member, Money, PointsRange, SpendKind

# Locked, but the customer or the cart can get there.
REACHABLE = frozenset(
    {
        LockReason.POINTS,
        LockReason.TIER,
        CartReason.NO_CART,
        CartReason.MINIMUM,
        CartReason.PRODUCT_MISSING,
        CartReason.CART_EMPTY,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One card. `key` makes its form idempotent and is new for every rendering; `action` is the button's
    text, `gap` says what is missing and `share` (0..100) how near it is. `worth` is in money whatever the
    cart costs, None for a percentage of the cart. `code` is what was typed to find a voucher."""

    offer: Offer
    key: str = ""
    action: str = ""
    gap: str = ""
    share: int = 0
    worth: Money | None = None
    code: str = ""
    is_final: bool = False
    is_chosen: bool = False
    choice: PointsChoice | None = None

    @property
    def pick(self) -> str:
        """The value of the card's box: which of the offers it is."""
        return f"{self.offer.kind}:{self.offer.item_id}"

    @property
    def takes(self) -> str:
        """The products of which it takes one unit for itself, as JSON; "" where it takes none."""
        discount = self.offer.discount
        is_one = discount.skus and discount.kind is not DiscountKind.PERCENT
        return json.dumps(discount.skus) if is_one else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deck:
    """The cards in their groups; those in `again` are in the cart already. `key` is that of the form for all
    that is chosen."""

    now: tuple[Card, ...]
    again: tuple[Card, ...]
    soon: tuple[Card, ...]
    rest: tuple[Card, ...]
    key: str


def build_deck(
    offers: Iterable[Offer],
    provider: LoyaltyProvider,
    cart: Cart,
    member: Member,
    chosen: Collection[str] = (),
    found: tuple[str, str] = ("", ""),
) -> Deck:
    """Sort `offers` (already in their order) into their groups. `chosen` are the items that the associate
    chose before; nothing is chosen for them. `found` is the voucher that was looked up: its id and the code
    that was typed; its card comes first."""
    now: list[Card] = []
    again: list[Card] = []
    soon: list[Card] = []
    rest: list[Card] = []
    for offer in offers:
        card = _card(offer, provider, cart, member)
        if offer.kind is SpendKind.VOUCHER and offer.item_id == found[0]:
            card = replace(card, code=found[1])
        if card.key:
            now.append(card)
        elif offer.reason == CartReason.IN_CART:
            again.append(card)
        else:
            (soon if offer.reason in REACHABLE else rest).append(card)
    # Again: points as money save what the stepper starts with, which the offers did not know.
    now.sort(key=lambda card: preference(card.offer))
    for group in (now, again, soon, rest):
        group.sort(key=lambda card: not card.code)
    return Deck(
        now=tuple(replace(card, is_chosen=_is_chosen(card, chosen)) for card in now),
        again=tuple(again),
        soon=tuple(soon),
        rest=tuple(rest),
        key=secrets.token_urlsafe(16),
    )


def _is_chosen(card: Card, chosen: Collection[str]) -> bool:
    # A voucher that was looked up is on the way to be applied, but not one that cannot be undone.
    return card.pick in chosen and not (card.code and card.is_final)


def _card(offer: Offer, provider: LoyaltyProvider, cart: Cart, member: Member) -> Card:
    choice = None
    if offer.points_range and offer.state is not OfferState.LOCKED:
        choice = points_choice(offer.points_range, member.balance.spendable, cart)
        offer = _at_start(offer, offer.points_range, choice, cart, member.balance.spendable)
    if offer.state is OfferState.LOCKED:
        gap, share = wording.gap(offer, member.tier), offer.gap_share
        if offer.reason == LockReason.TIER and member.tier and offer.tier == member.tier.next_name:
            share = wording.tier_way(member.tier, cart.total.currency).share
        return Card(offer=offer, gap=gap, share=share)
    return Card(
        offer=offer,
        key=secrets.token_urlsafe(16),
        action=wording.action(offer),
        worth=_worth(offer.discount, offer.saving),
        is_final=offer.is_final or not can_release(provider, SpendKind(offer.kind)),
        choice=choice,
    )


def _worth(discount: Discount, saving: Money | None) -> Money | None:
    if discount.kind is DiscountKind.PERCENT and not discount.skus:
        return None
    return discount.amount if discount.kind is DiscountKind.FIXED and not discount.skus else saving


def _at_start(
    offer: Offer, span: PointsRange, choice: PointsChoice | None, cart: Cart, spendable: int
) -> Offer:
    """Return points as money as the stepper starts: with the fewest points that are worth something."""
    if choice is None:
        return _below_least(offer, span, spendable, cart)
    worth = points_as_money(choice.minimum, span)
    saving = replace(worth, amount=min(worth.amount, cart.total.amount))
    return replace(offer, points=choice.minimum, saving=saving, is_capped=False)


def _below_least(offer: Offer, span: PointsRange, spendable: int, cart: Cart) -> Offer:
    """Return points as money of which not even the least can be used, with what is missing."""
    locked = replace(offer, state=OfferState.LOCKED, reason=LockReason.POINTS.value)
    if spendable < span.minimum:
        return replace(locked, points_gap=span.minimum - spendable)
    least = points_as_money(span.minimum, span)
    if gap := max(least.amount - cart.total.amount, Decimal(0)):
        return replace(locked, reason=CartReason.MINIMUM.value, money_gap=replace(least, amount=gap))
    return locked
