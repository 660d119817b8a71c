"""What is deleted when its time is over: each app says how (`add_retention` in its `AppConfig.ready`)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from loyaltyview.work import clock

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """`purge` deletes what is older than the given time, and returns how many rows that were. It must be
    safe to repeat and to run beside the product."""

    name: str
    days: int
    purge: Callable[[datetime], int]


retentions: dict[str, Retention] = {}


def add_retention(name: str, days: int, purge: Callable[[datetime], int]) -> None:
    """Have `manage.py purge` delete what is older than `days` days by calling `purge`."""
    retentions[name] = Retention(name=name, days=days, purge=purge)


def run_all() -> None:
    """Delete everything that is too old now; done daily by the worker."""
    for retention in retentions.values():
        log.info("purged", what=retention.name, rows=run(retention), days=retention.days)


def run(retention: Retention) -> int:
    """Delete what is too old now; return how many rows."""
    return retention.purge(clock.now() - timedelta(days=retention.days))
