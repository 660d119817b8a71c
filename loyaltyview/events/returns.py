"""Returns: rows of what came back or was cancelled after it had earned, and how much of an order that is.

When every piece is back and the money agrees but for rounding, the whole order is back: the refunds of its
items are rounded one by one, and their sum may miss the order by cents. An item that came back for clearly
less keeps its share, unless a goodwill refund explains the difference (docs/decisions/0001).
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision
from django.utils import timezone

from loyaltyview.events.errors import PayloadError
from loyaltyview.events.models import Order, ReturnKind, ReturnRecord, ReturnState, WhyParked
from loyaltyview.events.orders import lines_to_json, opened_event
from loyaltyview.events.readers import Appeasement, OrderCancelled, ReturnProcessed, read_others
from loyaltyview.programs.models import Program

# Order and return each round a piece's discount, tax and net: each side may be off by one minor unit.
ROUNDING_A_PIECE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedSoFar:
    """The known returns of an order. `returned` and `cancelled` are money, as a part of what the order earns
    on. `is_everything`: nothing of it was kept. `is_refunded`: that, and a goodwill refund
    is a part of the money."""

    returned: Decimal
    cancelled: Decimal
    is_everything: bool
    is_refunded: bool


def note_return(program: Program, read: ReturnProcessed) -> ReturnRecord:
    """Store a return once. A blind one (no order) waits for a person: what its goods earned is unknown."""
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
    delivery. Items that an earlier cancellation named, or that never earned, are left out."""
    return_id = f"items_cancelled:{delivery}"
    earlier = ReturnRecord.objects.filter(
        program=order.program, order_id=order.order_id, kind=ReturnKind.CANCELLATION
    ).exclude(return_id=return_id)
    known = {line["item_id"] for lines in earlier.values_list("lines", flat=True) for line in lines}
    known.update(order.cancelled_items)
    lines = [line for line in order.lines if line["item_id"] in set(read.item_ids) - known]
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


def returned_so_far(order: Order) -> ReturnedSoFar:
    """Return the sum of all returns, late cancellations and refunds of the order. Database only."""
    records = list(_records(order))
    goods = [record for record in records if record.kind != ReturnKind.APPEASEMENT]
    is_everything = _is_everything(order, records, goods)
    return ReturnedSoFar(
        returned=_money(record for record in goods if record.kind == ReturnKind.RETURN),
        cancelled=_money(record for record in goods if record.kind == ReturnKind.CANCELLATION),
        is_everything=is_everything,
        is_refunded=is_everything and len(goods) < len(records),
    )


def counted_amount(record: ReturnRecord, order: Order, back: ReturnedSoFar) -> Decimal:
    """Return how much of what the order earned on goes with `record`, decided the first time and kept: what
    was refunded, or all that is left when everything is back. Database only; may be repeated."""
    if record.counted is None:
        amount = _share(record, order)
        if back.is_everything:
            others = _records(order).exclude(pk=record.pk)
            left = order.earn_base - sum((_counted(other, order) for other in others), Decimal(0))
            amount = max(left, Decimal(0))
        ReturnRecord.objects.filter(pk=record.pk, counted=None).update(counted=amount)
        record.counted = amount
    return record.counted


def pieces(lines: list[dict[str, Any]]) -> int:
    """Return how many pieces stored lines have."""
    return sum(line["quantity"] for line in lines)


def kept_lines(order: Order) -> list[dict[str, Any]]:
    """Return the order's lines without what was cancelled before it earned."""
    return [line for line in order.lines if line["item_id"] not in order.cancelled_items]


def _others_of(order: Order) -> frozenset[str]:
    """Return what the order sold beside products, as its stored event lists it; nothing when that event is no
    longer kept."""
    opened = opened_event(order)
    try:
        return read_others(bytes(opened.payload)) if opened else frozenset()
    except PayloadError:
        return frozenset()


def _records(order: Order) -> Any:
    return ReturnRecord.objects.filter(
        program=order.program, order_id=order.order_id, currency=order.currency
    ).order_by("pk")


def _money(records: Any) -> Decimal:
    return sum((record.amount for record in records), Decimal(0))


def _counted(record: ReturnRecord, order: Order) -> Decimal:
    if record.counted is not None:
        return record.counted
    return Decimal(0) if record.kind == ReturnKind.APPEASEMENT else _share(record, order)


def _share(record: ReturnRecord, order: Order) -> Decimal:
    return max(min(record.amount, order.earn_base), Decimal(0))


def _is_everything(order: Order, records: list[ReturnRecord], goods: list[ReturnRecord]) -> bool:
    total, money = order.earn_base, _money(goods)
    if total > 0 and money >= total:
        return True
    kept = kept_lines(order)
    if not kept or not _are_all_back(kept, [line for record in goods for line in record.lines]):
        return False
    minor_unit = Decimal(1).scaleb(-get_currency_precision(order.currency))
    rounding = minor_unit * ROUNDING_A_PIECE * pieces(kept)
    return _money(records) >= total - rounding


def _are_all_back(kept: list[dict[str, Any]], came_back: list[dict[str, Any]]) -> bool:
    """Whether no piece of the `kept` lines is missing: a piece is found by its item, or by its product where
    the return names no item of the order."""
    missing: dict[str, int] = {}
    for line in kept:
        missing[line["item_id"]] = missing.get(line["item_id"], 0) + line["quantity"]
    products = {line["item_id"]: line["product_id"] for line in kept}
    for line in came_back:
        item_id = line["item_id"]
        if item_id not in missing:
            same = (known for known, product in products.items() if product == line["product_id"])
            item_id = next((known for known in same if missing[known] > 0), "")
        if item_id in missing:
            missing[item_id] -= line["quantity"]
    return all(quantity <= 0 for quantity in missing.values())
