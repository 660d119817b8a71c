"""A database in trouble: time limits for statements, and writes that a page can do without.

Web and worker set a limit at their start. Commands such as migrate have none, and neither has periodic work,
which deletes many rows at once.
"""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, connection, transaction

log = structlog.get_logger(__name__)

# The worker's limit, in multiples of a page's.
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
    """Return how long a statement of this thread may take; infinite where there is no limit."""
    return math.inf if getattr(_own, "is_unlimited", False) else _process_s


@contextmanager
def unlimited() -> Iterator[None]:
    """Let the statements in this block take as long as they need. The limit is set when a connection begins,
    so the block has a connection of its own."""
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


@contextmanager
def best_effort(what: str) -> Iterator[None]:
    """Log what the database refuses in this block, and go on. For writes that a page can do without: a full
    disk or a read-only database must not take the page away."""
    try:
        # A savepoint keeps the rest of a transaction usable.
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            yield
    except DatabaseError as error:
        log.warning("write_left_out", what=what, error=type(error).__name__)


def flush_later() -> None:
    """Let the commit of this transaction not wait for the disk. When the database's server crashes within the
    next second, the whole transaction can be lost, but never a part of it, and nothing that was committed
    before. For work whose row is due until this very transaction ends. (SQLite always waits.)"""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")


def bound_sqlite(connection: Any, **_kwargs: Any) -> None:
    """Limit the wait for another writer; called for each new connection."""
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
