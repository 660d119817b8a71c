"""A tap becomes a request to the saga: judged against what the vendor offers and NewStore's cart has now.

Of the form only counts which item it is. Its prices are a bound: nothing costs more, or takes less off, than
the card showed.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from loyaltyview.redemptions.commands import RedeemRequest
from loyaltyview.redemptions.limits import free_slot
from loyaltyview.redemptions.models import Redemption
from loyaltyview.redemptions.offers import Offer, OfferState, build_offers, points_as_money, with_unit
from loyaltyview.redemptions.refusals import Refusal, lock_refusal, vendor_refusal
from loyaltyview.redemptions.release import can_release
from loyaltyview.redemptions.stacking import StackingRule, lock_at_tap
from loyaltyview.webview import cart_recheck, wording
from loyaltyview.webview.applied_redemptions import cart_left, is_full, of_member, redemptions_in
from loyaltyview.webview.carts import cart_of, store_of
from loyaltyview.webview.member_data import MemberData, read_for_redeeming
from loyaltyview.webview.member_offers import is_offered, points_choice
from loyaltyview.webview.models import Launch
from loyaltyview.webview.problems import Problem
from loyaltyview.webview.request_limits import count_lookup, count_redemption
from loyaltyview.webview.sessions import actor_of
from loyaltyview.webview.taps import Tap
from providers.base import LoyaltyProvider
from providers.errors import ProviderError, Rejected
from providers.types import Cart, Discount, DiscountKind, Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one tap costs and gives."""

    points: int
    discount: Discount
    saving: Money


def request_of(launch: Launch, tap: Tap, *, may_be_cut: bool) -> RedeemRequest:
    """Return what the saga is asked for. Without `may_be_cut` the cart must take the whole discount. Reads
    the vendor and NewStore's cart at the same time. Raises Problem: nothing was done."""
    _admit(launch, tap)
    rows = redemptions_in(launch)
    if is_full(launch, rows):
        raise Problem(Refusal.CART_FULL)
    provider = launch.program.provider()
    data, cart = _read(launch, provider, tap, rows)
    offer = _offer(launch, tap, data, cart)
    if offer is None:
        raise Problem(Refusal.ITEM_UNKNOWN)
    _check_reduction(launch, tap, data, rows, cart, offer)
    slot = _slot(launch, offer, rows)
    offer = lock_at_tap(offer, of_member(launch, rows), StackingRule.of(launch.program))
    _check_lock(launch, offer, data, may_be_cut=may_be_cut)
    price = _price(tap, offer, data.member.balance.spendable, cart)
    if price.points and data.member.has_pin and not tap.pin:
        raise Problem(Refusal.PIN_NEEDED, title=offer.title)
    return RedeemRequest(
        program=launch.program,
        launch_id=launch.pk,
        key=tap.key,
        cart=cart,
        member_ref=launch.member_ref,
        kind=tap.kind,
        item_id=offer.item_id,
        title=offer.title,
        points=price.points,
        discount=price.discount,
        saving=price.saving,
        actor=actor_of(launch),
        profile_id=launch.profile_id,
        is_final=offer.is_final or not can_release(provider, offer.kind),
        cart_slot=slot,
        pin=tap.pin,
    )


def _admit(launch: Launch, tap: Tap) -> None:
    """Raise Problem for a tap too many, and for a page whose cart was opened again since."""
    count_redemption(launch)
    if tap.code:
        count_lookup(launch)  # a code can be guessed here as well as in the field
    if launch.is_replaced:
        raise Problem(Refusal.OPENED_ANEW)


def _read(
    launch: Launch, provider: LoyaltyProvider, tap: Tap, rows: list[Redemption]
) -> tuple[MemberData, Cart]:
    """Return what the vendor offers, and the cart as NewStore has it now. Where that is smaller than the one
    that the page showed, `launch.cart_before` is the latter."""
    shown = cart_left(launch, cart_of(launch, store_of(launch)), rows)
    pending = cart_recheck.begin(launch)
    try:
        data = read_for_redeeming(launch, provider, shown, tap.kind, tap.code)
    except Rejected as error:
        raise Problem(vendor_refusal(error)) from error
    except ProviderError as error:
        raise Problem.of_read(error) from error
    cart_recheck.finish(launch, pending)
    if launch.cart_before is None:
        return data, shown
    return data, cart_left(launch, cart_of(launch, store_of(launch)), rows)


