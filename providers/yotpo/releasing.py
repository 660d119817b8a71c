"""Giving back, three ways: a custom coupon's redemption is cancelled at Yotpo, a held one is forgotten (its
code is never sent), and points that have gone otherwise are adjusted back.

Sources: loyaltyapi.yotpo.com/reference/approve-redemption-cancellation, /adjust-a-customers-point-balance.
Yotpo knows no cancellation of a generic redemption whose points have gone; the adjustment carries our key in
its title, so that it is found in the history and made once. An adjustment whose answer is lost may arrive
late: the next is sent only when the first is not in the history and cannot arrive any more.
"""

import hashlib
from datetime import timedelta

from providers import clock, types
from providers.answers import text_of
from providers.errors import AuthFailed, Rejected, RejectReason, Unavailable
from providers.outbound.exchange import segment
from providers.yotpo import store
from providers.yotpo.client import Client, is_ok, read_refusal
from providers.yotpo.codes import code_data
from providers.yotpo.customers import deducted_codes, fetch_by_ref, history_of
from providers.yotpo.models import PartRelease, Spend, SpendState
from providers.yotpo.refs import identity_of
from providers.yotpo.spending import SETTLED_AFTER

# How long after its order was sent a deduction may still come.
DEDUCTION_TAKES = timedelta(minutes=15)


def release(client: Client, spend: types.Spend) -> None:
    """Give the spend back, or what parts have left of it. Done before is success."""
    row = store.get(client.program, spend.key)
    if row is None:
        raise Rejected(RejectReason.NOT_ALLOWED, "no redemption of ours has this key")
    if row.state in (SpendState.RELEASED, SpendState.VOID):
        return
    if row.state == SpendState.ASKED:
        raise Unavailable("its outcome is not known yet")
    if row.is_custom and row.confirmed_at is None:
        _cancel(client, row)
    else:
        points = _still_taken(client, row) - store.parts_of(row)
        _adjust_back(client, row, points, row.key, row)
    store.move(row, SpendState.RELEASED, allowed=store.STANDING)


def release_part(client: Client, spend: types.Spend, points: int, key: str) -> None:
    """Give back `points` of a confirmed spend, once per `key` and never more than is left."""
    row = store.get(client.program, spend.key)
    if row is None or row.confirmed_at is None or row.state not in (*store.STANDING, SpendState.RELEASED):
        raise Rejected(RejectReason.NOT_ALLOWED, "nothing is confirmed under this key")
    part = store.book_part(row, key, points)
    if part and part.sent_at is None:
        name = hashlib.sha256(key.encode()).hexdigest()[:12]
        _adjust_back(client, row, part.points, f"{row.key}-{name}", part)
        store.mark_sent(part)


def _cancel(client: Client, row: Spend) -> None:
    redemption_id = row.redemption_id or text_of(
        code_data(client, row.code), client.settings.assumed["redemption_id_key"]
    )
    if not redemption_id:
        raise Rejected(RejectReason.NOT_ALLOWED, "Yotpo does not name the redemption of this code")
    answer = client.post(
        f"/redemptions/{segment(redemption_id)}/cancellation_completed",
        operation="cancel_redemption",
        body={"reward_text": row.code},
    )
    if is_ok(answer):
        return
    _keys, sentence = read_refusal(answer)
    words = sentence.lower()
    if not any(phrase in words for phrase in client.settings.assumed.all("cancelled_words")):
        raise client.refusal(answer, not_found=RejectReason.REWARD_NOT_FOUND)


def _still_taken(client: Client, row: Spend) -> int:
    """Return the points of `row` that Yotpo took: none of a hold whose order took none."""
    if row.state != SpendState.HELD:
        return row.points
    if row.code in deducted_codes(fetch_by_ref(client, row.member_ref, with_history=True)):
        return row.points
    if row.order_sent_at and clock.now() < row.order_sent_at + DEDUCTION_TAKES:
        # The order is on its way through Yotpo: given back now, the points would go afterwards.
        raise Unavailable("the deduction may still come")
    return 0


def _adjust_back(client: Client, row: Spend, points: int, key: str, sending: Spend | PartRelease) -> None:
    """Change the balance by `points`, once per `key`. Below zero: what parts gave back of a hold that took
    nothing. `sending` keeps when that was last tried."""
    if points == 0:
        return
    record = fetch_by_ref(client, row.member_ref, with_history=True)
    if any(marker(key) in item.title for item in history_of(record)):
        return
    if not store.begin_return(sending, SETTLED_AFTER):
        raise Unavailable("an adjustment may still be on its way")
    body = {
        **identity_of(client.program, row.member_ref),
        "point_adjustment_amount": points,
        # The points were spent, not earned: tiers are not to move.
        "apply_adjustment_to_points_earned": False,
        "history_title": f"Reward returned {marker(key)}",
        "visible_to_customer": True,
    }
    try:
        answer = client.post("/points/adjust", operation="adjust_points", body=body)
        if not is_ok(answer):
            raise client.refusal(answer)
    except (Rejected, Unavailable, AuthFailed):
        store.end_return(sending)
        raise


def marker(key: str) -> str:
    """Return how an adjustment names the redemption it gives back."""
    return f"[{key}]"
