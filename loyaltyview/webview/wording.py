"""Every code that can reach a page, as one sentence with what to do. Pure functions, no I/O.

A code of a vendor or of NewStore that is not listed gets the sentence UNKNOWN. `data-error` still has the
code.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.offers import CartReason, Offer
from loyaltyview.webview import formats
from loyaltyview.webview.points import PointsChoice
from providers.errors import AuthFailed, ProviderError, RateLimited, Unavailable
from providers.types import LockReason, Money, Tier

UNKNOWN = lazy("Something went wrong on our side. Nothing was spent. Try again, or go back to the cart.")

SENTENCES: dict[str, Promise] = {
    # The web server's refusals (ops.overload): no page was begun
    "BUSY": lazy("Too many pages wait for the loyalty program. Nothing was done. Try again in a moment."),
    "DATABASE_UNAVAILABLE": lazy(
        "Our database does not take this right now. What was begun is finished or given back by itself. "
        "Open the page again in a minute."
    ),
    "ADDRESS_TOO_LONG": lazy(
        "The app put more items of the cart into the address than we can read. "
        "Redeem before the cart has so many items, or split the cart."
    ),
    # The vendor's refusals (providers.errors.RejectReason)
    "INSUFFICIENT_POINTS": lazy("There are not enough points for this any more. Choose another reward."),
    "MEMBER_NOT_FOUND": lazy("The program does not know this member any more. Look the customer up again."),
    "REWARD_NOT_FOUND": lazy("This reward is not offered any more. Choose another one."),
    "OUT_OF_STOCK": lazy("This reward has just run out. Choose another one."),
    "LIMIT_REACHED": lazy("The customer has used this reward as often as the program allows."),
    "ALREADY_USED": lazy("This was used already. Choose another reward."),
    "EXPIRED": lazy("This has expired. Choose another reward."),
    "TIER_TOO_LOW": lazy("This reward needs a higher tier."),
    "PRICE_CHANGED": lazy("The price in points has changed. Check the new price and apply again."),
    "INVALID_INPUT": lazy("The program did not accept these details. Check them and try again."),
    "ALREADY_MEMBER": lazy("This customer is a member already. Look them up instead."),
    "NOT_ALLOWED": lazy("The program does not allow this. Choose another reward."),
    # Our own refusals (redemptions.refusals, redemptions.limits): nothing was spent
    "NEWSTORE_UNAVAILABLE": lazy("NewStore makes no code right now. No points were spent. Try again soon."),
    "NEWSTORE_AUTH": lazy(
        "NewStore refuses our connection: no code was made. No points were spent. Tell your administrator."
    ),
    "NEWSTORE_REJECTED": lazy("NewStore refused this discount. No points were spent. Choose another reward."),
    "NEWSTORE_GONE": lazy("NewStore makes no codes this way. No points were spent. Tell your administrator."),
    "NEWSTORE_UNEXPECTED": lazy(
        "NewStore gave an answer that we do not understand. No points were spent. Tell your administrator."
    ),
    "PROVIDER_UNAVAILABLE": lazy(
        "The loyalty program does not answer right now. No points were spent. Try again in a minute."
    ),
    "PROVIDER_AUTH": lazy("The loyalty program refuses our connection. Tell your administrator."),
    "PROVIDER_UNEXPECTED": lazy(
        "The loyalty program gave an answer that we do not understand. Try again, or tell your administrator."
    ),
    "PROVIDER_BUSY": lazy("The loyalty program is busy. Nothing was spent. Try again in a few seconds."),
    "NOT_SPENT": lazy("It did not go through. No points were spent. You can apply it again."),
    "ABANDONED": lazy("It was interrupted before anything was spent. You can apply it again."),
    "ASSOCIATE_LIMIT": lazy(
        "Your limit of redemptions per hour is reached. No points were spent. Ask your manager."
    ),
    "MEMBER_LIMIT": lazy(
        "The customer's limit of redemptions per day is reached. No points were spent. Ask your manager."
    ),
    "NOTHING_CHOSEN": lazy("Nothing was chosen. Choose a reward or a voucher first."),
    "CART_FULL": lazy("This cart has as many codes as it can take. Finish it, or undo one first."),
    "IN_CART": lazy(
        "This is in the cart already, as often as the program allows. Nothing more was spent. "
        "Go back to the cart, or choose another reward."
    ),
    "CART_REDUCED": lazy(
        "The cart has changed: there is less to pay now. Nothing was spent. "
        "Check what is shown, then apply again."
    ),
    "CART_CHANGED": lazy(
        "The cart has changed since this page was opened. Nothing was spent. "
        "Go back to the cart and open the page once more."
    ),
    "NOT_TRIED": lazy("Not tried, because another answer is still open. Apply it once that is known."),
    "NOT_TRIED_EITHER": lazy("Not tried either. Try again in a minute."),
    "CUT": lazy("The cart could not take the whole discount any more, so it was not applied."),
    "ANOTHER_TILL": lazy("Another till is redeeming for this customer. Try again in a moment."),
    "KEY_REUSED": lazy("This page was out of date, so nothing was done. Choose the reward again."),
    "OPENED_ANEW": lazy(
        "This cart may have changed: the page was opened from it again. Nothing was spent. "
        "Go back to the cart and open it once more."
    ),
    "MEMBER_CHANGED": lazy(
        "Another customer was chosen meanwhile, so nothing was done. Check the customer, then choose again."
    ),
    "GIVEN_BACK": lazy(
        "This was undone, so it is not applied. To use it after all, choose it here and apply it again."
    ),
    "ITEM_UNKNOWN": lazy(
        "This reward is not on the customer's list. Nothing was spent. Choose one from the page."
    ),
    "BAD_REQUEST": lazy("The page sent something incomplete. Nothing was done. Choose the reward again."),
    "SHIFT_UNVERIFIED": lazy(
        "Your shift is shown to you only. Log out of the app and in again, then open from the cart."
    ),
    "UNDO_NOT_POSSIBLE": lazy("This cannot be undone any more."),
    "UNDO_FINAL": lazy("The program cannot take this back."),
    # A voucher by its code
    "EMPTY_CODE": lazy("Type or scan the code on the voucher."),
    "CODE_TOO_LONG": lazy("This is too long for a voucher's code. Check it and type it again."),
    # Find and enrol
    "EMPTY_QUERY": lazy("Type a phone number, an email address or a member number."),
    "CARD_NUMBER": lazy("This looks like a payment card. Never type one here. Ask for a phone or email."),
    "QUERY_TOO_LONG": lazy("This is too long for a phone number, an email address or a member number."),
    "QUERY_UNREADABLE": lazy(
        "This contains characters that cannot be read. Clear the field and type it again."
    ),
    "TOO_MANY_LOOKUPS": lazy("Too many look-ups in a short time. Wait a minute, then try again."),
    "TOO_MANY_ENROLMENTS": lazy("Too many enrolments in a short time. Try again later."),
    "TOO_MANY_UNVERIFIED": lazy("Too many requests without a login. Log out of the app and in again."),
    "POINTS_NOT_OFFERED": lazy("This number of points cannot be used. Choose one of the steps."),
    "REDEMPTION_UNKNOWN": lazy("This reward was not applied in this cart. Go back to the cart."),
    "CHOICE_EXPIRED": lazy("This list is out of date. Search again."),
    "ENROL_UNKNOWN": lazy(
        "The program did not answer in time. Press the button again: the customer is enrolled only once."
    ),
    "CONSENT_UNKNOWN": lazy("The program did not answer in time. Save again: the same answer does no harm."),
    # The launch (newstore.launch)
    "TOKEN_MISSING": lazy("The app did not send its token. Go back and open the page again from the cart."),
    "TOKEN_MALFORMED": lazy("The app sent a broken token. Go back and open the page again from the cart."),
    "CART_MISSING": lazy("The app did not say which cart this is. Go back and open it again from the cart."),
    "CART_MALFORMED": lazy("The cart that the app sent cannot be read. Open the page again from the cart."),
    "TOTAL_MALFORMED": lazy("The cart's total cannot be read. Open the page again from the cart."),
    "CURRENCY_MALFORMED": lazy("The cart's currency cannot be read. Open the page again from the cart."),
    "CONTEXT_MALFORMED": lazy("What the app sent cannot be read. Open the page again from the cart."),
    # Identity and session
    "IDENTITY_MISSING": lazy(
        "Your login is not known here yet. Log out of the app and in again, then open the page from the cart."
    ),
    "IDENTITY_EXPIRED": lazy(
        "Your login is too old. Log out of the app and in again, then open the page from the cart."
    ),
    "NO_SESSION": lazy("This page belongs to another device or cart. Open it again from the cart."),
    "SESSION_EXPIRED": lazy("This page has been open for too long. Open it again from the cart."),
    "NO_CUSTOMER": lazy("There is no customer in this cart. Add the customer in the app, then open again."),
    "CART_UNKNOWN": lazy("NewStore does not know this cart. Go back and open the page again from the cart."),
    "CART_OTHER_STORE": lazy(
        "NewStore has this cart in another store. Go back to the cart, refresh it, and open the page again."
    ),
    "CART_OTHER_ASSOCIATE": lazy(
        "NewStore has this cart with another associate. Open the page again from your own cart."
    ),
    "CART_OTHER_CUSTOMER": lazy(
        "NewStore has another customer in this cart. Check the customer, then open the page again."
    ),
    "NO_CART": lazy("There is no cart here. Open the page from a cart to redeem."),
    "CART_UNCHECKED": lazy(
        "NewStore does not answer, so the cart cannot be checked. Try again in a minute. "
        "Logging out of the app and in again helps too."
    ),
    "ASSOCIATE_NEEDED": lazy(
        "To look up or enrol other customers, log out of the app and in again, then open from the cart."
    ),
    "PROGRAM_UNKNOWN": lazy("There is no such loyalty program here. Tell your administrator."),
}


def sentence(code: str) -> str:
    """Return what the associate reads for `code`."""
    if code.startswith("IDENTITY_") and code not in SENTENCES:
        code = "IDENTITY_MISSING"
    return str(SENTENCES.get(code, UNKNOWN))


def refusal(row: Redemption) -> str:
    """Return why `row` was refused: our sentence, with the vendor's own behind it where it gave one."""
    return f"{sentence(row.refusal)} {row.refusal_text}".strip()