def _offer(launch: Launch, tap: Tap, data: MemberData, cart: Cart) -> Offer | None:
    """Return what was tapped, judged against `cart`; None for what is not on the list."""
    offers = build_offers(data.rewards, data.vouchers, cart, data.member.balance.spendable)
    offer = next((each for each in offers if (each.kind, each.item_id) == (tap.kind, tap.item_id)), None)
    if offer is None or not tap.unit or not offer.saving:
        return offer
    name = launch.program.product_names.get(tap.unit) or tap.unit
    return with_unit(offer, tap.unit, name, cart)


def _check_reduction(
    launch: Launch, tap: Tap, data: MemberData, rows: list[Redemption], cart: Cart, offer: Offer
) -> None:
    """Raise Problem where the cart was reduced and the tap takes another amount off it now."""
    if launch.cart_before is None:
        return
    before = cart_left(launch, cart_of(launch, store_of(launch), launch.cart_before), rows)
    if _takes_off(tap, offer, cart) != _takes_off(tap, _offer(launch, tap, data, before), before):
        raise Problem(Refusal.CART_REDUCED, title=offer.title)


def _takes_off(tap: Tap, offer: Offer | None, cart: Cart) -> Decimal | None:
    """Return what the tap takes off `cart`, None for nothing."""
    if offer is None or offer.state is OfferState.LOCKED or offer.saving is None:
        return None
    if offer.points_range is None:
        return offer.saving.amount
    return min(points_as_money(tap.points, offer.points_range).amount, cart.total.amount)


def _slot(launch: Launch, offer: Offer, rows: list[Redemption]) -> int | None:
    """Return which of the codes that the program allows of this reward in one cart it is; None without a
    limit."""
    limit = launch.program.codes_per_reward
    slot = free_slot(offer, of_member(launch, rows), limit)
    if limit and slot is None:
        raise Problem(Refusal.IN_CART, title=offer.title)
    return slot


def _check_lock(launch: Launch, offer: Offer, data: MemberData, *, may_be_cut: bool) -> None:
    if offer.state is OfferState.LOCKED:
        text = wording.beside_others(offer)
        gap = wording.gap(offer, data.member.tier, launch.program.product_names)
        text = text or _("Not possible: %(gap)s.") % {"gap": gap}
        raise Problem(lock_refusal(offer.reason), text, title=offer.title)
    if offer.is_capped and not may_be_cut:
        raise Problem(Refusal.CUT, title=offer.title)


def _price(tap: Tap, offer: Offer, spendable: int, cart: Cart) -> Price:
    """Return what the tap costs. Raises Problem for points that are not offered, and for an offer that became
    worse than the card said."""
    if offer.points_range is None:
        if offer.saving is None:
            raise Problem(Refusal.ITEM_UNKNOWN)
        if tap.cost is not None and offer.points > tap.cost:
            raise Problem(Refusal.PRICE_CHANGED, status=409, title=offer.title)
        if tap.saving is not None and offer.saving.amount < tap.saving:
            raise Problem(Refusal.CUT, title=offer.title)
        return Price(points=offer.points, discount=offer.discount, saving=offer.saving)
    choice = points_choice(offer.points_range, spendable, cart)
    if choice is None or not is_offered(tap.points, choice):
        raise Problem(Refusal.POINTS_NOT_OFFERED, wording.points_offered(choice), title=offer.title)
    worth = points_as_money(tap.points, offer.points_range)
    saving = Money(amount=min(worth.amount, cart.total.amount), currency=worth.currency)
    discount = Discount(kind=DiscountKind.POINTS, amount=saving)
    return Price(points=tap.points, discount=discount, saving=saving)
