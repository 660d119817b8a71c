"""What /readyz asks of this app: is the clock right, does the database take writes, is a worker at work."""

import time
from datetime import timedelta

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import F

from loyaltyview.ops.health import Check
from loyaltyview.work import clock
from loyaltyview.work.models import Heartbeat, PeriodicRun

PROBE = "readyz"
WRITE_EVERY_S = 10.0
# PostgreSQL's code where temp_file_limit keeps a role from writing such files: that says nothing of the disk.
FILE_LIMIT = "53400"

_written_at = float("-inf")


def check_clock() -> Check:
    """This process's clock agrees with the database's."""
    return Check(is_ok=not clock.is_wrong(), detail=f"{round(clock.skew_s())} s ahead of the database")


def check_writes() -> Check:
    """The database takes a write: its disk is not full, and it is not read-only. A good answer holds for
    WRITE_EVERY_S seconds."""
    global _written_at
    if time.monotonic() - _written_at < WRITE_EVERY_S:
        return Check(is_ok=True)
    # No worker takes this row for work: it is never due.
    probe = PeriodicRun.objects.filter(name=PROBE)
    if not probe.update(attempts=(F("attempts") + 1) % 1000):
        PeriodicRun.objects.bulk_create([PeriodicRun(name=PROBE)], ignore_conflicts=True)
    if connection.vendor == "postgresql":
        _write_a_file()
    _written_at = time.monotonic()
    return Check(is_ok=True)


def _write_a_file() -> None:
    """Have PostgreSQL take new space for a moment: it still finds room for one row in the pages that it has
    when it can no longer store an event. 20,000 numbers take 280 kB, more than it may keep in memory."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL work_mem = '64kB'")
            cursor.execute("SELECT count(*) FROM generate_series(1, 20000)")
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != FILE_LIMIT:
            raise


def check_worker() -> Check:
    """At least one worker whose clock is right gave a sign of life in the last READY_MAX_HEARTBEAT_AGE_S
    seconds."""
    newest = Heartbeat.at_work().values_list("seen_at", flat=True).first()
    if newest is None:
        is_wrong = Heartbeat.objects.exists()
        return Check(is_ok=False, detail="clock is wrong" if is_wrong else "never seen")
    age = clock.now() - newest
    return Check(
        is_ok=age <= timedelta(seconds=settings.READY_MAX_HEARTBEAT_AGE_S),
        detail=f"seen {max(int(age.total_seconds()), 0)} s ago",
    )
