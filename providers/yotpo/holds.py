"""Held redemptions: Yotpo still counts their points, and takes them with the order that names the code.

A redemption waits for its order until that is sent. From then on Yotpo may take the points at any moment;
`detail` says since when, until the history shows that they are gone. A member has one hold at a time: a
second delayed redemption would cancel the first.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q

from providers import clock
from providers.journal.models import OPEN, Write, WriteKind, WriteState
from providers.journal.states import Journal, note_detail

# How long after its order a held redemption may still be waiting for its deduction at Yotpo.
DEDUCTED_WITHIN = timedelta(hours=1)
# How long an order that did not go out, or whose answer was lost, is tried again before it is for a person.
TRIED_FOR = timedelta(days=1)
ORDER_SENT_AT = "order_sent_at"  # in `detail`, in seconds since 1970
UNSENT = (WriteState.PLANNED, WriteState.SENT)  # of an order that Yotpo is not known to have
ENDED: dict[str, Any] = {"waits_for_order": False, "exclusive_key": ""}  # columns of a hold that has ended


def hold_columns(member_ref: str) -> dict[str, Any]:
    """Return the columns of a new hold. No two holds of a member wait for their orders at a time."""
    return {"waits_for_order": True, "exclusive_key": f"hold {member_ref}"}


def holds_of(journal: Journal, member_ref: str) -> list[Write]:
    """Return the member's redemptions whose points Yotpo has not taken as far as we know: their order is
    still to be sent, is tried again, or was sent a short while ago. Those whose outcome is not known yet are
    among them."""
    now = clock.now()
    since = now - DEDUCTED_WITHIN
    unsent = journal.writes(
        WriteKind.SALE, key=OuterRef("order_id"), state__in=UNSENT, noted_at__gt=now - TRIED_FOR
    )
    rows = journal.writes(WriteKind.SPEND, member_ref=member_ref, state__in=OPEN)
    rows = rows.annotate(is_tried=Exists(unsent)).filter(
        Q(waits_for_order=True) | Q(changed_at__gt=since) | Q(is_tried=True)
    )
    return [row for row in rows if row.waits_for_order or _may_go(row, since)]


def is_held(spend: Write) -> bool:
    """Return whether the history has not shown yet that the points of this hold are gone."""
    return spend.waits_for_order or ORDER_SENT_AT in spend.detail


def order_sent_at(spend: Write) -> datetime | None:
    """Return when the order of this hold was sent, None where it was not or the points are gone."""
    seconds = spend.detail.get(ORDER_SENT_AT)
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _may_go(row: Any, since: datetime) -> bool:
    sent_at = order_sent_at(row)
    return (sent_at or since) > since or bool(sent_at and row.is_tried)


def note_order(journal: Journal, keys: Iterable[str]) -> None:
    """Note that the order of these redemptions is about to be sent. Of several times the last counts: their
    points may still go after it."""
    held = Q(waits_for_order=True) | Q(detail__has_key=ORDER_SENT_AT)
    for row in journal.writes(WriteKind.SPEND, held, key__in=list(keys), state=WriteState.DONE):
        sent_at = {ORDER_SENT_AT: clock.now().timestamp()}
        # A till that saw the points gone meanwhile has ended the hold: it stays so.
        note_detail(row, held, add=sent_at, **ENDED)


def note_deducted(spend: Write) -> None:
    """Yotpo's history shows that the points of this hold are gone."""
    note_detail(spend, Q(), add={}, drop=[ORDER_SENT_AT], **ENDED)
