"""The member page's cards: offers in groups, in words. The groups are: use now, already applied, soon, gift
cards, not at this till."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from loyaltyview.redemptions.offers import CartReason, Offer, OfferState, units_of
from loyaltyview.redemptions.release import can_release
from loyaltyview.webview import wording
from loyaltyview.webview.member_offers import MemberOffer, PointsChoice
from providers.base import LoyaltyProvider
from providers.sales import SpendKind
from providers.types import Cart, LockReason, Member, Money

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
class Unit:
    """One of several products that a reward can make free: what it saves, and what the button says then."""

    product_id: str
    saving: Money
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One card. `action` is the button's text, `gap` says what is missing and `share` (0..100) how near it
    is. `code` is what was typed to find a voucher. `units` are the products to choose from, the cheapest
    first; empty without a choice. Equal cards look equal: pages keep their parts (`kept`)."""

    offer: Offer
    action: str = ""
    gap: str = ""
    share: int = 0
    code: str = ""
    is_final: bool = False
    is_chosen: bool = False
    choice: PointsChoice | None = None
    units: tuple[Unit, ...] = ()

    @property
    def pick(self) -> str:
        """The value of the card's box: which of the offers it is."""
        return f"{self.offer.kind}:{self.offer.item_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deck:
    """The cards in their groups; those in `again` are in the cart already."""

    now: tuple[Card, ...]
    again: tuple[Card, ...]
    soon: tuple[Card, ...]
    gift_cards: tuple[Card, ...]
    rest: tuple[Card, ...]

    @property
    def locked(self) -> tuple[Card, ...]:
        return (*self.again, *self.soon, *self.gift_cards, *self.rest)


def build_deck(
    offers: Iterable[MemberOffer],
    provider: LoyaltyProvider,
    cart: Cart,
    member: Member,
    chosen: Collection[str] = (),
    codes: dict[str, str] | None = None,
) -> Deck:
    """Return the cards of `offers`, which keep their order. `chosen` are the boxes that the associate ticked
    before; nothing is ticked for them. `codes` has what was typed to find a voucher, by its id: its card
    comes first."""
    groups: dict[str, list[Card]] = {"now": [], "again": [], "soon": [], "gift_cards": [], "rest": []}
    for each in offers:
        offer = each.offer
        code = (codes or {}).get(offer.item_id, "") if offer.kind is SpendKind.VOUCHER else ""
        if offer.state is OfferState.LOCKED:
            group, card = _locked_group(offer), _locked_card(offer, cart, member, code)
        else:
            group, card = "now", _card(each, provider, cart, chosen, code)
        groups[group].append(card)
    in_order = {name: tuple(sorted(cards, key=lambda card: not card.code)) for name, cards in groups.items()}
    return Deck(**in_order)


def _locked_group(offer: Offer) -> str:
    if offer.reason == CartReason.IN_CART:
        return "again"
    if offer.reason == CartReason.GIFT_CARD:
        return "gift_cards"
    return "soon" if offer.reason in REACHABLE else "rest"


def _locked_card(offer: Offer, cart: Cart, member: Member, code: str) -> Card:
    share = offer.gap_share
    if offer.reason == LockReason.TIER and member.tier and offer.tier == member.tier.next_name:
        share = wording.tier_way(member.tier, cart.total.currency).share
    return Card(offer=offer, gap=wording.gap(offer, member.tier), share=share, code=code)


def _card(
    each: MemberOffer, provider: LoyaltyProvider, cart: Cart, chosen: Collection[str], code: str
) -> Card:
    offer = each.offer
    is_final = offer.is_final or not can_release(provider, SpendKind(offer.kind))
    return Card(
        offer=offer,
        action=wording.action(offer),
        code=code,
        is_final=is_final,
        # A voucher that was looked up is on the way to be applied, but not one that cannot be undone.
        is_chosen=f"{offer.kind}:{offer.item_id}" in chosen and not (code and is_final),
        choice=each.choice,
        units=_units(offer, cart),
    )


def _units(offer: Offer, cart: Cart) -> tuple[Unit, ...]:
    savings = units_of(offer.discount, cart)
    if len(savings) < 2:
        return ()
    return tuple(
        Unit(product_id=product, saving=saving, action=wording.action(replace(offer, saving=saving)))
        for product, saving in savings.items()
    )
