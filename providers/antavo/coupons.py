"""Coupons of a member: listed, judged by our own rules (Antavo has no call for that), redeemed, given back.

A coupon pool may give all members the same code, so the owner is always checked.
"""

from decimal import Decimal
from functools import partial
from typing import Any

from providers.antavo.client import SETTLED_AFTER, Client, of_member
from providers.antavo.discounts import coupon_terms, discount_of, store_ids
from providers.antavo.fields import listed, moment, table, text
from providers.antavo.history import events_of
from providers.antavo.refusals import COUPON_NOT_FOUND, NO_COUPON_CRITERIA, Refused, suppress_code
from providers.dates import end_of
from providers.errors import Rejected, RejectReason
from providers.journal.booking import book_release
from providers.journal.delivery import deliver
from providers.journal.models import Write
from providers.journal.spending import Found, Made
from providers.outbound.parallel import together
from providers.texts import code_spellings
from providers.types import Cart, Voucher

USABLE = ("claimed", "partially_redeemed")
USED = ("redeemed", "partially_redeemed")
# This many coupons are read each by itself for their minimum and owner; the others when they are used.
DETAILS_AT_MOST = 8


def list_vouchers(client: Client, ref: str) -> tuple[Voucher, ...]:
    """Return the member's coupons that can be used now."""
    usable = [row for row in list_coupons(client, ref) if text(row.get("status")) in USABLE]
    first, others = usable[:DETAILS_AT_MOST], usable[DETAILS_AT_MOST:]
    codes = [text(row.get("code")) for row in first]
    details = together(*[partial(read_coupon, client, ref, code) for code in codes]) if codes else []
    whole = [row | more for row, more in zip(first, details, strict=True) if more is not None]
    return tuple(_voucher(client, row) for row in (*whole, *others) if refusal_of(row) is None)


def find_voucher(client: Client, ref: str, code: str) -> Voucher:
    """Return the coupon with this code; raise Rejected when it is unknown, used, expired, or another
    member's. Antavo compares letter by letter: where it has none, the member's own coupons and at most four
    other spellings are tried, as long as none is found."""
    rejected = Rejected(RejectReason.REWARD_NOT_FOUND)
    for spelled in code_spellings(code, lambda: (text(row.get("code")) for row in list_coupons(client, ref))):
        for row in search(client, spelled):
            if not is_owned(row, ref):
                rejected = Rejected(RejectReason.NOT_ALLOWED, "another member's coupon")
                continue
            if refusal := refusal_of(row):
                raise Rejected(refusal)
            return _voucher(client, row)
    raise rejected


def check_usable(client: Client, ref: str, code: str, cart: Cart) -> None:
    """Raise Rejected unless this member can use the coupon in this cart."""
    row = read_coupon(client, ref, code)
    if row is None:
        raise Rejected(RejectReason.REWARD_NOT_FOUND)
    if refusal := refusal_of(row):
        raise Rejected(refusal)
    terms, stores = coupon_terms(row), store_ids(row)
    if cart.total.amount < terms.minimum or (stores and cart.store and cart.store not in stores):
        raise Rejected(RejectReason.NOT_ALLOWED, "the cart is not what the coupon asks for")


def list_coupons(client: Client, ref: str) -> list[dict[str, Any]]:
    return listed(client.get(of_member(ref, "coupons"), "list_coupons"))


def read_coupon(client: Client, ref: str, code: str) -> dict[str, Any] | None:
    """Return the member's coupon with this code, None when the member has none."""
    return next((row for row in search(client, code) if is_owned(row, ref)), None)


def search(client: Client, code: str) -> list[dict[str, Any]]:
    """Return every coupon with this code."""
    found: list[dict[str, Any]] = []
    with suppress_code(NO_COUPON_CRITERIA, COUPON_NOT_FOUND):
        found = listed(client.get("/coupons", "find_coupon", {"code": code}))
    return [row for row in found if text(row.get("code")) == code]


def is_owned(row: dict[str, Any], ref: str) -> bool:
    """`customer` is an object in examples and a list of ids in the schema."""
    owner = row.get("customer")
    return ref in owner if isinstance(owner, list) else text(table(owner).get("id")) == ref


def refusal_of(row: dict[str, Any]) -> RejectReason | None:
    """Return why a coupon cannot be used, whatever the cart; None when it can. Antavo's status decides:
    Antavo knows in which time zone a coupon expires."""
    status = text(row.get("status"))
    if status == "expired":
        return RejectReason.EXPIRED
    if status == "redeemed":
        return RejectReason.ALREADY_USED
    return None if status in USABLE else RejectReason.NOT_ALLOWED


def redeem(client: Client, ref: str, code: str, transaction_id: str, amount: str = "") -> None:
    """Mark the coupon as redeemed; `amount` for a gift card only. Sent once."""
    names = client.names
    data: dict[str, Any] = {names["coupon_code"]: code, names["coupon_transaction"]: transaction_id}
    if amount:
        data[names["coupon_amount"]] = Decimal(amount)
    client.event("coupon_redeem", ref, data)


def ensure_redeemed(client: Client, ref: str, code: str, transaction_id: str) -> None:
    """Redeem a claimed reward's coupon unless it is already redeemed. Safe to repeat."""
    row = read_coupon(client, ref, code)
    if row and text(row.get("status")) == "claimed":
        redeem(client, ref, code, transaction_id)


def give_back(client: Client, spend: Write, code: str, amount: str = "") -> None:
    """Make a redeemed coupon usable again, once for each spend: of a gift card each time would give its
    amount back. A coupon that was already given back, by us or elsewhere, is success."""
    ref, names = spend.member_ref, client.names
    data: dict[str, Any] = {names["coupon_code"]: code, names["coupon_transaction"]: spend.key}
    if amount:
        data[names["coupon_amount"]] = Decimal(amount)

    def is_used() -> bool:
        row = read_coupon(client, ref, code)
        return row is not None and text(row.get("status")) in USED

    def is_back() -> bool:
        if not is_used():
            return True
        # A gift card that was also used elsewhere stays partially redeemed: only its events show the release.
        events = events_of(client, ref, "coupon_unredeem") if amount else ()
        return any(event.properties.get(names["event_transaction"]) == spend.key for event in events)

    def send() -> Made:
        try:
            client.event("coupon_unredeem", ref, data)
        except Refused:
            if is_used():
                raise
        return Made(ref=code)

    if not is_back():
        release = book_release(spend, 0)
        deliver(release, send, lambda: Found(made=(Made(ref=code),) if is_back() else ()), SETTLED_AFTER)


def _voucher(client: Client, row: dict[str, Any]) -> Voucher:
    currency = text(row.get("currency")) or client.config.currency
    code = text(row.get("code"))
    return Voucher(
        voucher_id=code,
        title=text(row.get("name")) or code,
        discount=discount_of(coupon_terms(row), currency, store_ids(row)),
        code=code,
        expires_at=end_of(row.get("expires_at"), client.config, moment),
    )


def gift_amount(row_type: str, worth: Decimal, cart: Cart) -> str:
    """Return the amount that a gift card pays in this cart, "" for any other coupon."""
    return str(min(worth, cart.total.amount)) if row_type == "gift_card" else ""
