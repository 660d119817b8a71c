"""Giving back, three ways: a custom coupon's redemption is cancelled at Yotpo, a held one is forgotten (its
code is never sent), and points that have gone otherwise are adjusted back.

Sources: loyaltyapi.yotpo.com/reference/approve-redemption-cancellation, /adjust-a-customers-point-balance.
Yotpo knows no cancellation of a generic redemption whose points have gone; the adjustment carries our key in
its title, so that it is found in the history and made once.
"""

import hashlib
from datetime import timedelta

from providers import clock
from providers.answers import text_of
from providers.errors import Rejected, RejectReason, Unavailable
from providers.journal.booking import book_part, book_release, parts_of
from providers.journal.delivery import deliver
from providers.journal.models import Write, WriteKind, WriteState
from providers.journal.spending import Found, Made
from providers.journal.states import advance
from providers.outbound.exchange import segment
from providers.sales import Spend
from providers.yotpo.client import Client, is_ok, read_refusal
from providers.yotpo.customers import deducted_codes, fetch_by_ref, history_of
from providers.yotpo.holds import is_held, order_sent_at
from providers.yotpo.refs import identity_of
from providers.yotpo.spending import SETTLED_AFTER, code_data

# How long after its order was sent a deduction may still come.
DEDUCTION_TAKES = timedelta(minutes=15)


def release(client: Client, spend: Spend) -> None:
    """Give the spend back, or what parts have left of it. Done before is success."""
    row = client.journal.get(WriteKind.SPEND, spend.key)
    if row is None:
        raise Rejected(RejectReason.NOT_ALLOWED, "no redemption of ours has this key")
    if row.state in (WriteState.UNDONE, WriteState.VOID):
        return
    if row.state != WriteState.DONE:
        raise Unavailable("its outcome is not known yet")
    if row.detail.get("is_custom") and row.confirmed_at is None:
        # Cancelled before is success at Yotpo, too.
        deliver(book_release(row, row.points or 0), lambda: _cancel(client, row), None, SETTLED_AFTER)
    elif (points := _still_taken(client, row)) != parts_of(row):
        _adjust_back(client, book_release(row, points), row.key)
    advance(row, WriteState.DONE, WriteState.UNDONE)


def release_part(client: Client, spend: Spend, points: int, key: str) -> None:
    """Give back `points` of a confirmed spend, once per `key` and never more than is left."""
    row = client.journal.get(WriteKind.SPEND, spend.key)
    if row is None or row.confirmed_at is None or row.state not in (WriteState.DONE, WriteState.UNDONE):
        raise Rejected(RejectReason.NOT_ALLOWED, "nothing is confirmed under this key")
    if part := book_part(row, key, points):
        name = hashlib.sha256(key.encode()).hexdigest()[:12]
        _adjust_back(client, part, f"{row.key}-{name}")


def marker(key: str) -> str:
    """Return how an adjustment names the redemption it gives back."""
    return f"[{key}]"


def _cancel(client: Client, row: Write) -> None:
    redemption_id = row.detail.get("redemption_id") or text_of(
        code_data(client, row.vendor_ref), client.settings.names["redemption_id_key"]
    )
    if not redemption_id:
        raise Rejected(RejectReason.NOT_ALLOWED, "Yotpo does not name the redemption of this code")
    answer = client.post(
        f"/redemptions/{segment(redemption_id)}/cancellation_completed",
        operation="cancel_redemption",
        body={"reward_text": row.vendor_ref},
    )
    if is_ok(answer):
        return
    _keys, sentence = read_refusal(answer)
    words = sentence.lower()
    if not any(phrase in words for phrase in client.settings.names.all("cancelled_words")):
        raise client.refusal(answer, not_found=RejectReason.REWARD_NOT_FOUND)


def _still_taken(client: Client, row: Write) -> int:
    """Return the points of `row` that Yotpo took: none of a hold whose order took none."""
    taken = row.points or 0
    if not is_held(row):
        return taken
    if row.vendor_ref in deducted_codes(fetch_by_ref(client, row.member_ref, with_history=True)):
        return taken
    sent_at = order_sent_at(row)
    if sent_at and clock.now() < sent_at + DEDUCTION_TAKES:
        # The order is on its way through Yotpo: given back now, the points would go afterwards.
        raise Unavailable("the deduction may still come")
    return 0


def _adjust_back(client: Client, write: Write, key: str) -> None:
    """Change the balance by the points of `write`, once per `key`. Below zero: what parts gave back of a hold
    that took nothing."""

    def send() -> None:
        body = {
            **identity_of(client.program, write.member_ref),
            "point_adjustment_amount": write.points,
            # The points were spent, not earned: tiers are not to move.
            "apply_adjustment_to_points_earned": False,
            "history_title": f"Reward returned {marker(key)}",
            "visible_to_customer": True,
        }
        answer = client.post("/points/adjust", operation="adjust_points", body=body)
        if not is_ok(answer):
            raise client.refusal(answer)

    def look() -> Found:
        record = fetch_by_ref(client, write.member_ref, with_history=True)
        is_there = any(marker(key) in item.title for item in history_of(record))
        return Found(made=(Made(ref=marker(key)),) if is_there else ())

    deliver(write, send, look, SETTLED_AFTER)
