"""Telling the engine something exactly once: row first, then the call, then what came of it.

Nothing here is inside a transaction while it calls. Whoever finds a row that may have been sent looks for
its event; only when the engine certainly has none is it sent again.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from providers import clock
from providers.errors import AuthFailed, Rejected, RejectReason, Unavailable
from providers.whitelabel.engine import Engine, Json, Refused
from providers.whitelabel.models import Report, ReportKind, ReportState
from providers.whitelabel.settling import Search, event_id

# Longer than a write can be under way: our own time-out (10 s), the gateway's in front of the engine (30 s at
# most), and a margin. What the engine does not show after it will not come. Counted on our clock alone.
QUIET_S = 60


def open_report(
    engine: Engine, kind: ReportKind, reference: str, ref: str, **fields: Any
) -> tuple[Report, bool]:
    """Return the row of this report, and whether it is new."""
    return Report.objects.get_or_create(
        program=engine.config.program,
        kind=kind,
        reference=reference,
        defaults={"member_ref": ref, **fields},
    )


def claim(row: Report) -> bool:
    """Note that `row` is about to be sent; False when somebody else has done so."""
    return turn(row, [ReportState.NEW], ReportState.SENDING, sent_at=clock.now())


def note_before(row: Report, before: Json) -> None:
    """Commit what the engine shows just before the spend is sent. Raises Rejected for a row that was closed
    meanwhile: somebody asked what became of it, and was told that nothing was spent."""
    mine = Report.objects.filter(pk=row.pk, state=ReportState.SENDING, shown_before__isnull=True)
    noted = mine.update(shown_before=before, sent_at=clock.now())
    row.refresh_from_db()
    if not noted:
        raise Rejected(RejectReason.NOT_ALLOWED, "this spend was given up")


def close_unsent(row: Report) -> None:
    """Close a spend that was not sent. Sending begins with `note_before`, so of the two exactly one wins."""
    Report.objects.filter(pk=row.pk, state=ReportState.SENDING, shown_before__isnull=True).update(
        state=ReportState.VOID
    )
    row.refresh_from_db()


def turn(row: Report, before: list[ReportState], after: ReportState, **fields: Any) -> bool:
    """Move the row on if it still is in one of `before`; returns whether this call did it."""
    turned = Report.objects.filter(pk=row.pk, state__in=before).update(state=after, **fields)
    row.refresh_from_db()
    return turned == 1


def age(row: Report) -> timedelta:
    """Return how long ago the row was sent."""
    return clock.now() - (row.sent_at or row.created_at)


def is_quiet(row: Report) -> bool:
    """Return whether a call for `row` can no longer be under way."""
    return row.sent_at is not None and age(row) > timedelta(seconds=QUIET_S)


def deliver(row: Report, send: Callable[[], Json | None], look: Callable[[Report], Search]) -> None:
    """Bring `row` to DONE. `send` tells the engine, `look` searches for what was told before.

    Raises Unavailable while it cannot be known (ask again later), OutcomeUnknown, AuthFailed, Refused.
    """
    resolve(row, look)
    if row.state in (ReportState.DONE, ReportState.VOID):
        return
    if not claim(row):
        raise Unavailable("another process reports this")
    try:
        event = send()
    except (Unavailable, AuthFailed, Refused):
        # Nothing happened there: the next attempt need not look.
        turn(row, [ReportState.SENDING], ReportState.NEW)
        raise
    _done(row, event)


def resolve(row: Report, look: Callable[[Report], Search]) -> None:
    """Decide about a row that may have been sent: DONE when the engine has it, NEW when it never will.
    Raises Unavailable while neither is certain."""
    if row.state != ReportState.SENDING:
        return
    earlier = look(row)
    if earlier.found:
        _done(row, earlier.found[0])
    elif earlier.is_complete and is_quiet(row):
        turn(row, [ReportState.SENDING], ReportState.NEW)
    else:
        raise Unavailable("an earlier report may still be on its way")


def _done(row: Report, event: Json | None) -> None:
    turn(
        row,
        [ReportState.SENDING],
        ReportState.DONE,
        vendor_ref=event_id(event) if event else "",
    )
