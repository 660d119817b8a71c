"""Every reason for which the associate does not get what they asked for: one row each.

The code goes into `data-error`, the trail, the counters and `Redemption.refusal`. Below the table stands what
the errors of NewStore and of the vendors, and the locks of offers, are in it.
"""

from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from loyaltyview.newstore.errors import (
    NewStoreAuthFailed,
    NewStoreError,
    NewStoreRejected,
    NewStoreUnavailable,
)
from loyaltyview.redemptions.models import Redemption
from loyaltyview.redemptions.offers import CartReason
from providers.errors import AuthFailed, ProviderError, RateLimited, Rejected, Unavailable, Unsupported
from providers.types import LockReason

NOTHING, MAYBE = False, True


class Refusal(StrEnum):
    """A row: code, HTTP status, whether the refused request may have spent points, the administrator's label,
    and the associate's sentence: what happened, and what to do."""

    status: int
    may_have_spent: bool
    label: Promise
    sentence: Promise

    def __new__(
        cls, code: str, status: int, may_have_spent: bool, label: Promise, sentence: Promise
    ) -> "Refusal":
        self = str.__new__(cls, code)
        self._value_ = code
        self.status, self.may_have_spent = status, may_have_spent
        self.label, self.sentence = label, sentence
        return self

    # fmt: off
    # The vendor's reasons (providers.errors.RejectReason).
    INSUFFICIENT_POINTS = "INSUFFICIENT_POINTS", 422, NOTHING, _("Not enough points"), _(
        "There are not enough points for this any more. Choose another reward.")
    MEMBER_NOT_FOUND = "MEMBER_NOT_FOUND", 422, NOTHING, _("Member not known"), _(
        "The program does not know this member any more. Look the customer up again.")
    REWARD_NOT_FOUND = "REWARD_NOT_FOUND", 422, NOTHING, _("Reward no longer offered"), _(
        "This reward is not offered any more. Choose another one.")
    OUT_OF_STOCK = "OUT_OF_STOCK", 422, NOTHING, _("Out of stock"), _(
        "This reward has just run out. Choose another one.")
    LIMIT_REACHED = "LIMIT_REACHED", 422, NOTHING, _("Limit of the reward reached"), _(
        "The customer has used this reward as often as the program allows. Choose another one.")
    ALREADY_USED = "ALREADY_USED", 422, NOTHING, _("Used already"), _(
        "This was used already. Choose another reward.")
    EXPIRED = "EXPIRED", 422, NOTHING, _("Expired"), _(
        "This has expired. Choose another reward.")
    TIER_TOO_LOW = "TIER_TOO_LOW", 422, NOTHING, _("Tier too low"), _(
        "This reward needs a higher tier. Choose another one.")
    PRICE_CHANGED = "PRICE_CHANGED", 422, NOTHING, _("Price changed"), _(
        "The price in points has changed. Check the new price and apply again.")
    INVALID_INPUT = "INVALID_INPUT", 422, NOTHING, _("Not accepted by the program"), _(
        "The program did not accept these details. Check them and try again.")
    ALREADY_MEMBER = "ALREADY_MEMBER", 422, NOTHING, _("Member already"), _(
        "This customer is a member already. Look them up instead.")
    NOT_ALLOWED = "NOT_ALLOWED", 422, NOTHING, _("Not allowed by the program"), _(
        "The program does not allow this. Choose another reward.")
    PIN_NEEDED = "PIN_NEEDED", 422, NOTHING, _("PIN needed"), _(
        "The program asks for the customer's PIN. Apply this one by itself: the customer types it.")
    PIN_WRONG = "PIN_WRONG", 422, NOTHING, _("PIN wrong"), _(
        "This PIN is not the customer's. No points were spent. Type it again.")

    # The vendor cannot be asked, or its answer is no answer.
    PROVIDER_UNAVAILABLE = "PROVIDER_UNAVAILABLE", 503, NOTHING, _("Program did not answer"), _(
        "The loyalty program does not answer right now. No points were spent. Try again in a minute.")
    PROVIDER_BUSY = "PROVIDER_BUSY", 503, NOTHING, _("Program takes no more requests"), _(
        "The loyalty program is busy. Nothing was spent. Try again in a few seconds.")
    PROVIDER_AUTH = "PROVIDER_AUTH", 503, NOTHING, _("Program refused our credentials"), _(
        "The loyalty program refuses our connection. Tell your administrator.")
    PROVIDER_UNEXPECTED = "PROVIDER_UNEXPECTED", 503, MAYBE, _("Program's answer was not understood"), _(
        "The loyalty program gave an answer that we do not understand. "
        "Try again, or tell your administrator.")

    # NewStore makes no code.
    NEWSTORE_UNAVAILABLE = "NEWSTORE_UNAVAILABLE", 503, NOTHING, _("NewStore did not answer"), _(
        "NewStore makes no code right now. No points were spent. Try again soon.")
    NEWSTORE_AUTH = "NEWSTORE_AUTH", 503, NOTHING, _("NewStore refused our credentials"), _(
        "NewStore refuses our connection: no code was made. No points were spent. Tell your administrator.")
    NEWSTORE_REJECTED = "NEWSTORE_REJECTED", 422, NOTHING, _("NewStore refused the discount"), _(
        "NewStore refused this discount. No points were spent. Choose another reward.")
    NEWSTORE_GONE = "NEWSTORE_GONE", 503, NOTHING, _("NewStore has switched an interface off"), _(
        "NewStore makes no codes this way. No points were spent. Tell your administrator.")
    NEWSTORE_UNEXPECTED = "NEWSTORE_UNEXPECTED", 503, NOTHING, _("NewStore's answer was not understood"), _(
        "NewStore gave an answer that we do not understand. No points were spent. Tell your administrator.")

    # A tap that began and came to nothing.
    NOT_SPENT = "NOT_SPENT", 422, NOTHING, _("Did not go through"), _(
        "It did not go through. No points were spent. You can apply it again.")
    ABANDONED = "ABANDONED", 422, NOTHING, _("Interrupted"), _(
        "It was interrupted before anything was spent. You can apply it again.")
    ASSOCIATE_LIMIT = "ASSOCIATE_LIMIT", 429, NOTHING, _("Associate's limit per hour"), _(
        "Your limit of redemptions per hour is reached. No points were spent. Ask your manager.")
    MEMBER_LIMIT = "MEMBER_LIMIT", 429, NOTHING, _("Member's limit per day"), _(
        "The customer's limit of redemptions per day is reached. No points were spent. Ask your manager.")
    UNEXPECTED = "UNEXPECTED", 422, NOTHING, _("Other"), _(
        "Something went wrong on our side. Nothing was spent. Try again, or go back to the cart.")

    # What was tapped does not fit the cart (offers.CartReason), or is locked (providers.types.LockReason).
    NO_CART = "NO_CART", 422, NOTHING, _("No cart"), _(
        "There is no cart here. Open the page from a cart to redeem.")
    MINIMUM = "MINIMUM", 422, NOTHING, _("Cart's total too low"), _(
        "The cart's total is too low for this. Add to the cart, or choose another reward.")
    CURRENCY = "CURRENCY", 422, NOTHING, _("Another currency"), _(
        "This reward is in another currency than the cart. Choose another one.")
    PRODUCT_MISSING = "PRODUCT_MISSING", 422, NOTHING, _("Product not in the cart"), _(
        "The product of this reward is not in the cart. Add it, or choose another reward.")
    CART_EMPTY = "CART_EMPTY", 422, NOTHING, _("Nothing left to pay"), _(
        "Nothing is left to pay in this cart. Go back to the cart.")
    IN_CART = "IN_CART", 409, NOTHING, _("In the cart already"), _(
        "This is in the cart already, as often as the program allows. Nothing more was spent. "
        "Go back to the cart, or choose another reward.")
    CODES_PER_CART = "CODES_PER_CART", 409, NOTHING, _("As many codes in the cart as the program allows"), _(
        "The program allows no more codes in one cart. Nothing more was spent. "
        "Go back to the cart, or undo one first.")
    NOT_TOGETHER = "NOT_TOGETHER", 409, NOTHING, _("Not together with what is in the cart"), _(
        "The program does not allow this together with what is in the cart. Nothing more was spent. "
        "Go back to the cart, or undo the other one first.")
    STORE = "STORE", 422, NOTHING, _("Not in this store"), _(
        "This reward cannot be used in this store. Choose another one.")
    CATEGORY = "CATEGORY", 422, NOTHING, _("For a category of products"), _(
        "This reward is for a category of products, and the till does not show categories. "
        "Choose another one. Your administrator can list the products of the category.")
    GIFT_CARD = "GIFT_CARD", 422, NOTHING, _("Gift card"), _(
        "This is a gift card: it pays, and takes nothing off. "
        "Go back to the cart, and take it when the customer pays.")
    NOT_STARTED = "NOT_STARTED", 422, NOTHING, _("Not started yet"), _(
        "This reward has not started yet. Choose another one.")
    ONLINE_ONLY = "ONLINE_ONLY", 422, NOTHING, _("Only in the online shop"), _(
        "This reward is for the online shop only. Choose another one.")
    NOT_AT_A_TILL = "NOT_AT_A_TILL", 422, NOTHING, _("Not usable at a till"), _(
        "This reward cannot be used at the till. Choose another one.")
    LOCKED = "LOCKED", 422, NOTHING, _("Locked for the member"), _(
        "This reward is not open to this member. Choose another one.")

    # The tap, judged before anything began.
    NOTHING_CHOSEN = "NOTHING_CHOSEN", 422, NOTHING, _("Nothing chosen"), _(
        "Nothing was chosen. Choose a reward or a voucher first.")
    ITEM_UNKNOWN = "ITEM_UNKNOWN", 422, NOTHING, _("Not on the member's list"), _(
        "This reward is not on the customer's list. Nothing was spent. Choose one from the page.")
    POINTS_NOT_OFFERED = "POINTS_NOT_OFFERED", 422, NOTHING, _("Number of points not offered"), _(
        "This number of points cannot be used. Choose one of the steps.")
    CUT = "CUT", 409, NOTHING, _("Cart takes only a part"), _(
        "The cart could not take the whole discount any more, so it was not applied. "
        "Check what is shown, then apply again.")
    CART_FULL = "CART_FULL", 409, NOTHING, _("Cart has all the codes it can take"), _(
        "This cart has as many codes as it can take. Finish it, or undo one first.")
    CART_REDUCED = "CART_REDUCED", 409, NOTHING, _("Cart was reduced"), _(
        "The cart has changed: there is less to pay now. Nothing was spent. "
        "Check what is shown, then apply again.")
    CART_CHANGED = "CART_CHANGED", 409, NOTHING, _("Cart was changed"), _(
        "The cart has changed since this page was opened. Nothing was spent. "
        "Go back to the cart and open the page once more.")
    NOT_TRIED = "NOT_TRIED", 422, NOTHING, _("Not tried while another is open"), _(
        "Not tried, because another answer is still open. Apply it once that is known.")
    NOT_TRIED_EITHER = "NOT_TRIED_EITHER", 422, NOTHING, _("Not tried after another failed"), _(
        "Not tried either. Try again in a minute.")
    ANOTHER_TILL = "ANOTHER_TILL", 409, NOTHING, _("Another till is redeeming"), _(
        "Another till is redeeming for this customer. Try again in a moment.")
    KEY_REUSED = "KEY_REUSED", 409, NOTHING, _("Old form"), _(
        "This page was out of date, so nothing was done. Choose the reward again.")
    OPENED_ANEW = "OPENED_ANEW", 409, NOTHING, _("Page was opened again"), _(
        "This cart may have changed: the page was opened from it again. Nothing was spent. "
        "Go back to the cart and open it once more.")
    MEMBER_CHANGED = "MEMBER_CHANGED", 409, NOTHING, _("Another customer was chosen"), _(
        "Another customer was chosen meanwhile, so nothing was done. Check the customer, then choose again.")
    GIVEN_BACK = "GIVEN_BACK", 409, NOTHING, _("Given back already"), _(
        "This was undone, so it is not applied. To use it after all, choose it here and apply it again.")
    PIN_UNREADABLE = "PIN_UNREADABLE", 422, NOTHING, _("PIN not readable"), _(
        "A PIN has four digits. Nothing was sent to the program. Type it again.")
    PIN_CLOSED = "PIN_CLOSED", 429, NOTHING, _("PIN wrong three times"), _(
        "The PIN was wrong three times, so none is taken for an hour. No points were spent. "
        "Choose a voucher of the customer, or finish the sale without a reward.")
    BAD_REQUEST = "BAD_REQUEST", 422, NOTHING, _("Form not understood"), _(
        "The page sent something incomplete. Nothing was done. Choose the reward again.")

    # What was applied.
    REDEMPTION_UNKNOWN = "REDEMPTION_UNKNOWN", 404, NOTHING, _("No such redemption in the cart"), _(
        "This reward was not applied in this cart. Go back to the cart.")
    UNDO_NOT_POSSIBLE = "UNDO_NOT_POSSIBLE", 409, NOTHING, _("Undo comes too late"), _(
        "This cannot be undone any more. Tell your administrator if points must go back.")
    UNDO_FINAL = "UNDO_FINAL", 409, NOTHING, _("Program cannot take it back"), _(
        "The program cannot take this back. Tell your administrator if it was a mistake.")

    # Vouchers by their code, looking up, enrolling, consents.
    EMPTY_CODE = "EMPTY_CODE", 422, NOTHING, _("No code typed"), _(
        "There is no code in the field. Type or scan the code on the voucher.")
    CODE_TOO_LONG = "CODE_TOO_LONG", 422, NOTHING, _("Code too long"), _(
        "This is too long for a voucher's code. Check it and type it again.")
    EMPTY_QUERY = "EMPTY_QUERY", 422, NOTHING, _("Nothing typed"), _(
        "The field is empty. Type a phone number, an email address or a member number.")
    QUERY_TOO_LONG = "QUERY_TOO_LONG", 422, NOTHING, _("Search too long"), _(
        "This is too long for a phone number, an email address or a member number. "
        "Check it and type it again.")
    QUERY_UNREADABLE = "QUERY_UNREADABLE", 422, NOTHING, _("Search not readable"), _(
        "This contains characters that cannot be read. Clear the field and type it again.")
    CARD_NUMBER = "CARD_NUMBER", 422, NOTHING, _("Payment card typed"), _(
        "This looks like a payment card. Never type one here. Ask for a phone or email.")
    CHOICE_EXPIRED = "CHOICE_EXPIRED", 422, NOTHING, _("List out of date"), _(
        "This list is out of date. Search again.")
    ENROL_UNKNOWN = "ENROL_UNKNOWN", 503, NOTHING, _("Enrolment without an answer"), _(
        "The program did not answer in time. "
        "Press the button again: the customer is enrolled only once.")
    CONSENT_UNKNOWN = "CONSENT_UNKNOWN", 503, NOTHING, _("Consents without an answer"), _(
        "The program did not answer in time. Save again: the same answer does no harm.")
    TOO_MANY_LOOKUPS = "TOO_MANY_LOOKUPS", 429, NOTHING, _("Too many look-ups"), _(
        "Too many look-ups in a short time. Wait a minute, then try again.")
    TOO_MANY_ENROLMENTS = "TOO_MANY_ENROLMENTS", 429, NOTHING, _("Too many enrolments"), _(
        "Too many enrolments in a short time. Try again later.")
    TOO_MANY_UNVERIFIED = "TOO_MANY_UNVERIFIED", 429, NOTHING, _("Too many requests without a login"), _(
        "Too many requests without a login. Log out of the app and in again.")
    ASSOCIATE_NEEDED = "ASSOCIATE_NEEDED", 403, NOTHING, _("Login needed"), _(
        "Other customers can be looked up or enrolled only after a login. "
        "Log out of the app and in again, then open from the cart.")
    SHIFT_UNVERIFIED = "SHIFT_UNVERIFIED", 403, NOTHING, _("Login needed for the shift"), _(
        "Your shift is shown to you only. Log out of the app and in again, then open from the cart.")

    # The launch: what the app sent (newstore.launch), who sent it (newstore.identity), and NewStore's cart.
    TOKEN_MISSING = "TOKEN_MISSING", 400, NOTHING, _("Launch without a token"), _(
        "The app did not send its token. Go back and open the page again from the cart.")
    TOKEN_MALFORMED = "TOKEN_MALFORMED", 400, NOTHING, _("Launch with a broken token"), _(
        "The app sent a broken token. Go back and open the page again from the cart.")
    CART_MISSING = "CART_MISSING", 400, NOTHING, _("Launch without a cart"), _(
        "The app did not say which cart this is. Go back and open it again from the cart.")
    CART_MALFORMED = "CART_MALFORMED", 400, NOTHING, _("Launch with a broken cart"), _(
        "The cart that the app sent cannot be read. Open the page again from the cart.")
    TOTAL_MALFORMED = "TOTAL_MALFORMED", 400, NOTHING, _("Launch with a broken total"), _(
        "The cart's total cannot be read. Open the page again from the cart.")
    CURRENCY_MALFORMED = "CURRENCY_MALFORMED", 400, NOTHING, _("Launch with a broken currency"), _(
        "The cart's currency cannot be read. Open the page again from the cart.")
    CONTEXT_MALFORMED = "CONTEXT_MALFORMED", 400, NOTHING, _("Launch that cannot be read"), _(
        "What the app sent cannot be read. Open the page again from the cart.")
    IDENTITY_MISSING = "IDENTITY_MISSING", 403, NOTHING, _("Login not known"), _(
        "Your login is not known here yet. "
        "Log out of the app and in again, then open the page from the cart.")
    IDENTITY_INVALID = "IDENTITY_INVALID", 403, NOTHING, _("Login not valid"), _(
        "Your login is not known here yet. "
        "Log out of the app and in again, then open the page from the cart.")
    IDENTITY_OTHER_PROGRAM = "IDENTITY_OTHER_PROGRAM", 403, NOTHING, _("Login of another program"), _(
        "Your login is not known here yet. "
        "Log out of the app and in again, then open the page from the cart.")
    IDENTITY_EXPIRED = "IDENTITY_EXPIRED", 403, NOTHING, _("Login too old"), _(
        "Your login is too old. Log out of the app and in again, then open the page from the cart.")
    NO_CUSTOMER = "NO_CUSTOMER", 403, NOTHING, _("Cart without a customer"), _(
        "There is no customer in this cart. Add the customer in the app, then open again.")
    CART_UNKNOWN = "CART_UNKNOWN", 403, NOTHING, _("Cart not known to NewStore"), _(
        "NewStore does not know this cart. Go back and open the page again from the cart.")
    CART_OTHER_STORE = "CART_OTHER_STORE", 403, NOTHING, _("Cart of another store"), _(
        "NewStore has this cart in another store. Go back to the cart, refresh it, and open the page again.")
    CART_OTHER_ASSOCIATE = "CART_OTHER_ASSOCIATE", 403, NOTHING, _("Cart of another associate"), _(
        "NewStore has this cart with another associate. Open the page again from your own cart.")
    CART_OTHER_CUSTOMER = "CART_OTHER_CUSTOMER", 403, NOTHING, _("Cart of another customer"), _(
        "NewStore has another customer in this cart. Check the customer, then open the page again.")
    CART_UNCHECKED = "CART_UNCHECKED", 503, NOTHING, _("Cart not checked"), _(
        "NewStore does not answer, so the cart cannot be checked. Try again in a minute. "
        "Logging out of the app and in again helps too.")

    # The session, and the server.
    PROGRAM_UNKNOWN = "PROGRAM_UNKNOWN", 404, NOTHING, _("No such program"), _(
        "There is no such loyalty program here. Tell your administrator.")
    NO_SESSION = "NO_SESSION", 403, NOTHING, _("Page of another device or cart"), _(
        "This page belongs to another device or cart. Open it again from the cart.")
    SESSION_EXPIRED = "SESSION_EXPIRED", 410, NOTHING, _("Page open for too long"), _(
        "This page has been open for too long. Open it again from the cart.")
    BUSY = "BUSY", 503, NOTHING, _("Too many pages wait"), _(
        "Too many pages wait for the loyalty program. Nothing was done. Try again in a moment.")
    ADDRESS_TOO_LONG = "ADDRESS_TOO_LONG", 414, NOTHING, _("Address too long"), _(
        "The app put more items of the cart into the address than we can read. "
        "Redeem before the cart has so many items, or split the cart.")
    DATABASE_UNAVAILABLE = "DATABASE_UNAVAILABLE", 503, MAYBE, _("Database not available"), _(
        "Our database does not take this right now. "
        "What was begun is finished or given back by itself. Open the page again in a minute.")
    # fmt: on


