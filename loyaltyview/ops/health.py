"""Is this process alive, and is the whole ready: what /healthz and /readyz answer.

Other apps add what they know (`add_check` in their `AppConfig.ready`); ops knows none of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from loyaltyview.work import clock
from loyaltyview.work.models import Heartbeat

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check's answer. `detail` is public: a number or a few words, no secret, no personal data."""

    is_ok: bool
    detail: str = ""


checks: dict[str, Callable[[], Check]] = {}


def add_check(name: str, run: Callable[[], Check]) -> None:
    """Have /readyz ask `run` too. It must be quick, may read the database and must change nothing."""
    checks[name] = run


def run_checks() -> dict[str, Check]:
    """Return the answer of every check. One that fails to answer is not ready; without a database the
    others are not asked."""
    results = {"database": _ask("database", check_database)}
    if results["database"].is_ok:
        asked = {"migrations": check_migrations, "worker": check_worker, **checks}
        results.update({name: _ask(name, run) for name, run in asked.items()})
    return results


def _ask(name: str, run: Callable[[], Check]) -> Check:
    try:
        return run()
    except DatabaseError as error:
        log.error("readiness_check_failed", check=name, exc_info=error)
        return Check(is_ok=False, detail=type(error).__name__)


def check_database() -> Check:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return Check(is_ok=True)


_is_migrated = False


def check_migrations() -> Check:
    """Reads every migration file, so the good answer is kept: migrations do not become pending again
    without a new release, which is a new process."""
    global _is_migrated
    if not _is_migrated:
        executor = MigrationExecutor(connection)
        pending = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
        if pending:
            return Check(is_ok=False, detail=f"{pending} pending")
        _is_migrated = True
    return Check(is_ok=True)


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
