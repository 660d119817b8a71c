"""One tap on a card: judged afresh against the vendor, then handed to the saga."""

import re
from dataclasses import dataclass
from decimal import Decimal

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from loyaltyview.ops.policy import with_scanner
from loyaltyview.programs.models import TroubleKind
from loyaltyview.programs.troubles import note_trouble
from loyaltyview.redemptions.commands import (
    AnotherTillRedeeming,
    InCartAlready,
    KeyReused,
    RedeemRequest,
)
from loyaltyview.redemptions.limits import free_slot
from loyaltyview.redemptions.models import OPEN, Redemption, State
from loyaltyview.redemptions.offers import Offer, OfferState, build_offers, points_as_money
from loyaltyview.redemptions.refusals import Refusal, lock_refusal, vendor_refusal
from loyaltyview.redemptions.release import can_release
from loyaltyview.redemptions.saga import find_tap, redeem, repeat
from loyaltyview.webview import cart_recheck, wording
from loyaltyview.webview.applied_redemptions import cart_left, is_full, of_member, redemptions_in
from loyaltyview.webview.carts import cart_of, store_of
from loyaltyview.webview.duplicate_taps import work_once
from loyaltyview.webview.member_data import MemberData, read_for_redeeming
from loyaltyview.webview.members import check_member_token
from loyaltyview.webview.models import Launch
from loyaltyview.webview.points import is_offered, points_choice
from loyaltyview.webview.problems import Problem
from loyaltyview.webview.request_limits import count_lookup, count_redemption
from loyaltyview.webview.responses import address_of, go
from loyaltyview.webview.search_input import read_code
from loyaltyview.webview.sessions import actor_of, with_launch
from loyaltyview.webview.vendor_turns import in_turn, wait_of, waiting
from loyaltyview.webview.views.member import show_member, to_the_end
from providers.errors import ProviderError, Rejected
from providers.texts import shown
from providers.types import Cart, Discount, DiscountKind, Money, SpendKind

KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
MOST_POINTS = 2_000_000_000
LONGEST_TITLE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """What the card's form says. `points` is 0 except for points as money; `code` is what was typed to find
    a voucher, "" for one from the list; `cost` in points and `saving` in money are what the card showed,
    None where a form does not say; `title` is said where nothing better is known."""

    kind: SpendKind
    item_id: str
    key: str
    points: int
    code: str = ""
    cost: int | None = None
    saving: Decimal | None = None
    title: str = ""


@with_launch
@with_scanner
@require_POST
def redeem_reward(request: HttpRequest, launch: Launch) -> HttpResponse:
    """Redeem, and go to the applied page; what is refused is said on the member page."""
    if not launch.member_ref:
        return go(request, address_of("member", launch))
    try:
        check_member_token(launch, request.POST.get("member"))
        tap = read_tap(request.POST)
        if not has_begun(launch, (tap,)) and (wait_s := wait_of(launch, tap.key)):
            return waiting(request, launch, wait_s)
        with in_turn(launch, tap.key):
            row = redeem_tap(launch, tap)
        if row.state == State.REFUSED:
            raise Problem.of_row(row)
    except Problem as problem:
        chosen = (f"{request.POST.get('kind', '')}:{request.POST.get('item', '')}",)
        return show_member(request, launch, to_the_end(), problem, chosen=chosen)
    address = address_of("applied", launch, redemption_id=row.pk)
    return go(request, address if row.state in OPEN else f"{address}?go=1")


def has_begun(launch: Launch, taps: tuple[Tap, ...]) -> bool:
    """Return whether the same form has started a redemption before: then it waits for no turn."""
    keys = [tap.key for tap in taps]
    return Redemption.objects.filter(program=launch.program, key__in=keys).exists()


def read_tap(form: QueryDict) -> Tap:
    """Return what a card's form says; raise Problem for a form that is not ours."""
    return tap_of(
        key=form.get("key", ""),
        kind=form.get("kind", ""),
        item_id=form.get("item", ""),
        points=form.get("points", "0"),
        code=form.get("code", ""),
        cost=form.get("cost", ""),
        saving=form.get("saving", ""),
    )