def refusal_of(code: str) -> Refusal:
    """Return the row of a code that was stored or came from NewStore's app; UNEXPECTED for one that only
    another version of this program knows."""
    return Refusal.__members__.get(code, Refusal.UNEXPECTED)


def label_of(code: str) -> str:
    """Return what an administrator reads for a stored code; one that we do not know stands for itself."""
    row = Refusal.__members__.get(code)
    return str(row.label) if row else code


def sentence_of(row: Redemption) -> str:
    """Return why `row` was refused: our sentence, and behind it the vendor's own where it gave one."""
    return f"{refusal_of(row.refusal).sentence} {row.refusal_text}".strip()


def mint_refusal(error: NewStoreError) -> Refusal:
    """Return why NewStore made no code."""
    if isinstance(error, NewStoreUnavailable):
        return Refusal.NEWSTORE_UNAVAILABLE
    if isinstance(error, NewStoreAuthFailed):
        return Refusal.NEWSTORE_AUTH
    if isinstance(error, NewStoreRejected):
        return Refusal.NEWSTORE_GONE if error.status == 410 else Refusal.NEWSTORE_REJECTED
    return Refusal.NEWSTORE_UNEXPECTED


def vendor_refusal(error: ProviderError) -> Refusal:
    """Return why a call to the vendor came to nothing. Closed by default: an error that is not named here is
    PROVIDER_UNEXPECTED, after which a write may have happened."""
    if isinstance(error, Rejected):
        return Refusal[error.reason.value]
    if isinstance(error, Unsupported):
        return Refusal.NOT_ALLOWED
    return read_refusal(error)


