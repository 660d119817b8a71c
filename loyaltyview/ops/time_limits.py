"""How long one statement may keep us waiting: a database that is frozen must not freeze us.

Web and worker set a limit at their start. A command such as migrate has none, and neither has periodic
work, which deletes many rows at once.
"""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connection

# What the worker may wait for, in multiples of what a page may.
WORKER_PATIENCE = 10
_process_s = math.inf
_own = threading.local()


def limit_web() -> None:
    """Give pages and deliveries DATABASE_TIMEOUT_S for each statement, from now on in this process."""
    _limit(settings.DATABASE_TIMEOUT_S)


def limit_worker() -> None:
    """Give the worker's rows ten times as long."""
    _limit(settings.DATABASE_TIMEOUT_S * WORKER_PATIENCE)


def statement_limit_s() -> float:
    """Return what a statement of this thread may take; infinite where there is no limit."""
    return math.inf if getattr(_own, "is_unlimited", False) else _process_s


@contextmanager
def unlimited() -> Iterator[None]:
    """Let the statements in this block take as long as they need. The server knows a connection's limit
    from its beginning, so the block has a connection of its own."""
    if _process_s == math.inf:
        yield
        return
    _end_connection()
    _own.is_unlimited = True
    try:
        yield
    finally:
        _own.is_unlimited = False
        _end_connection()


def bound_sqlite(connection: Any, **_kwargs: Any) -> None:
    """Wait no longer for another writer than the limit; called for each new connection."""
    limit_s = statement_limit_s()
    if connection.vendor == "sqlite" and limit_s < connection.settings_dict["OPTIONS"].get("timeout", 0):
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {round(limit_s * 1000)}")


def _limit(seconds: float) -> None:
    global _process_s
    _process_s = seconds


def _end_connection() -> None:
    if not connection.in_atomic_block:
        connection.close()
