"""Whether an order whose answer was lost has arrived (docs/decisions/0037-an-order-is-never-sent-twice.md).

Yotpo answers only "received", has no call that reads an order, and says on no page what a second order of one
id does. So an order is sent again only when the customer's record shows that the first one did not arrive.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from providers.answers import whole_of
from providers.journal.delivery import resolve
from providers.journal.models import Write, WriteKind, WriteState
from providers.journal.spending import Found, Made, is_past
from providers.yotpo.client import Client
from providers.yotpo.customers import deducted_codes, fetch_by_ref
from providers.yotpo.holds import is_held

# Yotpo publishes no figure for how long it processes an order. What does not show by then did not arrive.
SHOWN_AFTER = timedelta(minutes=9)


def totals(record: Mapping[str, Any], held_codes: Iterable[str]) -> dict[str, Any]:
    """Return what an order with these held codes will change in the customer's record."""
    return {
        "spent_cents": whole_of(record, "total_spend_cents"),
        "earned": whole_of(record, "points_earned"),
        "held_codes": list(held_codes),
    }


def look(client: Client, sale: Write) -> Found:
    """Look for the order of `sale` among what has changed since it was sent. A held code whose points are
    gone was in it. Else the money that the customer has spent says so: it grew by the amounts of the other
    orders that we know of, or by the order's amount as well. All else is for a person."""
    was = sale.shown_before
    if not isinstance(was, dict):  # sent by a version that did not read it before
        return _look_by_codes(client, sale)
    record = fetch_by_ref(client, sale.member_ref, with_history=True)
    if deducted_codes(record).intersection(was["held_codes"]):
        return Found(made=(Made(ref=sale.order_id),))
    now = totals(record, was["held_codes"])
    others = _Others.of(client, sale)  # read after the record, so that none is in it and not among them
    if others.cents is None:
        return Found(is_complete=False)
    if now == was and not others.cents:
        return Found()
    if now["spent_cents"] is None or was["spent_cents"] is None:
        return Found(is_complete=False)
    more = now["spent_cents"] - was["spent_cents"] - others.cents
    if more == 0 and others.cents:
        return Found()
    if sale.amount and more == _cents_of(sale) and not others.may_be_more:
        return Found(made=(Made(ref=sale.order_id),))
    return Found(is_complete=False)


def _look_by_codes(client: Client, sale: Write) -> Found:
    """Look for an order of which nothing was read before: only its held codes can prove that it arrived."""
    spends = client.journal.writes(WriteKind.SPEND, order_id=sale.order_id, state=WriteState.DONE)
    held = {row.vendor_ref for row in spends if is_held(row)}
    if held and not client.settings.sends_open_orders:  # else the open order may have taken their points
        record = fetch_by_ref(client, sale.member_ref, with_history=True)
        if held & deducted_codes(record):
            return Found(made=(Made(ref=sale.order_id),))
    return Found(is_complete=False)


@dataclass(frozen=True, slots=True)
class _Others:
    """What the customer's other orders have added to their record since an order was sent: `cents` for
    certain, None where that cannot be known; orders whose answers are lost may have added more."""

    cents: int | None
    may_be_more: bool = False

    @classmethod
    def of(cls, client: Client, sale: Write) -> "_Others":
        if sale.sent_at is None:
            return cls(None)
        rows = client.journal.writes(
            kind__in=[WriteKind.SALE, WriteKind.RETURN, WriteKind.CANCEL],
            member_ref=sale.member_ref,
            state__in=[WriteState.SENT, WriteState.DONE],
            sent_at__gt=sale.sent_at - SHOWN_AFTER,
        ).exclude(order_id=sale.order_id)
        cents, may_be_more = 0, False
        for row in rows:
            if row.kind == WriteKind.SALE and row.state == WriteState.SENT:
                may_be_more = True
            elif row.kind == WriteKind.SALE and _is_shown_since(row, sale.sent_at):
                cents += _cents_of(row)
            else:  # a refund, or an order that may show before or after, or not yet
                return cls(None)
        return cls(cents, may_be_more)


def _is_shown_since(row: Write, since: datetime) -> bool:
    """Return whether what was sent in `row` shows now, and did not show at that time."""
    return row.sent_at is not None and row.sent_at > since and is_past(row, SHOWN_AFTER)


def _cents_of(sale: Write) -> int:
    return int((sale.amount or 0) * 100)


def is_at_yotpo(client: Client, sale: Write) -> bool:
    """Return whether Yotpo has the order. Raises Unavailable while that is not known."""
    resolve(sale, lambda: look(client, sale), SHOWN_AFTER)
    return sale.state != WriteState.PLANNED
