"""One clock for all processes: the database's. Leases, due times, releases and expiries go by it.

A process reads it every few seconds and counts on with a clock that nobody sets. So a machine whose own
clock is wrong takes no lease away, and gives nothing back, before its time. When the two differ by more than
MAX_CLOCK_SKEW_S, one of them is wrong, and the worker does nothing until somebody has set it right.
SQLite runs inside the process: there the machine's clock is the only one.
Source: docs/decisions/0010-one-clock.md.
"""

import time
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import connection
from django.utils import timezone

log = structlog.get_logger(__name__)

READ_EVERY_S = 5.0
SAY_EVERY_S = 60.0

# The last reading: the database's time, and `_counter` at that moment.
_reading: tuple[datetime, float] | None = None
# When it was last said that the clocks differ; None while they agree.
_said_at: float | None = None


def now() -> datetime:
    """Return the database's time, aware UTC. Raises django.db.Error where it cannot be asked."""
    global _reading
    if connection.vendor != "postgresql":
        return timezone.now()
    reading, counted_s = _reading, _counter()
    if reading is None or not 0 <= counted_s - reading[1] < READ_EVERY_S:
        _reading = reading = (_read(), counted_s)
    return reading[0] + timedelta(seconds=counted_s - reading[1])


def skew_s() -> float:
    """Return how many seconds this process's clock is ahead of the database's; negative where it is behind.
    Raises django.db.Error."""
    database_now = now()
    return (timezone.now() - database_now).total_seconds()


def is_wrong() -> bool:
    """Return whether this process's clock and the database's differ by more than MAX_CLOCK_SKEW_S. Says so
    in the log, once a minute. Raises django.db.Error."""
    global _said_at
    ahead_s = skew_s()
    if abs(ahead_s) <= settings.MAX_CLOCK_SKEW_S:
        _said_at = None
        return False
    if _said_at is None or _counter() - _said_at >= SAY_EVERY_S:
        _said_at = _counter()
        log.error("clock_differs", seconds_ahead_of_database=round(ahead_s))
    return True


def forget() -> None:
    """Read the database's clock anew at the next look."""
    global _reading, _said_at
    _reading = _said_at = None


def _read() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        at: datetime = cursor.fetchone()[0]
    return at


def _counter() -> float:
    """Return seconds that only count up. On Linux they also count while the machine sleeps."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)
