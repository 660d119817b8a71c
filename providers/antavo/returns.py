"""Returns: a part of an accepted checkout is refunded, a pending one is made smaller or rejected.

Partial refunds have no key at Antavo. The refunds that were there before are counted when one is sent, and
the events of one order come one after another: one more than before means that ours arrived.
"""

from decimal import Decimal

from providers.antavo import feed, transactions, waiting
from providers.antavo.client import SETTLED_AFTER, Client
from providers.antavo.orders import DONE, refund_part
from providers.errors import OutcomeUnknown, ProviderError
from providers.journal.booking import refunded
from providers.journal.delivery import deliver, resolve
from providers.journal.models import Write, WriteKind, WriteState
from providers.journal.spending import Found, Made
from providers.journal.states import advance, note
from providers.sales import PointsChange, Return

COUNT, POINTS = "count", "points"  # what `Write.shown_before` of a return holds


def record_return(client: Client, ret: Return) -> PointsChange:
    """Take back the points that the returned goods earned, once per return id."""
    if feed.goes_by_file(client, WriteKind.RETURN, ret.return_id, ret.order_id):
        return feed.put_return(client, ret)
    write, _is_new = client.journal.open(
        WriteKind.RETURN, ret.return_id, order_id=ret.order_id, member_ref=ret.member_ref
    )
    if write.state == WriteState.DONE:
        return PointsChange(points=write.points)
    # An order of the web shop has the id under which the shop reported it.
    checkout, ref = ret.reported_as or ret.order_id, ret.member_ref
    waiting.flush(client, checkout)

    def look() -> Found:
        before = write.shown_before or {}
        count, points = transactions.refunds_of(client, ref, checkout)
        if count <= before.get(COUNT, 0):
            return Found()
        return Found(made=(Made(ref=ret.return_id, points=points - before.get(POINTS, 0)),))

    resolve(write, look, SETTLED_AFTER)
    if write.state == WriteState.DONE:
        return PointsChange(points=write.points)
    found = transactions.read(client, ref, checkout)
    left = ret.order_earn_base.amount - refunded(client.journal, ret.order_id, DONE)
    amount = left if ret.is_complete else min(ret.net.amount, left)
    if found is None or found.status in transactions.UNDONE or amount <= 0:
        return _noted(write, Decimal(0), 0)
    if found.status == transactions.PENDING:
        _shrink(client, ref, found, left - amount)
        return _noted(write, amount, None)
    shown = dict(zip((COUNT, POINTS), transactions.refunds_of(client, ref, checkout), strict=True))

    def send() -> Made:
        refund_part(client, ref, checkout, amount)
        try:
            _count, after = transactions.refunds_of(client, ref, checkout)
        except ProviderError as error:
            raise OutcomeUnknown("refunded, and its points cannot be read") from error
        return Made(ref=ret.return_id, points=after - shown[POINTS])

    note(write, amount=amount)
    deliver(write, send, look, SETTLED_AFTER, before=lambda: shown)
    return PointsChange(points=write.points)


def _shrink(client: Client, ref: str, found: transactions.Transaction, total: Decimal) -> None:
    """Lower the pending checkout to `total`, or reject it when no amount is left. Safe to repeat."""
    if total <= 0:
        transactions.undo(client, ref, found)
        return
    data = {"transaction_id": found.transaction_id, client.names["update_total"]: total}
    client.event("checkout_update", ref, data)


def _noted(write: Write, amount: Decimal, points: int | None) -> PointsChange:
    advance(write, WriteState.PLANNED, WriteState.DONE, amount=amount, points=points)
    return PointsChange(points=points)
