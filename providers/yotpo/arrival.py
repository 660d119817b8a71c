"""Whether an order whose answer was lost has arrived (docs/decisions/0037-an-order-is-never-sent-twice.md).

Yotpo answers only "received", has no call that reads an order, and says on no page what a second order of one
id does. So an order is sent again only when the customer's record shows that the first one did not arrive.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from providers.answers import whole_of
from providers.journal.delivery import resolve
from providers.journal.models import Write, WriteState
from providers.journal.spending import Found, Made
from providers.yotpo.client import Client
from providers.yotpo.customers import deducted_codes, fetch_by_ref

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
    gone was in it. Else the money that the customer has spent says so: by the order's amount, or not at all.
    Anything else has another order in it, and is for a person."""
    was = sale.shown_before
    if not isinstance(was, dict):  # sent by a version that did not read it before
        return Found(is_complete=False)
    record = fetch_by_ref(client, sale.member_ref, with_history=True)
    if deducted_codes(record).intersection(was["held_codes"]):
        return Found(made=(Made(ref=sale.order_id),))
    now = totals(record, was["held_codes"])
    if now == was:
        return Found()
    is_known = now["spent_cents"] is not None and was["spent_cents"] is not None
    if is_known and now["spent_cents"] - was["spent_cents"] == int((sale.amount or 0) * 100):
        return Found(made=(Made(ref=sale.order_id),))
    return Found(is_complete=False)


def is_at_yotpo(client: Client, sale: Write) -> bool:
    """Return whether Yotpo has the order. Raises Unavailable while that is not known."""
    resolve(sale, lambda: look(client, sale), SHOWN_AFTER)
    return sale.state != WriteState.PLANNED
