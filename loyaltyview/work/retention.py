"""Daily deletion of old rows. Each app adds its own (`add_retention` in its `AppConfig.ready`)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from loyaltyview.work import clock

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """`purge` deletes rows that are older than the given time and returns how many. It must be safe to
    repeat, and to run beside web and worker."""

    name: str
    days: int
    purge: Callable[[datetime], int]


retentions: dict[str, Retention] = {}


def add_retention(name: str, days: int, purge: Callable[[datetime], int]) -> None:
    """Add `purge`, which deletes rows older than `days` days."""
    retentions[name] = Retention(name=name, days=days, purge=purge)


def run_all() -> None:
    """Delete all rows that are too old now; the worker does it daily."""
    for retention in retentions.values():
        log.info("purged", what=retention.name, rows=run(retention), days=retention.days)


def run(retention: Retention) -> int:
    """Delete the rows that are too old now; return how many."""
    return retention.purge(clock.now() - timedelta(days=retention.days))