def read_refusal(error: ProviderError) -> Refusal:
    """Return why the vendor could not be read: one of the four PROVIDER rows. A vendor that refuses a read,
    or has none, gave an answer that we did not expect."""
    if isinstance(error, RateLimited):
        return Refusal.PROVIDER_BUSY
    if isinstance(error, Unavailable):
        return Refusal.PROVIDER_UNAVAILABLE
    if isinstance(error, AuthFailed):
        return Refusal.PROVIDER_AUTH
    return Refusal.PROVIDER_UNEXPECTED


def vendor_text(error: ProviderError) -> str:
    """Return what the vendor itself says of its refusal: how many points are missing, its own sentence."""
    if not isinstance(error, Rejected):
        return ""
    return f"{_gap(error.points_gap)} {error.text}".strip()


def _gap(points: int) -> str:
    if not points:
        return ""
    return ngettext("%(n)d point more is needed.", "%(n)d points more are needed.", points) % {"n": points}


LOCKS: dict[str, Refusal] = {
    LockReason.POINTS: Refusal.INSUFFICIENT_POINTS,
    LockReason.TIER: Refusal.TIER_TOO_LOW,
    LockReason.OTHER: Refusal.LOCKED,
    CartReason.UNKNOWN: Refusal.NOT_AT_A_TILL,
}


def lock_refusal(reason: str) -> Refusal:
    """Return the row of a locked offer that is tapped all the same, for its LockReason or CartReason."""
    return LOCKS.get(reason) or Refusal[reason]