def tap_of(
    *,
    key: str,
    kind: str,
    item_id: str,
    points: str,
    code: str,
    cost: str = "",
    saving: str = "",
    title: str = "",
) -> Tap:
    """Return the tap that these texts of a form mean; raise Problem for what no form of ours says."""
    try:
        spend_kind = SpendKind(kind)
    except ValueError as error:
        raise Problem(Refusal.BAD_REQUEST) from error
    if not KEY.fullmatch(key) or not 0 < len(item_id) <= 200:
        raise Problem(Refusal.BAD_REQUEST)
    if not re.fullmatch(r"[0-9]{1,10}", points) or int(points) > MOST_POINTS:
        raise Problem(Refusal.BAD_REQUEST)
    if not re.fullmatch(r"[0-9]{0,10}", cost) or not re.fullmatch(r"([0-9]{1,10}(\.[0-9]{1,4})?)?", saving):
        raise Problem(Refusal.BAD_REQUEST)
    return Tap(
        kind=spend_kind,
        item_id=item_id,
        key=key,
        points=int(points) if spend_kind is SpendKind.POINTS else 0,
        code=read_code(code) if code and spend_kind is SpendKind.VOUCHER else "",
        cost=int(cost) if cost else None,
        saving=Decimal(saving) if saving else None,
        title=shown(title)[:LONGEST_TITLE],
    )


def redeem_tap(launch: Launch, tap: Tap, *, may_be_cut: bool = True) -> Redemption:
    """Redeem what was tapped, unless the same tap did so before, and return its row; REFUSED is one of its
    states. Without `may_be_cut` nothing is applied of which the cart takes only a part.
    Raises Problem: nothing was done."""
    try:
        row = work_once(
            (launch.pk, tap),
            lambda: _redeem(launch, tap, may_be_cut),
            lambda: _earlier(launch, tap),
        )
    except Problem as problem:
        note_trouble(launch.program, TroubleKind.TAP, problem.code)
        raise
    if row.state in (State.RELEASING, State.RELEASED):
        # An old form: what it asked for was done, and undone.
        raise Problem(Refusal.GIVEN_BACK, title=row.title)
    return row


def _redeem(launch: Launch, tap: Tap, may_be_cut: bool) -> Redemption:
    title = ""
    try:
        wanted = _wanted(launch, tap, may_be_cut)
        title = wanted.title
        return repeat(wanted, actor_of(launch)) if isinstance(wanted, Redemption) else redeem(wanted)
    except KeyReused as error:
        raise Problem(Refusal.KEY_REUSED) from error
    except InCartAlready as error:
        raise Problem(Refusal.IN_CART, title=title) from error
    except AnotherTillRedeeming as error:
        raise Problem(Refusal.ANOTHER_TILL, _still_checked(launch), title=title) from error


def _still_checked(launch: Launch) -> str:
    """Return what to say when a tap before this one waits for the program's answer; "" when another till is
    at work."""
    mine = {"program": launch.program, "member_ref": launch.member_ref}
    checked = Redemption.objects.filter(**mine, state=State.UNCERTAIN).only("title").first()
    if checked is None:
        return ""
    return _(
        "%(title)s is still being checked with the program. Nothing more was spent. "
        "That can take some minutes: the sale can go on without a reward, or try again later."
    ) % {"title": checked.title}


def _wanted(launch: Launch, tap: Tap, may_be_cut: bool) -> RedeemRequest | Redemption:
    """Return what the tap asks for, or what the same tap started before: that may have spent the points that
    this one would need. It is looked for before the vendor is asked anything, and once more before a
    refusal: another process may have been quicker."""
    if earlier := _earlier(launch, tap):
        return earlier
    try:
        return _judged(launch, tap, may_be_cut)
    except Problem:
        if earlier := _earlier(launch, tap):
            return earlier
        raise


def _earlier(launch: Launch, tap: Tap) -> Redemption | None:
    return find_tap(
        launch.program,
        launch_id=launch.pk,
        member_ref=launch.member_ref,
        key=tap.key,
        kind=tap.kind,
        item_id=tap.item_id,
        points=tap.points,
    )