# Why there is no new code for what is applied already (the codes of redemptions.refusals). What was spent
# stays with it; the last sentence says so, and what to do.
RENEWALS: dict[str, Promise] = {
    "NEWSTORE_UNAVAILABLE": lazy("NewStore cannot make a new code right now."),
    "NEWSTORE_AUTH": lazy("NewStore refuses our connection, so no new code can be made."),
    "NEWSTORE_REJECTED": lazy("NewStore refused a new code for this discount."),
    "NEWSTORE_GONE": lazy("NewStore no longer makes codes this way."),
    "NEWSTORE_UNEXPECTED": lazy("NewStore gave an answer that we do not understand."),
}


def no_new_code(code: str, row: Redemption, *, can_undo: bool) -> str:
    """Return why `row`, whose code has expired, got no new one, and that nothing is lost."""
    why = RENEWALS.get(code, lazy("There is no new code right now."))
    if row.points and can_undo:
        what = _("The points are still reserved for it. Try again in a minute, or undo.")
    elif row.points:
        what = _("The points are still reserved for it. Try again in a minute, or tell your administrator.")
    elif can_undo:
        what = _("The voucher is still reserved for it. Try again in a minute, or undo.")
    else:
        what = _("The voucher is still reserved for it. Try again in a minute, or tell your administrator.")
    return f"{why} {what}"


