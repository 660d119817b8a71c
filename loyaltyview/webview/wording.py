"""What the pages say of offers and redemptions. Pure functions, no I/O.

Refusals have their sentences in `redemptions.refusals`. Here are those that need more than the code.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from loyaltyview.programs.rules import KINDS_TOGETHER, kinds_of
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.offers import CartReason, Offer
from loyaltyview.redemptions.refusals import Refusal
from loyaltyview.redemptions.stacking import StackingRule
from loyaltyview.webview import formats
from loyaltyview.webview.member_offers import PointsChoice
from providers.sales import SpendKind
from providers.types import DiscountKind, LockReason, Money, Tier

# Why an applied reward gets no new code. What was spent stays with it; the last sentence says so, and what
# to do.
RENEWALS: dict[Refusal, Promise] = {
    Refusal.NEWSTORE_UNAVAILABLE: lazy("NewStore cannot make a new code right now."),
    Refusal.NEWSTORE_AUTH: lazy("NewStore refuses our connection, so no new code can be made."),
    Refusal.NEWSTORE_REJECTED: lazy("NewStore refused a new code for this discount."),
    Refusal.NEWSTORE_GONE: lazy("NewStore no longer makes codes this way."),
    Refusal.NEWSTORE_UNEXPECTED: lazy("NewStore gave an answer that we do not understand."),
}


def no_new_code(refusal: Refusal, row: Redemption, *, can_undo: bool) -> str:
    """Return why `row`, whose code has expired, got no new one, and that nothing is lost."""
    why = RENEWALS.get(refusal, lazy("There is no new code right now."))
    if row.points and can_undo:
        what = _("The points are still reserved for it. Try again in a minute, or undo.")
    elif row.points:
        what = _("The points are still reserved for it. Try again in a minute, or tell your administrator.")
    elif row.kind == SpendKind.OFFER:
        what = _("Nothing was used up. Try again in a minute, or undo.")
    elif can_undo:
        what = _("The voucher is still reserved for it. Try again in a minute, or undo.")
    else:
        what = _("The voucher is still reserved for it. Try again in a minute, or tell your administrator.")
    return f"{why} {what}"


# The same refusals after a look-up of a voucher by its code, which uses nothing.
VOUCHERS: dict[Refusal, Promise] = {
    Refusal.REWARD_NOT_FOUND: lazy("No voucher with this code was found for this customer. Check the code."),
    Refusal.ALREADY_USED: lazy("This voucher was used already."),
    Refusal.EXPIRED: lazy("This voucher has expired."),
    Refusal.NOT_ALLOWED: lazy("This voucher belongs to another customer, or cannot be used here."),
}


def voucher_sentence(refusal: Refusal) -> str:
    """Return why a voucher that was looked up cannot be shown."""
    return str(VOUCHERS.get(refusal, refusal.sentence))


# Only the associate can take a code out of the app's cart.
STILL_IN_CART = lazy("Its code is still in the cart: remove it there, or paying uses the reward again.")


def cancelled(row: Redemption) -> str:
    """Return the notice about a redemption that the program cancelled by itself, and what to do."""
    if row.order_id:
        return _(
            "The program cancelled %(title)s after an order had used it. An administrator decides; the sale "
            "stands."
        ) % {"title": row.title}
    return _(
        "The program cancelled %(title)s, and its code must not be used any more. If it is in the cart "
        "already, remove it there. Then choose again."
    ) % {"title": row.title}


def cancelled_in_cart(row: Redemption, code: str, *, is_shown: bool) -> str:
    """Return the notice about a cancelled redemption whose `code` is in the cart. Of another customer's it
    does not say what it was: `is_shown` is False."""
    if is_shown:
        what = _("The program cancelled %(title)s, and its code %(code)s is no longer valid.")
    else:
        what = _("The program cancelled the reward of the code %(code)s, which is no longer valid.")
    return f"{what % {'title': row.title, 'code': code}} " + _("Remove it from the cart, then choose again.")


def given_back(row: Redemption) -> str:
    """Return the notice after an undo, "" for a row that is not given back."""
    if row.state == State.RELEASING and row.points:
        return _("It is being given back. The points return as soon as the program answers.")
    if row.kind == SpendKind.OFFER and row.state in (State.RELEASING, State.RELEASED):
        return _("The offer is taken off. It can be applied again.")
    if row.state == State.RELEASING:
        return _("It is being given back. The voucher returns as soon as the program answers.")
    if row.state != State.RELEASED:
        return ""
    if row.points:
        return _("%(points)s are back.") % {"points": formats.points(row.points)}
    return _("The voucher is back.")


STATES: dict[str, Promise] = {
    "checking": lazy("Checking with the program"),
    "returning": lazy("Being given back"),
    "returned": lazy("Given back"),
    "refused": lazy("Refused, nothing was spent"),
    "stuck": lazy("A person is looking at it"),
    "ordered": lazy("Used in an order"),
    "expired": lazy("Code expired"),
    "live": lazy("Applied"),
}


def state_word(status: str) -> str:
    """Return how a redemption stands (`applied_redemptions.Applied.status`) in words."""
    return str(STATES[status])


# Title and text of the page that is shown when the program gives no answer.
OUTAGES: dict[Refusal, tuple[Promise, Promise]] = {
    Refusal.PROVIDER_UNAVAILABLE: (
        lazy("The program does not answer"),
        lazy("Nothing can be spent right now, so that no points are lost."),
    ),
    Refusal.PROVIDER_BUSY: (
        lazy("The program is busy"),
        lazy("It takes no more requests for a moment. Try again in a few seconds."),
    ),
    Refusal.PROVIDER_AUTH: (
        lazy("The program needs attention by an administrator"),
        lazy("It refuses our connection. Tell your administrator; trying again will not help."),
    ),
    Refusal.PROVIDER_UNEXPECTED: (
        lazy("The program gave an answer that we do not understand"),
        lazy("Nothing can be spent, so that no points are lost. Try again, or tell your administrator."),
    ),
}


def gap(offer: Offer, tier: Tier | None, names: Mapping[str, str]) -> str:
    """Return why `offer` is locked, with the exact gap where there is one; `tier` is the member's,
    `names` are those of products. What points alone do not open says so first."""
    if offer.points_gap:
        points = ngettext("%(number)s point more", "%(number)s points more", offer.points_gap) % {
            "number": formats.number(offer.points_gap)
        }
        if offer.reason == LockReason.POINTS:
            return points
        reason = gap(replace(offer, points_gap=0), tier, names)
        return _("%(reason)s; then %(points)s") % {"reason": reason, "points": points}
    if offer.money_gap:
        return _("%(money)s more in the cart") % {"money": formats.money_short(offer.money_gap)}
    if offer.reason == LockReason.TIER and offer.tier:
        if tier and tier.next_name == offer.tier:
            way = tier_way(tier, tier.unit).text
            return _("%(tier)s members only, %(way)s") % {"tier": offer.tier, "way": way}
        return _("From %(tier)s tier") % {"tier": offer.tier}
    if offer.reason == CartReason.PRODUCT_MISSING and offer.discount.skus:
        items = [names.get(sku) or sku for sku in offer.discount.skus[:3]]
        return _("Add %(items)s to the cart") % {"items": ", ".join(items)}
    if offer.reason == CartReason.NOT_TOGETHER and offer.not_with:
        return _("Not together with %(title)s, which is in this cart") % {"title": offer.not_with}
    if offer.reason == CartReason.CATEGORY:
        return _(
            "For products of category %(category)s, which this till cannot see. Your administrator can list "
            "them."
        ) % {"category": offer.discount.category}
    if offer.reason == CartReason.GIFT_CARD:
        return f"{_gift_card(offer)} {offer.text}".strip()
    if offer.reason == LockReason.OTHER and offer.text:
        return offer.text
    return str(LOCKS.get(offer.reason, lazy("Not available")))


def beside_others(offer: Offer) -> str:
    """Return why the cart does not take `offer` beside what is in it, and what to do; "" for another lock."""
    if offer.reason == CartReason.CODES_PER_CART:
        return str(Refusal.CODES_PER_CART.sentence)
    if offer.reason != CartReason.NOT_TOGETHER:
        return ""
    return _(
        "The program does not allow this together with %(title)s, which is in the cart. Nothing more was "
        "spent. Go back to the cart, or undo %(title)s first."
    ) % {"title": offer.not_with}


def stacking(rule: StackingRule, kinds: Collection[str]) -> tuple[str, ...]:
    """Return what the program's rule says of spends of these `kinds`, in sentences; empty where all of them
    may share a cart."""
    pairs = {pair: text for pair, text in KINDS_TOGETHER.items() if kinds_of(pair) <= set(kinds)}
    apart = [text for pair, text in pairs.items() if pair not in rule.kinds_together]
    if pairs and len(apart) == len(pairs):
        return (_("The program allows nothing else in the cart beside one reward, voucher or offer."),)
    said = [_("Not together in one cart: %(pair)s.") % {"pair": text} for text in apart]
    if rule.codes_per_cart:
        text = ngettext(
            "The program allows %(number)s code in one cart.",
            "The program allows %(number)s codes in one cart.",
            rule.codes_per_cart,
        )
        said.insert(0, text % {"number": formats.number(rule.codes_per_cart)})
    return tuple(said)


def _gift_card(offer: Offer) -> str:
    """Return what a gift card is, and of one that the member has how it is used: it may be another shop's."""
    left = offer.discount.amount
    what = _("It is money to pay with, not a discount.")
    if left:
        what = _("It is %(money)s to pay with, not a discount.") % {"money": formats.money_short(left)}
    if offer.kind is not SpendKind.VOUCHER:
        return what
    return f"{what} " + _("If this store takes it, take it when the customer pays.")