def _judged(launch: Launch, tap: Tap, may_be_cut: bool) -> RedeemRequest:
    """Return the request for what the vendor offers now: of the form, only which item counts."""
    provider = launch.program.provider()
    count_redemption(launch)
    if tap.code:
        count_lookup(launch)  # a code can be guessed here as well as in the field
    if launch.is_replaced:
        raise Problem(Refusal.OPENED_ANEW)
    rows = redemptions_in(launch)
    if is_full(launch, rows):
        raise Problem(Refusal.CART_FULL)
    cart = cart_left(launch, cart_of(launch, store_of(launch)), rows)
    read_cart = cart_recheck.begin(launch)
    try:
        reading = read_for_redeeming(launch, provider, cart, tap.kind, tap.code)
    except Rejected as error:
        raise Problem(vendor_refusal(error)) from error
    except ProviderError as error:
        raise Problem.of_read(error) from error
    cart_recheck.finish(launch, read_cart)
    spendable = reading.member.balance.spendable
    if launch.cart_before is not None:
        cart = cart_left(launch, cart_of(launch, store_of(launch)), rows)
    offer = _offer(tap, reading, cart)
    if offer is None:
        raise Problem(Refusal.ITEM_UNKNOWN)
    if launch.cart_before is not None:
        before = cart_left(launch, cart_of(launch, store_of(launch), launch.cart_before), rows)
        if _takes_off(tap, offer, cart) != _takes_off(tap, _offer(tap, reading, before), before):
            raise Problem(Refusal.CART_REDUCED, title=offer.title)
    limit, mine = launch.program.codes_per_reward, of_member(launch, rows)
    slot = free_slot(offer, mine, limit)
    if limit and slot is None:
        raise Problem(Refusal.IN_CART, title=offer.title)
    if offer.state is OfferState.LOCKED:
        gap = wording.gap(offer, reading.member.tier)
        text = _("Not possible: %(gap)s.") % {"gap": gap}
        raise Problem(lock_refusal(offer.reason), text, title=offer.title)
    if offer.is_capped and not may_be_cut:
        raise Problem(Refusal.CUT, title=offer.title)
    points, discount, saving = _price(tap, offer, spendable, cart)
    return RedeemRequest(
        program=launch.program,
        launch_id=launch.pk,
        key=tap.key,
        cart=cart,
        member_ref=launch.member_ref,
        kind=tap.kind,
        item_id=offer.item_id,
        title=offer.title,
        points=points,
        discount=discount,
        saving=saving,
        actor=actor_of(launch),
        profile_id=launch.profile_id,
        is_final=offer.is_final or not can_release(provider, offer.kind),
        cart_slot=slot,
    )


def _offer(tap: Tap, reading: MemberData, cart: Cart) -> Offer | None:
    """Return what was tapped, judged against `cart`; None for what is not on the list."""
    offers = build_offers(reading.rewards, reading.vouchers, cart, reading.member.balance.spendable)
    return next((o for o in offers if (o.kind, o.item_id) == (tap.kind, tap.item_id)), None)


def _takes_off(tap: Tap, offer: Offer | None, cart: Cart) -> Decimal | None:
    """Return what the tap takes off `cart`, None for nothing."""
    if offer is None or offer.state is OfferState.LOCKED or offer.saving is None:
        return None
    if offer.points_range is None:
        return offer.saving.amount
    return min(points_as_money(tap.points, offer.points_range).amount, cart.total.amount)


def _price(tap: Tap, offer: Offer, spendable: int, cart: Cart) -> tuple[int, Discount, Money]:
    """Return the points, the discount and the saving of one tap; raise Problem for points not offered."""
    if offer.points_range is None:
        if offer.saving is None:
            raise Problem(Refusal.ITEM_UNKNOWN)
        if tap.cost is not None and offer.points > tap.cost:
            raise Problem(Refusal.PRICE_CHANGED, status=409, title=offer.title)
        if tap.saving is not None and offer.saving.amount < tap.saving:
            raise Problem(Refusal.CUT, title=offer.title)
        return offer.points, offer.discount, offer.saving
    choice = points_choice(offer.points_range, spendable, cart)
    if choice is None or not is_offered(tap.points, choice):
        raise Problem(Refusal.POINTS_NOT_OFFERED, wording.points_offered(choice), title=offer.title)
    worth = points_as_money(tap.points, offer.points_range)
    saving = Money(amount=min(worth.amount, cart.total.amount), currency=worth.currency)
    return tap.points, Discount(kind=DiscountKind.POINTS, amount=saving), saving