# The same reasons, when a voucher was looked up by its code: nothing was used by looking.
VOUCHERS: dict[str, Promise] = {
    "REWARD_NOT_FOUND": lazy("No voucher with this code was found for this customer. Check the code."),
    "ALREADY_USED": lazy("This voucher was used already."),
    "EXPIRED": lazy("This voucher has expired."),
    "NOT_ALLOWED": lazy("This voucher belongs to another customer, or cannot be used here."),
}


def voucher_sentence(code: str) -> str:
    """Return why a voucher that was looked up cannot be shown."""
    return str(VOUCHERS[code]) if code in VOUCHERS else sentence(code)


# Only the associate can take a code out of the app's cart.
STILL_IN_CART = lazy("Its code is still in the cart: remove it there, or paying uses the reward again.")


def cancelled(row: Redemption, *, is_in_cart: bool) -> str:
    """Return what is said of a redemption that the program cancelled by itself, and what to do."""
    if row.order_id:
        return _(
            "The program cancelled %(title)s after an order had used it. An administrator decides; the sale "
            "stands."
        ) % {"title": row.title}
    said = _("The program cancelled %(title)s, and its code must not be used any more.") % {
        "title": row.title
    }
    if is_in_cart:
        return f"{said} " + _("Remove it from the cart, then choose again.")
    return f"{said} " + _("If it is in the cart already, remove it there. Then choose again.")