def points_offered(choice: PointsChoice | None) -> str:
    """Return which numbers of points are possible; "" where none is."""
    if choice is None:
        return ""
    return _(
        "This number of points cannot be used. From %(least)s to %(most)s are possible, in steps of %(step)s."
    ) % {
        "least": formats.number(choice.minimum),
        "most": formats.points(choice.maximum),
        "step": formats.number(choice.step),
    }


LOCKS: dict[str, Promise] = {
    LockReason.POINTS: lazy("Not enough points"),
    LockReason.TIER: lazy("Needs a higher tier"),
    LockReason.OTHER: lazy("Not open to this member"),
    LockReason.OUT_OF_STOCK: lazy("Out of stock"),
    LockReason.LIMIT_REACHED: lazy("Used as often as allowed"),
    LockReason.NOT_STARTED: lazy("Not started yet"),
    LockReason.EXPIRED: lazy("Expired"),
    LockReason.ONLINE_ONLY: lazy("Only in the online shop"),
    CartReason.NO_CART: lazy("Open it from a cart to redeem"),
    CartReason.MINIMUM: lazy("The cart's total is too low"),
    CartReason.CURRENCY: lazy("In another currency than this cart"),
    CartReason.PRODUCT_MISSING: lazy("Its product is not in the cart"),
    CartReason.CART_EMPTY: lazy("Nothing is left to pay in this cart"),
    CartReason.IN_CART: lazy("Already in this cart"),
    CartReason.CODES_PER_CART: lazy("This cart has as many codes as the program allows"),
    CartReason.NOT_TOGETHER: lazy("Not together with what is in this cart"),
    CartReason.STORE: lazy("Not in this store"),
    CartReason.CATEGORY: lazy("For a category of products"),
    CartReason.GIFT_CARD: lazy("Gift card"),
    CartReason.UNKNOWN: lazy("Cannot be used at the till"),
}


