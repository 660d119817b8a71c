"""How much: what is given back or refunded is fixed when it is first planned, and together it is never more
than there was. The row that limits it is locked meanwhile, so that two cannot plan beside each other.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.db.models import Sum

from providers import clock
from providers.journal.models import OPEN, Write, WriteKind, WriteState
from providers.journal.states import Journal, note

LONGEST_KEY = 255


@contextmanager
def locked(write: Write) -> Iterator[Write]:
    """Hold the row of `write` while others are planned by it; yield it as it is now. No calls inside."""
    with transaction.atomic():
        yield Write.objects.select_for_update().get(pk=write.pk)


def parts_of(spend: Write) -> int:
    """Return how many points of this spend were given back in parts, or are about to be."""
    parts = spend.children.filter(kind=WriteKind.PART).exclude(state=WriteState.VOID)
    total: int | None = parts.aggregate(points=Sum("points"))["points"]
    return total or 0


def book_part(spend: Write, key: str, points: int) -> Write | None:
    """Return the part of this key, planned now if it is new: at most the rest of the spend. None when
    nothing is left, or the spend does not stand, or all the rest was given back."""
    journal, name = _journal(spend), _name_of_part(spend, key)
    with locked(spend) as row:
        if known := journal.get(WriteKind.PART, name):
            return known
        points = min(points, (row.points or 0) - parts_of(row))
        release = journal.get(WriteKind.RELEASE, row.key)
        if points <= 0 or row.state != WriteState.DONE:
            return None
        if release and not _plan_points(release, (release.points or 0) - points):
            return None
        part, _is_new = journal.open(
            WriteKind.PART, name, parent=row, member_ref=row.member_ref, points=points
        )
        return part


def book_release(spend: Write, points: int) -> Write:
    """Return the giving back of what parts have left of the spend, planned now if it is new. Its points are
    `points` less the parts, fixed when it is sent. They can be below zero, where parts gave back of a spend
    that took nothing."""
    journal = _journal(spend)
    with locked(spend) as row:
        points -= parts_of(row)
        release, is_new = journal.open(
            WriteKind.RELEASE, spend.key, parent=row, member_ref=row.member_ref, points=points
        )
        if not is_new:
            _plan_points(release, points)
        return release


def book_refund(
    journal: Journal,
    kind: WriteKind,
    key: str,
    order_id: str,
    *,
    amount: Decimal,
    total: Decimal,
    **fields: Any,
) -> Write | None:
    """Return the return, or cancellation, of this key, planned now if it is new: at most what all others have
    left of the order's `total`. None when nothing is left. Events of one order come one after another, so
    nobody plans beside us."""
    with transaction.atomic():
        if known := journal.get(kind, key):
            return known
        amount = min(amount, total - refunded(journal, order_id))
        if amount <= 0:
            return None
        return journal.open(kind, key, order_id=order_id, amount=amount, **fields)[0]


def refunded(journal: Journal, order_id: str, states: Sequence[WriteState] = OPEN) -> Decimal:
    """Return how much of the order its returns and its cancellation take, those in one of `states`."""
    kinds = [WriteKind.RETURN, WriteKind.CANCEL]
    rows = journal.writes(order_id=order_id, kind__in=kinds, state__in=states)
    amount: Decimal | None = rows.aggregate(sum=Sum("amount"))["sum"]
    return amount or Decimal(0)


def swap(spend: Write, refs: Sequence[str]) -> bool:
    """Let `spend` have one of `refs` in place of its own: the vendor used that one for it. Return whether
    another spend that waits for its order had it: that one now has what `spend` had. One that nobody has
    comes second. What finished spends have is not taken."""
    with transaction.atomic():
        rows = _journal(spend).writes(WriteKind.SPEND, state__in=OPEN).select_for_update()
        holders = {row.vendor_ref: row for row in rows.filter(vendor_ref__in=refs)}
        waiting = [row for row in holders.values() if row.waits_for_order and row.pk != spend.pk]
        # What a spend without an outcome has is its own: it finds out by itself that this was used.
        undecided = rows.filter(exclusive_key__in=refs).values_list("exclusive_key", flat=True)
        free = [ref for ref in refs if ref not in {*holders, *undecided}]
        if not waiting and not free:
            return False
        left, taken = spend.vendor_ref, waiting[0].vendor_ref if waiting else free[-1]
        # One after the other: no two spends have the same at any moment.
        for row, ref in ((spend, ""), *((row, left) for row in waiting[:1]), (spend, taken)):
            note(row, vendor_ref=ref, exclusive_key=ref)
        return bool(waiting)


def _plan_points(release: Write, points: int) -> bool:
    """Set how many points a release gives back; return False when it was sent, perhaps just now."""
    planned = Write.objects.filter(pk=release.pk, state=WriteState.PLANNED)
    is_planned = planned.update(points=points, changed_at=clock.now()) == 1
    release.refresh_from_db()
    return is_planned


def _name_of_part(spend: Write, key: str) -> str:
    name = f"{spend.key}:{key}"
    if len(name) <= LONGEST_KEY:
        return name
    return f"{spend.key}:{sha256(key.encode()).hexdigest()}"


def _journal(write: Write) -> Journal:
    return Journal(vendor=write.vendor, program=write.program)
