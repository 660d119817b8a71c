"""The search for missed events: a quarter-hourly comparison of NewStore's orders and returns with ours.

Only for programs with `newstore_find_missed_events`. A period is compared once NewStore has promised all its
events, page by page. Each page moves the program's row, so a search that is stopped goes on where it was. The
search begins when it is switched on: orders from before are the reconciliation's.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db.models import F, Min

from loyaltyview.events.alarms import close_alarm, raise_alarm
from loyaltyview.events.missed_events import take_orders, take_returns
from loyaltyview.events.models import AlarmKind, EventSearch, Searched
from loyaltyview.newstore.data_query import Page, orders_of, returns_of
from loyaltyview.newstore.errors import NewStoreError, NewStoreUnavailable
from loyaltyview.programs.models import Program
from loyaltyview.work import clock

log = structlog.get_logger(__name__)

SEARCH_EVERY_S = 900
# GraphQL is behind the event stream, and an order may reach it late: a period is compared with the end of the
# one before it. What is later still, such as a sale of a till without network, the reconciliation finds.
LAG = timedelta(minutes=5)
OVERLAP = timedelta(minutes=15)
LONGEST_WINDOW = timedelta(days=1)
MOST_PAGES = 20  # of one program, kind and run
RUN_S = 600
LONG_AGO = datetime.min.replace(tzinfo=UTC)
# A NewStore that does not answer is no news; a search that is this far behind is.
LATE = timedelta(hours=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How one kind is read, and what is done with a page of it."""

    read: Callable[[Program, datetime, datetime, str], Page[Any]]
    take: Callable[[Program, Sequence[Any]], list[str]]


WAYS = {
    Searched.ORDERS: Way(read=orders_of, take=take_orders),
    Searched.RETURNS: Way(read=returns_of, take=take_returns),
}


def search_missed() -> None:
    """Search for each program that asks for it, for RUN_S at most. Done by one worker of all."""
    ends_at = time.monotonic() + RUN_S
    for program in _programs():
        if time.monotonic() > ends_at:
            break  # The next run begins with the rest.
        for kind in Searched:
            try:
                found = search(program, kind)
            except NewStoreError as error:
                _note_failure(program, kind, error)
                continue
            except Exception:
                # Any error: the other programs are still searched. This one goes on with its next run.
                log.exception("event_search_failed", program=program.slug, kind=kind.value)
                continue
            close_alarm(program, AlarmKind.MISSED, f"search of {kind.value}")
            if found:
                _note_found(program, kind, found)


def search(program: Program, kind: Searched) -> list[str]:
    """Compare what NewStore has of one kind since the last time, MOST_PAGES pages at most. Returns the ids of
    which no event came. Raises NewStoreError; the pages before it are done."""
    now = clock.now()
    row, _ = EventSearch.objects.get_or_create(
        program=program, kind=kind, defaults={"started_at": now, "searched_until": now}
    )
    found: list[str] = []
    settled = (
        now - timedelta(minutes=settings.EVENT_PROMISE_MINUTES) - LAG
    )  # all events before must have come
    for _page in range(MOST_PAGES):
        until = row.window_until or min(row.searched_until + LONGEST_WINDOW, settled)
        if until <= row.searched_until:
            break
        since = max(row.searched_until - OVERLAP, row.started_at)
        page = WAYS[kind].read(program, since, until, row.cursor)
        taken = WAYS[kind].take(program, page.found)
        found += taken
        if not _advance(row, until, page.cursor, len(taken)):
            log.warning("event_search_elsewhere", program=program.slug, kind=kind.value)
            break
    return found


def _programs() -> list[Program]:
    """Return the programs that ask for it, the one first that was searched least far. A program that no
    longer asks for it begins anew when it does."""
    programs = list(Program.objects.filter(is_active=True, newstore_find_missed_events=True))
    EventSearch.objects.exclude(program__in=programs).delete()
    rows = EventSearch.objects.values_list("program").annotate(Min("searched_until"))
    reached = dict(rows.values_list("program", "searched_until__min"))
    return sorted(programs, key=lambda program: reached.get(program.pk, LONG_AGO))


def _advance(row: EventSearch, until: datetime, cursor: str, taken: int) -> bool:
    """Move the row behind a page; False when another search has moved it meanwhile."""
    after: dict[str, Any] = {"window_until": until, "cursor": cursor}
    if not cursor:
        after = {"window_until": None, "cursor": "", "searched_until": until}
    moved = EventSearch.objects.filter(pk=row.pk, searched_until=row.searched_until, cursor=row.cursor)
    if not moved.update(**after, found=F("found") + taken):
        return False
    row.refresh_from_db()
    return True


def _note_found(program: Program, kind: Searched, found: list[str]) -> None:
    total = EventSearch.objects.get(program=program, kind=kind).found
    detail = f"{kind.value} without events, handled now: {len(found)}, of {total} so far: {', '.join(found)}"
    raise_alarm(program, AlarmKind.MISSED, detail, f"{kind.value} of {clock.now():%Y-%m-%d}")


def _note_failure(program: Program, kind: Searched, error: NewStoreError) -> None:
    log.warning("event_search_failed", program=program.slug, kind=kind.value, detail=error.detail)
    row = EventSearch.objects.filter(program=program, kind=kind).first()
    is_late = row is not None and row.searched_until < clock.now() - LATE
    if is_late or not isinstance(error, NewStoreUnavailable):
        detail = f"NewStore cannot be searched: {error.detail}"
        raise_alarm(program, AlarmKind.MISSED, detail, f"search of {kind.value}")