def drawing(offer: Offer) -> str:
    """Return the symbol of static/icons.svg that stands for an offer without a picture."""
    return DRAWINGS.get(offer.discount.kind, "ticket")


def action(offer: Offer) -> str:
    """Return what the button says: what will happen, in money and points."""
    if offer.saving is None:
        return _("Apply")
    saving = formats.money_short(offer.saving)
    if not offer.points:
        return _("Apply %(saving)s off") % {"saving": saving}
    return _("Apply %(saving)s off, %(points)s") % {
        "saving": saving,
        "points": formats.points(offer.points),
    }


DRAWINGS = {
    DiscountKind.FIXED: "price",
    DiscountKind.PRICE: "price",
    DiscountKind.PERCENT: "percent",
    DiscountKind.PRODUCT: "gift",
    DiscountKind.POINTS: "star",
    DiscountKind.ONLINE_ONLY: "bag",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TierWay:
    """The way to the next tier: `share` 0..100 for the bar, `text` beside it."""

    share: int
    text: str


def tier_way(tier: Tier, currency: str) -> TierWay:
    """Return how far the member is, in the tier's own unit."""
    if not tier.next_name:
        return TierWay(share=100, text=_("Highest tier"))
    missing = max(tier.next_threshold - tier.progress, Decimal(0))
    span = tier.next_threshold - tier.threshold
    share = int(100 * (tier.progress - tier.threshold) / span) if span > 0 else 0
    if tier.unit == "points":
        amount = formats.points(int(missing))
    else:
        amount = formats.money_short(Money(amount=missing, currency=tier.unit or currency))
    return TierWay(
        share=max(0, min(100, share)),
        text=_("%(amount)s to %(tier)s") % {"amount": amount, "tier": tier.next_name},
    )