def given_back(row: Redemption) -> str:
    """Return what is said after an undo, "" for a row that is not given back."""
    if row.state == State.RELEASING and row.points:
        return _("It is being given back. The points return as soon as the program answers.")
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
    """Return how a redemption stands (`in_cart.Applied.status`) in words."""
    return str(STATES[status])


# Title and text of the page that is shown when the program gives no answer.
OUTAGES: dict[str, tuple[Promise, Promise]] = {
    "PROVIDER_UNAVAILABLE": (
        lazy("The program does not answer"),
        lazy("Nothing can be spent right now, so that no points are lost."),
    ),
    "PROVIDER_BUSY": (
        lazy("The program is busy"),
        lazy("It takes no more requests for a moment. Try again in a few seconds."),
    ),
    "PROVIDER_AUTH": (
        lazy("The program needs attention by an administrator"),
        lazy("It refuses our connection. Tell your administrator; trying again will not help."),
    ),
    "PROVIDER_UNEXPECTED": (
        lazy("The program gave an answer that we do not understand"),
        lazy("Nothing can be spent, so that no points are lost. Try again, or tell your administrator."),
    ),
}


def trouble_code(error: ProviderError) -> str:
    """Return the code of a read that failed."""
    if isinstance(error, RateLimited):
        return "PROVIDER_BUSY"
    if isinstance(error, Unavailable):
        return "PROVIDER_UNAVAILABLE"
    if isinstance(error, AuthFailed):
        return "PROVIDER_AUTH"
    return "PROVIDER_UNEXPECTED"


def gap(offer: Offer, tier: Tier | None = None) -> str:
    """Return why `offer` is locked, with the exact gap where there is one; `tier` is the member's. What
    points alone do not open says so first."""
    if offer.points_gap:
        points = ngettext("%(number)s point more", "%(number)s points more", offer.points_gap) % {
            "number": formats.number(offer.points_gap)
        }
        if offer.reason == LockReason.POINTS:
            return points
        reason = gap(replace(offer, points_gap=0), tier)
        return _("%(reason)s; then %(points)s") % {"reason": reason, "points": points}
    if offer.money_gap:
        return _("%(money)s more in the cart") % {"money": formats.money_short(offer.money_gap)}
    if offer.reason == LockReason.TIER and offer.tier:
        if tier and tier.next_name == offer.tier:
            way = tier_way(tier, tier.unit).text
            return _("%(tier)s members only, %(way)s") % {"tier": offer.tier, "way": way}
        return _("From %(tier)s tier") % {"tier": offer.tier}
    if offer.reason == CartReason.PRODUCT_MISSING and offer.discount.skus:
        return _("Add %(items)s to the cart") % {"items": ", ".join(offer.discount.skus[:3])}
    if offer.reason == LockReason.OTHER and offer.text:
        return offer.text
    return str(LOCKS.get(offer.reason, lazy("Not available")))


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
    CartReason.STORE: lazy("Not in this store"),
    CartReason.UNKNOWN: lazy("Cannot be used at the till"),
}


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
