"""Returns: a part of an accepted checkout is refunded, a pending one is made smaller or rejected.

Partial refunds have no key at Antavo. Our record counts the refunds that were there before it is sent, and
the events of one order come one after another: one more than before means that ours landed.
"""

from datetime import datetime
from decimal import Decimal

from providers import clock
from providers.antavo import queue, transactions
from providers.antavo.answers import Refused
from providers.antavo.client import Client
from providers.antavo.models import RefundRecord, RefundState
from providers.antavo.orders import refund_part, refunded_amount
from providers.antavo.records import SETTLED_AFTER
from providers.errors import Unavailable
from providers.types import PointsChange, Return


def record_return(client: Client, ret: Return) -> PointsChange:
    """Take back what the returned goods earned, once per return id."""
    record, _ = RefundRecord.objects.get_or_create(
        program=client.program, return_id=ret.return_id, defaults={"order_id": ret.order_id}
    )
    if record.state == RefundState.DONE:
        return PointsChange(points=record.points)
    # An order of the web shop has the id under which that reported it.
    checkout, ref = ret.reported_as or ret.order_id, ret.member_ref
    queue.flush(client, checkout)
    found = transactions.read(client, ref, checkout)
    left = ret.order_earn_base.amount - refunded_amount(client, ret.order_id)
    amount = left if ret.is_complete else min(ret.net.amount, left)
    if found is None or found.status in transactions.UNDONE or amount <= 0:
        return _done(record, Decimal(0), 0)
    if found.status == transactions.PENDING:
        _shrink(client, ref, found, left - amount)
        return _done(record, amount, None)
    asked_at = clock.now()
    count, points = transactions.refunds_of(client, ref, checkout)
    if record.state == RefundState.SENT and count > record.refunds_before:
        return _done(record, record.amount, points - record.points_before)
    _note_sent(record, amount, count, points, asked_at)
    try:
        refund_part(client, ref, checkout, amount)
    except (Refused, Unavailable):
        RefundRecord.objects.filter(pk=record.pk).update(state=RefundState.NEW, sent_at=None)
        raise
    _count, after = transactions.refunds_of(client, ref, checkout)
    return _done(record, amount, after - points)


def _note_sent(record: RefundRecord, amount: Decimal, count: int, points: int, asked_at: datetime) -> None:
    """Write that the refund is sent. One whose answer was lost is sent again only when it could not be under
    way any more at `asked_at`, when its trace was looked for."""
    now = clock.now()
    if record.sent_at and asked_at < record.sent_at + SETTLED_AFTER:
        raise Unavailable("partial_refund: not known yet whether it landed")
    ours = RefundRecord.objects.filter(pk=record.pk, sent_at=record.sent_at).exclude(state=RefundState.DONE)
    if not ours.update(
        state=RefundState.SENT, sent_at=now, amount=amount, refunds_before=count, points_before=points
    ):
        raise Unavailable("partial_refund: somebody else is at it")


def _shrink(client: Client, ref: str, found: transactions.Transaction, total: Decimal) -> None:
    """Lower the pending checkout to `total`, or reject it when nothing is left. Safe to repeat."""
    if total <= 0:
        transactions.undo(client, ref, found)
        return
    data = {"transaction_id": found.transaction_id, client.names["update_total"]: total}
    client.event("checkout_update", ref, data)


def _done(record: RefundRecord, amount: Decimal, points: int | None) -> PointsChange:
    RefundRecord.objects.filter(pk=record.pk).exclude(state=RefundState.DONE).update(
        state=RefundState.DONE, amount=amount, points=points
    )
    return PointsChange(points=points)
