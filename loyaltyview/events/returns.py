"""Returns as rows: what `return.processed` says, and items that were cancelled after they had earned."""

from datetime import datetime
from decimal import Decimal

from django.utils import timezone

from loyaltyview.events.errors import PayloadError
from loyaltyview.events.models import Order, ReturnKind, ReturnRecord, ReturnState, WhyParked
from loyaltyview.events.orders import lines_to_json, opened_event
from loyaltyview.events.readers import Appeasement, OrderCancelled, ReturnProcessed, read_others
from loyaltyview.programs.models import Program


def note_return(program: Program, read: ReturnProcessed) -> ReturnRecord:
    """Store a return once. A blind one (no order) is parked: nobody knows what its goods earned."""
    record, _ = ReturnRecord.objects.get_or_create(
        program=program,
        return_id=read.return_id,
        defaults={
            "order_id": read.order_id,
            "state": ReturnState.WAITING if read.order_id else ReturnState.PARKED,
            "why_parked": "" if read.order_id else WhyParked.BLIND,
            "store_id": read.store_id,
            "returned_at": read.returned_at,
            "currency": read.currency,
            "amount": read.net,
            "lines": lines_to_json(read.lines),
        },
    )
    return record


def note_refund(record: ReturnRecord, read: ReturnProcessed) -> None:
    """Store what a return that waits refunds, on the same base as its order. Database only; may be
    repeated."""
    record.lines, record.amount = lines_to_json(read.lines), read.net
    ReturnRecord.objects.filter(pk=record.pk, state=ReturnState.WAITING).update(
        lines=record.lines, amount=record.amount
    )


def keep_goods(record: ReturnRecord, order: Order) -> None:
    """Take out of a return that waits what its order sold beside products, such as a gift card: it earned
    nothing, so nothing is taken back for it. Database only; may be repeated."""
    others = _others_of(order) - {line[key] for line in order.lines for key in ("item_id", "product_id")}
    lines = [line for line in record.lines if others.isdisjoint((line["item_id"], line["product_id"]))]
    if len(lines) == len(record.lines):
        return
    record.lines = lines
    record.amount = max(sum((Decimal(line["net"]) for line in lines), Decimal(0)), Decimal(0))
    ReturnRecord.objects.filter(pk=record.pk, state=ReturnState.WAITING).update(
        lines=record.lines, amount=record.amount
    )


def _others_of(order: Order) -> frozenset[str]:
    """Return what the stored event says that the order sold beside products; nothing when it is kept no
    longer."""
    opened = opened_event(order)
    try:
        return read_others(bytes(opened.payload)) if opened else frozenset()
    except PayloadError:
        return frozenset()


def note_appeasement(program: Program, read: Appeasement, at: datetime) -> ReturnRecord:
    """Store a refund without a return once. It changes no points: nothing came back."""
    record, _ = ReturnRecord.objects.get_or_create(
        program=program,
        return_id=f"refund:{read.refund_id}",
        defaults={
            "kind": ReturnKind.APPEASEMENT,
            "order_id": read.order_id,
            "state": ReturnState.NOTHING,
            "returned_at": at,
            "currency": read.currency,
            "amount": read.amount,
            "done_at": timezone.now(),
        },
    )
    return record


def reopen_refund(record: ReturnRecord) -> None:
    """The refund is the last part of what its order cost, and the goods are back: it is settled as a return.
    Database only; may be repeated."""
    ReturnRecord.objects.filter(pk=record.pk, state=ReturnState.NOTHING).update(
        state=ReturnState.WAITING, done_at=None
    )
    record.refresh_from_db()


def note_late_cancellation(order: Order, read: OrderCancelled, delivery: str) -> ReturnRecord:
    """Store items that were cancelled after their order had earned as a return of its own, named by the
    delivery that told of it. Items that an earlier one named, or that never earned, are left out."""
    return_id = f"items_cancelled:{delivery}"
    told = ReturnRecord.objects.filter(
        program=order.program, order_id=order.order_id, kind=ReturnKind.CANCELLATION
    ).exclude(return_id=return_id)
    gone = {line["item_id"] for lines in told.values_list("lines", flat=True) for line in lines}
    gone.update(order.cancelled_items)
    lines = [line for line in order.lines if line["item_id"] in set(read.item_ids) - gone]
    record, _ = ReturnRecord.objects.get_or_create(
        program=order.program,
        return_id=return_id,
        defaults={
            "kind": ReturnKind.CANCELLATION,
            "order_id": order.order_id,
            "store_id": order.store_id,
            "returned_at": timezone.now(),
            "currency": order.currency,
            "amount": sum((Decimal(line["net"]) for line in lines), Decimal(0)),
            "lines": lines,
        },
    )
    return record
