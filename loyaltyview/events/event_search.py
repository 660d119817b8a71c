"""The search for missed events: a quarter-hourly comparison of NewStore's orders and returns with ours.

Only for programs with `newstore_find_missed_events`. A period is compared once NewStore has promised all its
events, page by page. Each page moves the program's row, so a search that is stopped goes on where it was. The
search begins when it is switched on: orders from before are the reconciliation's.
"""

import math
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
from loyaltyview.newstore.errors import NewStoreError, NewStoreUnavailable, NewStoreUnexpected
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
RUN_S = 120  # the other periodic work of the process waits meanwhile
LONG_AGO = datetime.min.replace(tzinfo=UTC)
# A NewStore that does not answer is no news; a search that is this far behind is.
LATE = timedelta(hours=6)
MOST_NAMED = 10  # in one alarm


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
                search(program, kind, ends_at)
            except NewStoreError as error:
                _note_failure(program, kind, error)
                continue
            except Exception as error:
                # Any error: the other programs are still searched. This one goes on with its next run.
                log.exception("event_search_failed", program=program.slug, kind=kind.value)
                _raise_not_searched(program, kind, type(error).__name__)
                continue
            _note_progress(program, kind)


def search(program: Program, kind: Searched, ends_at: float = math.inf) -> list[str]:
    """Compare what NewStore has of one kind since the last time, MOST_PAGES pages at most and none after
    `ends_at` (`time.monotonic`). Returns the ids of which no event came. Raises NewStoreError; the pages
    before it are done, and a period whose next page is refused is read from its beginning by the next run.
    """
    now = clock.now()
    row, _ = EventSearch.objects.get_or_create(
        program=program, kind=kind, defaults={"started_at": now, "searched_until": now}
    )
    found: list[str] = []
    cursors = {row.cursor}
    # All events before must have come.
    settled = now - timedelta(minutes=settings.EVENT_PROMISE_MINUTES) - LAG
    for _page in range(MOST_PAGES):
        until = row.window_until or min(row.searched_until + LONGEST_WINDOW, settled)
        if until <= row.searched_until or time.monotonic() > ends_at:
            break
        since = max(row.searched_until - OVERLAP, row.started_at)
        page = _read(row, since, until)
        taken = WAYS[kind].take(program, page.found)
        found += taken
        _note_unreadable(program, kind, page.unreadable)
        if page.cursor and page.cursor in cursors:
            _begin_period_again(row)
            raise NewStoreUnexpected("GraphQL gave the same page again")
        cursors = {*cursors, page.cursor} if page.cursor else set()
        is_ours = _advance(row, until, page.cursor, len(taken))
        if taken:  # now: the next page may end in an error
            _note_found(program, row, found)
        if not is_ours:
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


def _read(row: EventSearch, since: datetime, until: datetime) -> Page[Any]:
    try:
        return WAYS[Searched(row.kind)].read(row.program, since, until, row.cursor)
    except NewStoreUnavailable:
        raise
    except NewStoreError:
        _begin_period_again(row)  # its cursor may be known no more
        raise


def _begin_period_again(row: EventSearch) -> None:
    same = EventSearch.objects.filter(pk=row.pk, searched_until=row.searched_until, cursor=row.cursor)
    same.update(window_until=None, cursor="")


def _note_found(program: Program, row: EventSearch, found: list[str]) -> None:
    names = ", ".join(found[:MOST_NAMED])
    detail = f"{row.kind} without events, handled now: {len(found)}, of {row.found} so far: {names}"
    raise_alarm(program, AlarmKind.MISSED, detail, f"{row.kind} of {clock.now():%Y-%m-%d}")


def _note_unreadable(program: Program, kind: Searched, unreadable: Sequence[str]) -> None:
    if unreadable:
        detail = f"{len(unreadable)} could not be read, look at them in NewStore: "
        detail += "; ".join(unreadable[:MOST_NAMED])
        raise_alarm(program, AlarmKind.MISSED, detail, f"unreadable {kind.value} of {clock.now():%Y-%m-%d}")


def _note_failure(program: Program, kind: Searched, error: NewStoreError) -> None:
    log.warning("event_search_failed", program=program.slug, kind=kind.value, detail=error.detail)
    if _is_late(program, kind) or not isinstance(error, NewStoreUnavailable):
        _raise_not_searched(program, kind, error.detail)


def _note_progress(program: Program, kind: Searched) -> None:
    """Close the alarm of a search that works; one that works and does not get on is as good as none."""
    if _is_late(program, kind):
        _raise_not_searched(program, kind, "it is hours behind, with more pages than it reads")
    else:
        close_alarm(program, AlarmKind.MISSED, f"search of {kind.value}")


def _is_late(program: Program, kind: Searched) -> bool:
    late = EventSearch.objects.filter(searched_until__lt=clock.now() - LATE)
    return late.filter(program=program, kind=kind).exists()


def _raise_not_searched(program: Program, kind: Searched, problem: str) -> None:
    detail = f"NewStore cannot be searched: {problem}"
    raise_alarm(program, AlarmKind.MISSED, detail, f"search of {kind.value}")
