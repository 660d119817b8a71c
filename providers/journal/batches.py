"""Writes that reach a vendor as lines of a file, each in one file exactly.

The lines and the content of a file are committed together, before it is delivered. So a crash on the way
loses no line and puts none into a second file. A delivered line is a write whose outcome is not known: the
vendor's package looks for it, or reads that it was refused.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, F, Max, Q, QuerySet

from providers import clock
from providers.errors import Unavailable
from providers.journal.models import Batch, BatchLine, BatchState, Write, WriteState
from providers.journal.queue import FIRST_PAUSE, LONGEST_PAUSE, TAKEN_FOR
from providers.journal.states import Journal, advance

EDGES: dict[tuple[BatchState, BatchState], str] = {
    (BatchState.COLLECTED, BatchState.ARRIVING): "It arrived whole, under a temporary name.",
    (BatchState.ARRIVING, BatchState.DELIVERED): "It has its name.",
    (BatchState.DELIVERED, BatchState.CLOSED): "Every line is done or refused.",
}
IN_A_FILE = Q(lines__refusal="")


def collect(
    journal: Journal,
    writes: Iterable[Write],
    day: date,
    name: Callable[[int], str],
    render: Callable[[Sequence[Write]], str],
    look_at: datetime,
) -> Batch | None:
    """Put those of `writes` that still wait into a new file, as SENT; None when there are none, or another
    process writes a file at this moment. `name` takes the file's number of the day, `render` makes the
    content. Their outcome is looked for at `look_at`."""
    waiting = Write.objects.filter(state=WriteState.PLANNED, due_at__isnull=False)
    wanted = waiting.filter(pk__in=[write.pk for write in writes]).order_by("pk")
    try:
        with transaction.atomic():
            taken = list(wanted.select_for_update())
            if not taken:
                return None
            batch = _add(journal, day, name, render(taken))
            lines = [BatchLine(batch=batch, write=write, position=at) for at, write in enumerate(taken, 1)]
            BatchLine.objects.bulk_create(lines, batch_size=500)
            now = clock.now()
            Write.objects.filter(pk__in=[write.pk for write in taken]).update(
                state=WriteState.SENT, sent_at=now, due_at=look_at, changed_at=now, last_error=""
            )
    except IntegrityError:
        return None
    return batch


def _add(journal: Journal, day: date, name: Callable[[int], str], content: str) -> Batch:
    of_day = Batch.objects.filter(vendor=journal.vendor, program=journal.program, day=day)
    number = (of_day.aggregate(last=Max("number"))["last"] or 0) + 1
    now = clock.now()
    return Batch.objects.create(
        vendor=journal.vendor,
        program=journal.program,
        day=day,
        number=number,
        name=name(number),
        content=content,
        sha256=sha256(content.encode()).hexdigest(),
        collected_at=now,
        due_at=now,
    )


def files(journal: Journal, *states: BatchState) -> "QuerySet[Batch]":
    """Return the program's files in one of `states`, oldest first."""
    rows = Batch.objects.filter(vendor=journal.vendor, program=journal.program, state__in=states)
    return rows.order_by("pk")


def take(batch: Batch) -> bool:
    """Take a file, due or not, to work on it now; return whether nobody else did."""
    mine = Batch.objects.filter(pk=batch.pk, state=batch.state, due_at=batch.due_at)
    taken = mine.update(due_at=clock.now() + TAKEN_FOR, attempts=F("attempts") + 1)
    batch.refresh_from_db()
    return taken == 1


def move(batch: Batch, after: BatchState, **fields: Any) -> None:
    """Move a file to its next state. Raises ValueError for a step that is not in EDGES, and Unavailable where
    another process moved it."""
    before = BatchState(batch.state)
    if (before, after) not in EDGES:
        raise ValueError(f"no step from {before} to {after}")
    changes = {"state": after, "due_at": clock.now(), "attempts": 0, "last_error": "", **fields}
    if Batch.objects.filter(pk=batch.pk, state=before).update(**changes) != 1:
        raise Unavailable("another process moved the file")
    batch.refresh_from_db()


def postpone(batch: Batch, error: str) -> None:
    """Note why a file could not be worked on, and when that is tried again."""
    pause = min(FIRST_PAUSE * 2 ** min(batch.attempts, 10), LONGEST_PAUSE)
    Batch.objects.filter(pk=batch.pk).update(due_at=clock.now() + pause, last_error=error[:200])


def refuse(line: BatchLine, reason: str) -> bool:
    """Note that the vendor refused a line: its write did not happen, and waits for a person. Return whether
    that is new; a line whose write is done stays."""
    with transaction.atomic():
        open_line = BatchLine.objects.filter(pk=line.pk, refusal="", write__state=WriteState.SENT)
        if not open_line.update(refusal=reason[:300] or "refused"):
            return False
        advance(line.write, WriteState.SENT, WriteState.PLANNED, due_at=None, last_error=reason[:200])
    return True


def send_again(lines: Iterable[BatchLine]) -> int:
    """Let the writes of refused lines wait for the next file; return how many."""
    refused = [line.write_id for line in lines if line.refusal]
    waiting = Write.objects.filter(pk__in=refused, state=WriteState.PLANNED, due_at=None)
    return waiting.update(due_at=clock.now(), changed_at=clock.now(), last_error="")


def leave_out(lines: Iterable[BatchLine]) -> int:
    """Give up the writes of refused lines; return how many."""
    refused = Write.objects.filter(pk__in=[line.write_id for line in lines if line.refusal])
    return sum(
        advance(write, WriteState.PLANNED, WriteState.VOID, Q(due_at=None))
        for write in refused.filter(state=WriteState.PLANNED)
    )


def close_decided(journal: Journal) -> None:
    """Close the delivered files of which no line waits for its outcome."""
    undecided = Count("lines", filter=Q(lines__refusal="", lines__write__state=WriteState.SENT))
    for batch in files(journal, BatchState.DELIVERED).annotate(undecided=undecided).filter(undecided=0):
        with suppress(Unavailable):  # another process closed it
            move(batch, BatchState.CLOSED)


def refused_lines(journal: Journal) -> "QuerySet[BatchLine]":
    """Return the refused lines that wait for a person."""
    return BatchLine.objects.filter(
        batch__vendor=journal.vendor,
        batch__program=journal.program,
        write__state=WriteState.PLANNED,
        write__due_at=None,
    ).exclude(refusal="")
