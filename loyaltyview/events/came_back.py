"""How much of an order has come back: by money and by pieces.

When every piece is back and the money agrees but for rounding, the whole order counts: the refunds of its
items are rounded one by one, and their sum may miss the order by cents. An item that came back for clearly
less keeps its share, unless a goodwill refund explains the difference (docs/decisions/0001).
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision

from loyaltyview.events.models import Order, ReturnKind, ReturnRecord

# Order and return each round a piece's discount, tax and net: each side may be off by one minor unit.
ROUNDING_A_PIECE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class CameBack:
    """What is known to have come back of an order. `returned` and `cancelled` are money, as a part of what
    the order earns on. `is_everything`: nothing of it was kept. `is_refunded`: that, and a goodwill refund
    is a part of the money."""

    returned: Decimal
    cancelled: Decimal
    is_everything: bool
    is_refunded: bool


def look_back(order: Order) -> CameBack:
    """Return what all returns, late cancellations and refunds of the order say together. Database only."""
    records = list(_records(order))
    goods = [record for record in records if record.kind != ReturnKind.APPEASEMENT]
    is_everything = _is_everything(order, records, goods)
    return CameBack(
        returned=_money(record for record in goods if record.kind == ReturnKind.RETURN),
        cancelled=_money(record for record in goods if record.kind == ReturnKind.CANCELLATION),
        is_everything=is_everything,
        is_refunded=is_everything and len(goods) < len(records),
    )


def count(record: ReturnRecord, order: Order, back: CameBack) -> Decimal:
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
