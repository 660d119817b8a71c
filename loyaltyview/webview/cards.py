"""The member page's cards: offers in groups, in words. The groups are: use now (what the member owns first),
already applied, not with what is applied, soon, gift cards, not at this till."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from loyaltyview.redemptions.offers import CartReason, Offer, OfferState, points_as_money, units_of
from loyaltyview.redemptions.release import can_release
from loyaltyview.webview import wording
from loyaltyview.webview.member_offers import MemberOffer, PointsChoice, chips_of
from loyaltyview.webview.point_value import Better, Lost, beaten_by, lost_in, value_of_100
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
# The program's stacking rule keeps them out of the cart as it is.
APART = frozenset({CartReason.CODES_PER_CART, CartReason.NOT_TOGETHER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One of several products that a reward can make free, with its name: what it saves, what the button says
    then, and what 100 points give."""

    product_id: str
    name: str
    saving: Money
    action: str
    value: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A number of points that is one tap away, and what it takes off."""

    points: int
    saving: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One card. `action` is the button's text, `gap` says what is missing and `share` (0..100) how near it
    is. `code` is what was typed to find a voucher. `units` are the products to choose from, the cheapest
    first; empty without a choice. `value` is what 100 points give in this cart, `lost` what the cart cannot
    use, `better` an offer that beats it. Equal cards look equal: pages keep their parts (`kept`)."""

    offer: Offer
    action: str = ""
    gap: str = ""
    share: int = 0
    code: str = ""
    is_final: bool = False
    is_chosen: bool = False
    choice: PointsChoice | None = None
    chips: tuple[Chip, ...] = ()
    units: tuple[Unit, ...] = ()
    value: Money | None = None
    lost: Lost | None = None
    better: Better | None = None

    @property
    def is_owned(self) -> bool:
        """Whether the member has it already, and it costs no points."""
        return self.offer.state is OfferState.OWNED

    @property
    def pick(self) -> str:
        """The value of the card's box: which of the offers it is."""
        return f"{self.offer.kind}:{self.offer.item_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deck:
    """The cards in their groups; those in `again` are in the cart already, those in `apart` cannot share it
    with what is."""

    now: tuple[Card, ...]
    again: tuple[Card, ...]
    apart: tuple[Card, ...]
    soon: tuple[Card, ...]
    gift_cards: tuple[Card, ...]
    rest: tuple[Card, ...]

    @property
    def locked(self) -> tuple[Card, ...]:
        return (*self.again, *self.apart, *self.soon, *self.gift_cards, *self.rest)


def build_deck(
    offers: Iterable[MemberOffer],
    provider: LoyaltyProvider,
    cart: Cart,
    member: Member,
    names: Mapping[str, str],
    chosen: Collection[str] = (),
    codes: dict[str, str] | None = None,
) -> Deck:
    """Return the cards of `offers`, which keep their order. `names` are those of products. `chosen` are the
    boxes that the associate ticked before; nothing is ticked for them. `codes` has what was typed to find a
    voucher, by its id: its card comes first."""
    offers = tuple(offers)
    usable = [each for each in offers if each.offer.state is not OfferState.LOCKED]
    groups: dict[str, list[Card]] = {
        name: [] for name in ("now", "again", "apart", "soon", "gift_cards", "rest")
    }
    for each in offers:
        offer = each.offer
        code = (codes or {}).get(offer.item_id, "") if offer.kind is SpendKind.VOUCHER else ""
        if offer.state is OfferState.LOCKED:
            group, card = _locked_group(offer), _locked_card(offer, provider, cart, member, names, code)
        else:
            group, card = "now", _card(each, provider, cart, names, chosen, code, usable)
        groups[group].append(card)
    in_order = {name: tuple(sorted(cards, key=lambda card: not card.code)) for name, cards in groups.items()}
    return Deck(**in_order)


def _locked_group(offer: Offer) -> str:
    if offer.reason == CartReason.IN_CART:
        return "again"
    if offer.reason in APART:
        return "apart"
    if offer.reason == CartReason.GIFT_CARD:
        return "gift_cards"
    return "soon" if offer.reason in REACHABLE else "rest"


def _is_final(offer: Offer, provider: LoyaltyProvider) -> bool:
    return offer.is_final or not can_release(provider, SpendKind(offer.kind))


def _locked_card(
    offer: Offer, provider: LoyaltyProvider, cart: Cart, member: Member, names: Mapping[str, str], code: str
) -> Card:
    share = offer.gap_share
    if offer.reason == LockReason.TIER and member.tier and offer.tier == member.tier.next_name:
        share = wording.tier_way(member.tier, cart.total.currency).share
    gap, is_final = wording.gap(offer, member.tier, names), _is_final(offer, provider)
    return Card(offer=offer, gap=gap, share=share, code=code, is_final=is_final)


def _card(
    each: MemberOffer,
    provider: LoyaltyProvider,
    cart: Cart,
    names: Mapping[str, str],
    chosen: Collection[str],
    code: str,
    usable: Iterable[MemberOffer],
) -> Card:
    offer = each.offer
    is_final = _is_final(offer, provider)
    return Card(
        offer=offer,
        action=wording.action(offer),
        code=code,
        is_final=is_final,
        # A voucher that was looked up is on the way to be applied, but not one that cannot be undone.
        is_chosen=f"{offer.kind}:{offer.item_id}" in chosen and not (code and is_final),
        choice=each.choice,
        chips=_chips(each),
        units=_units(offer, cart, names),
        value=value_of_100(offer),
        lost=lost_in(offer, cart),
        better=beaten_by(offer, usable, cart),
    )


def _chips(each: MemberOffer) -> tuple[Chip, ...]:
    choice, span = each.choice, each.offer.points_range
    if choice is None or span is None:
        return ()
    return tuple(
        Chip(points=points, saving=points_as_money(points, span)) for points in chips_of(choice, span)
    )


def _units(offer: Offer, cart: Cart, names: Mapping[str, str]) -> tuple[Unit, ...]:
    savings = units_of(offer.discount, cart)
    if len(savings) < 2:
        return ()
    return tuple(
        Unit(
            product_id=product,
            name=names.get(product) or product,
            saving=saving,
            action=wording.action(replace(offer, saving=saving)),
            value=value_of_100(offer, saving),
        )
        for product, saving in savings.items()
    )
