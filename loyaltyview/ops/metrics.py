"""Figures of /metrics that are read from the database at each scrape, beside what processes count."""

from collections.abc import Callable, Iterable, Iterator

import structlog
from django.db import DatabaseError
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

log = structlog.get_logger(__name__)

Read = Callable[[], Iterable[Metric]]


class FromDatabase(Collector):
    """What the apps read. Without the database these figures are missing, and the others are there."""

    def __init__(self) -> None:
        self.reads: list[Read] = []

    def describe(self) -> Iterable[Metric]:
        return ()  # registering must not ask the database

    def collect(self) -> Iterator[Metric]:
        for read in self.reads:
            try:
                yield from list(read())
            except DatabaseError as error:
                log.warning("metrics_not_read", error=type(error).__name__)


_from_database = FromDatabase()
_registry = CollectorRegistry()
_registry.register(_from_database)


def add_metrics(read: Read) -> None:
    """Have `read` called at each scrape. It must be a few indexed queries."""
    _from_database.reads.append(read)


def database_text() -> bytes:
    """Return the figures as Prometheus text."""
    return generate_latest(_registry)
