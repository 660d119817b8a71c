"""Writes that are sent later, many in one call. The vendor takes each of them once, so that one whose answer
is lost is sent again.

A write waits in PLANNED, with `due_at`. Taking it to send moves it to SENT and its `due_at` into the future,
so that nobody else takes it meanwhile. From then on it may have arrived.
"""

from datetime import timedelta
from typing import Any

from django.db.models import F, Q

from providers import clock
from providers.journal.models import Write, WriteKind, WriteState
from providers.journal.spending import Made
from providers.journal.states import Journal, advance

TAKEN_FOR = timedelta(minutes=5)  # longer than any call
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
WAITING = Q(state__in=[WriteState.PLANNED, WriteState.SENT], due_at__isnull=False)


def take_due(journal: Journal, kind: WriteKind, at_most: int) -> list[Write]:
    """Return up to so many writes that are due, taken by this process."""
    due = journal.writes(kind).filter(WAITING, due_at__lte=clock.now()).order_by("due_at", "pk")
    return [write for write in due[:at_most] if take(write)]


def take(write: Write) -> bool:
    """Take a waiting write, due or not, to send it now; return whether nobody else did."""
    now = clock.now()
    mine = Write.objects.filter(WAITING, pk=write.pk, due_at=write.due_at)
    taken = mine.update(
        state=WriteState.SENT,
        sent_at=now,
        due_at=now + TAKEN_FOR,
        attempts=F("attempts") + 1,
        changed_at=now,
    )
    write.refresh_from_db()
    return taken == 1


def done(write: Write, made: Made | None = None) -> None:
    """Note that the vendor has it."""
    fields: dict[str, Any] = {"due_at": None, "last_error": ""}
    if made:
        made.keep(write, **fields)
    else:
        advance(write, WriteState.SENT, WriteState.DONE, **fields)


def postpone(write: Write, error: str) -> None:
    """Note that sending failed, and when it is tried again. `error` carries no personal data."""
    pause = min(FIRST_PAUSE * 2 ** min(write.attempts, 10), LONGEST_PAUSE)
    Write.objects.filter(pk=write.pk, state=WriteState.SENT).update(
        due_at=clock.now() + pause, last_error=error[:200]
    )


def drop(write: Write) -> bool:
    """Close a write that was never sent; return whether that is so."""
    return advance(write, WriteState.PLANNED, WriteState.VOID, due_at=None)
