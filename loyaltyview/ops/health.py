"""The checks behind /readyz and /readyz/worker.

Other apps add their checks (`add_check` in their `AppConfig.ready`); ops imports none of them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

# PostgreSQL's codes and SQLite's names of faults that an operator can mend.
TROUBLES = {
    "25006": "read-only",
    "SQLITE_READONLY": "read-only",
    "53100": "disk is full",
    "SQLITE_FULL": "disk is full",
    "SQLITE_IOERR": "disk fails",
    "SQLITE_BUSY": "locked",
    "57014": "too slow",
}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check's answer. `detail` is public: a number or a few words, no secret, no personal data."""

    is_ok: bool
    detail: str = ""


checks: dict[str, Callable[[], Check]] = {}
# Whether the worker does its work; a web process without one is ready.
worker_checks: dict[str, Callable[[], Check]] = {}


def add_check(name: str, run: Callable[[], Check]) -> None:
    """Add a check to /readyz. `run` must be quick and must change nothing; it may read the database."""
    checks[name] = run


def add_worker_check(name: str, run: Callable[[], Check]) -> None:
    """As `add_check`, for /readyz/worker."""
    worker_checks[name] = run


def run_checks() -> dict[str, Check]:
    """Return whether this process can serve. A check that raises a database error is not ready. Without a
    database the other checks are left out."""
    return _run({"migrations": check_migrations, **checks})


def run_worker_checks() -> dict[str, Check]:
    """Return whether the worker does its work."""
    return _run(worker_checks)


def _run(asked: dict[str, Callable[[], Check]]) -> dict[str, Check]:
    results = {"database": _ask("database", check_database)}
    if results["database"].is_ok:
        results.update({name: _ask(name, run) for name, run in asked.items()})
    return results


def _ask(name: str, run: Callable[[], Check]) -> Check:
    try:
        return run()
    except DatabaseError as error:
        log.error("readiness_check_failed", check=name, exc_info=error)
        return Check(is_ok=False, detail=_trouble(error))


def _trouble(error: DatabaseError) -> str:
    """Return a few words for an error. Its own text may hold the address of the database."""
    cause = error.__cause__
    code = str(getattr(cause, "sqlstate", "") or getattr(cause, "sqlite_errorname", ""))
    return next((words for start, words in TROUBLES.items() if code.startswith(start)), type(error).__name__)


def check_database() -> Check:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return Check(is_ok=True)


_is_migrated = False


def check_migrations() -> Check:
    """No migration is pending. The check reads every migration file, so a good answer is kept: only a new
    release brings new migrations, and that is a new process."""
    global _is_migrated
    if not _is_migrated:
        executor = MigrationExecutor(connection)
        pending = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
        if pending:
            return Check(is_ok=False, detail=f"{pending} pending")
        _is_migrated = True
    return Check(is_ok=True)
