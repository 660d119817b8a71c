"""How a row of the journal changes: every step is a conditional UPDATE whose count is looked at."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from providers import clock
from providers.journal.models import OPEN, Write, WriteKind, WriteState
from providers.sales import Spend

EDGES: Mapping[tuple[WriteState, WriteState], str] = {
    (WriteState.PLANNED, WriteState.SENT): "It is sent now.",
    (WriteState.PLANNED, WriteState.DONE): "There is nothing to send.",
    (WriteState.PLANNED, WriteState.VOID): "It was closed before it was sent.",
    (WriteState.SENT, WriteState.SENT): "It is sent again: the vendor takes such a write once.",
    (WriteState.SENT, WriteState.DONE): "The vendor did it.",
    (WriteState.SENT, WriteState.PLANNED): "It certainly did not arrive and may be sent again.",
    (WriteState.SENT, WriteState.VOID): "It certainly did not happen, and under this key it never will.",
    (WriteState.DONE, WriteState.UNDONE): "It was given back, or taken back.",
}

ANY = Q()


def advance(write: Write, before: WriteState, after: WriteState, only: Q = ANY, /, **fields: Any) -> bool:
    """Move `write` from one state to the next, and set `fields`, if it still is in `before` and `only` holds.
    Return whether this call did it; `write` then says what the row says. Raises IntegrityError where
    `exclusive_key` is another's, ValueError for a step that is not in EDGES."""
    if (before, after) not in EDGES:
        raise ValueError(f"no step from {before} to {after}")
    changes = {"state": after, "changed_at": clock.now(), **fields}
    if Write.objects.filter(only, pk=write.pk, state=before).update(**changes) != 1:
        write.refresh_from_db()
        return False
    for name, value in changes.items():
        setattr(write, name, value)
    return True


def note(write: Write, /, **fields: Any) -> None:
    """Set `fields` of `write`, whatever its state."""
    Write.objects.filter(pk=write.pk).update(changed_at=clock.now(), **fields)
    write.refresh_from_db()


def note_if_open(write: Write, /, **fields: Any) -> bool:
    """Set `fields` of a `write` that stands or may stand; return whether it does."""
    rows = Write.objects.filter(pk=write.pk, state__in=OPEN)
    noted = rows.update(changed_at=clock.now(), **fields)
    write.refresh_from_db()
    return noted == 1


def note_detail(
    write: Write, only: Q, /, *, add: Mapping[str, Any], drop: Iterable[str] = (), **fields: Any
) -> bool:
    """Add to the `detail` of a `write` that stands or may stand, drop some of it, and set `fields`, if `only`
    holds. What others noted in `detail` since `write` was read stays. Return whether it was noted."""
    with transaction.atomic():
        row = Write.objects.select_for_update().filter(only, pk=write.pk, state__in=OPEN).first()
        if row:
            kept = {name: value for name, value in row.detail.items() if name not in set(drop)}
            Write.objects.filter(pk=row.pk).update(detail={**kept, **add}, changed_at=clock.now(), **fields)
    write.refresh_from_db()
    return row is not None


def confirm(spend: Write, order_id: str = "") -> bool:
    """Note that an order carried the code of a spend, and which one it was: the first counts. Return whether
    the spend stands."""
    loose = Write.objects.filter(pk=spend.pk, state=WriteState.DONE, confirmed_at=None)
    now = clock.now()
    # Without an id, what the order's own report noted stays: it has finished the spend already.
    named = {"order_id": order_id} if order_id else {}
    loose.update(**named, confirmed_at=now, changed_at=now)
    spend.refresh_from_db()
    return spend.state == WriteState.DONE


def undo(spend: Write) -> None:
    """Note that the spend was given back, in whichever way: its release is over, too."""
    with transaction.atomic():
        advance(spend, WriteState.DONE, WriteState.UNDONE, waits_for_order=False)
        under_way = spend.children.filter(
            kind=WriteKind.RELEASE, state__in=[WriteState.PLANNED, WriteState.SENT]
        )
        under_way.update(state=WriteState.DONE, changed_at=clock.now())


def end_wait(spend: Write) -> None:
    """Note that an order has finished the spend: its points are gone, or what it made is used up."""
    waiting = Write.objects.filter(pk=spend.pk, state=WriteState.DONE, waits_for_order=True)
    waiting.update(waits_for_order=False, changed_at=clock.now())
    spend.refresh_from_db()


def end_wait_by(spend: Write, order_id: str) -> bool:
    """Have the order of this id finish the spend: of several the first does. Return whether it did."""
    return wait_for(spend, order_id, waits_for_order=False)


def wait_for(spend: Write, order_id: str, **fields: Any) -> bool:
    """Have the spend wait for the order of this id and no other, and set `fields`. Return whether it does."""
    free = Write.objects.filter(pk=spend.pk, state=WriteState.DONE, order_id__in=["", order_id])
    taken = free.update(order_id=order_id, changed_at=clock.now(), **fields)
    spend.refresh_from_db()
    return taken == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """The writes of one program to one vendor."""

    vendor: str
    program: str

    def writes(self, kind: WriteKind | None = None, *only: Q, **filters: Any) -> "QuerySet[Write]":
        """Return the writes of this kind, or of all kinds, oldest first."""
        rows = Write.objects.filter(*only, vendor=self.vendor, program=self.program, **filters).order_by("pk")
        return rows.filter(kind=kind) if kind else rows

    def get(self, kind: WriteKind, key: str) -> Write | None:
        """Return the write of this key, None when there is none."""
        return self.writes(kind, key=key).first()

    def add(self, kind: WriteKind, key: str, **fields: Any) -> Write:
        """Return a new write, in the state PLANNED unless `fields` say otherwise. Raises IntegrityError where
        there is one of this key, or `exclusive_key` is another's."""
        now = clock.now()
        with transaction.atomic():
            return Write.objects.create(
                vendor=self.vendor,
                program=self.program,
                kind=kind,
                key=key,
                **{"noted_at": now, "changed_at": now, **fields},
            )

    def open(self, kind: WriteKind, key: str, **fields: Any) -> tuple[Write, bool]:
        """Return the write of this key and whether this call made it, in the state PLANNED unless `fields`
        say otherwise. Raises IntegrityError where `exclusive_key` is another's."""
        now = clock.now()
        return Write.objects.get_or_create(
            vendor=self.vendor,
            program=self.program,
            kind=kind,
            key=key,
            defaults={"noted_at": now, "changed_at": now, **fields},
        )

    def is_of_another(self, write: Write, vendor_ref: str, *, states: tuple[WriteState, ...] = ()) -> bool:
        """Return whether another spend has `vendor_ref`: in one of `states` where any are given."""
        others = self.writes(WriteKind.SPEND, vendor_ref=vendor_ref).exclude(pk=write.pk)
        return (others.filter(state__in=states) if states else others).exists()

    def row_of(self, spend: Spend) -> Write:
        """Return the row of a spend that the vendor made. A lost one, of a database that was restored from a
        backup, is written again from what the redemption knows."""
        write, _is_new = self.open(
            WriteKind.SPEND,
            spend.key,
            state=WriteState.DONE,
            member_ref=spend.member_ref,
            item_kind=spend.kind.value,
            points=spend.points,
            vendor_ref=spend.provider_ref,
            waits_for_order=spend.is_held,
            detail=dict(spend.memo),
        )
        return write
