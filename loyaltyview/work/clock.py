"""One clock for all processes: the database's. Leases, due times, releases and expiries go by it.

A process reads it every few seconds and counts on with a monotonic clock. So a machine whose own clock is
wrong takes no lease and releases nothing too early. When the two differ by more than MAX_CLOCK_SKEW_S, one
of them is wrong, and the worker does nothing until somebody sets it right. SQLite runs inside the process,
so the machine's clock is the only one there.
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
LOG_EVERY_S = 60.0

# The last reading: the database's time, and `_counter` at that moment.
_reading: tuple[datetime, float] | None = None
# When the difference was last logged; None while the clocks agree.
_logged_at: float | None = None


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
    """Return whether this process's clock and the database's differ by more than MAX_CLOCK_SKEW_S. Log
    it once a minute. Raises django.db.Error."""
    global _logged_at
    ahead_s = skew_s()
    if abs(ahead_s) <= settings.MAX_CLOCK_SKEW_S:
        _logged_at = None
        return False
    if _logged_at is None or _counter() - _logged_at >= LOG_EVERY_S:
        _logged_at = _counter()
        log.error("clock_differs", seconds_ahead_of_database=round(ahead_s))
    return True


def forget() -> None:
    """Read the database's clock again at the next call."""
    global _reading, _logged_at
    _reading = _logged_at = None


def _read() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        at: datetime = cursor.fetchone()[0]
    return at


def _counter() -> float:
    """Return seconds that only count up. On Linux they also count while the machine sleeps."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)
