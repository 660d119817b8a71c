"""Periodic work, once for all workers: each kind has a row that a worker claims like any other row.

So a killed worker loses nothing (its lease expires), and work that was due while every worker was down is
done as soon as one is back. Both engines use it. Procrastinate's own periodic tasks leave out a task that is
ten minutes late, and a killed one waits for its next time.
"""

from datetime import datetime, timedelta

import structlog
from django.conf import settings

from loyaltyview.ops.database import unlimited
from loyaltyview.work import clock
from loyaltyview.work.claims import backoff_s, claim, due, finish, postpone
from loyaltyview.work.models import PeriodicRun
from loyaltyview.work.registry import Periodic, periodics

log = structlog.get_logger(__name__)

# Daily work runs at 04:00 UTC: night in Europe, after the shops close in most of America.
DAY_STARTS_AT_S = 4 * 3600
LONGEST_LEASE_S = 3600


def run_due() -> int:
    """Do the periodic work that is due and that no other worker has claimed; return how many were done. On a
    new database everything is due. Raises database errors only. Does nothing while this machine's clock is
    wrong: then it cannot know what is due, or old enough to be deleted."""
    if clock.is_wrong():
        return 0
    waiting = PeriodicRun.objects.filter(name__in=periodics)
    if waiting.count() < len(periodics):
        now = clock.now()
        PeriodicRun.objects.bulk_create(
            [PeriodicRun(name=name, due_at=now) for name in periodics], ignore_conflicts=True
        )
    return sum(_run(periodics[name]) for name in due(waiting).values_list("name", flat=True))


def next_time(interval_s: int, now: datetime) -> datetime:
    """Return the next multiple of `interval_s` after `now`, counted from DAY_STARTS_AT_S UTC."""
    passed_s = (now.timestamp() - DAY_STARTS_AT_S) % interval_s
    return now + timedelta(seconds=interval_s - passed_s)


def _run(periodic: Periodic) -> bool:
    lease_s = max(settings.WORK_LEASE_S, min(periodic.interval_s, LONGEST_LEASE_S))
    row = claim(PeriodicRun.objects.filter(name=periodic.name), lease_s)
    if row is None:
        return False
    try:
        with unlimited():
            periodic.run()
    except Exception as error:
        log.exception("periodic_failed", periodic=periodic.name)
        is_ours = postpone(row, type(error).__name__, min(backoff_s(row.attempts), periodic.interval_s))
    else:
        is_ours = finish(row, due_at=next_time(periodic.interval_s, clock.now()))
    if not is_ours:
        log.warning("periodic_lease_lost", periodic=periodic.name)
    return True
