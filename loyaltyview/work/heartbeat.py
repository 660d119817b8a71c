"""The worker's sign of life, in a row that /readyz reads."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog
from django.db import DatabaseError

from loyaltyview.work import clock
from loyaltyview.work.background import repeating
from loyaltyview.work.models import Heartbeat

log = structlog.get_logger(__name__)

PAUSE_S = 5.0
FORGET_WORKERS_AFTER = timedelta(days=1)


def worker_name() -> str:
    """Return the name of this process among all workers."""
    return f"{socket.gethostname()}:{os.getpid()}"[:100]


def beat(worker: str) -> None:
    """Write the worker's sign of life and how wrong its clock is. Delete the rows of workers that were last
    seen more than a day ago."""
    now = clock.now()
    Heartbeat.objects.update_or_create(
        worker=worker, defaults={"seen_at": now, "clock_ahead_s": round(clock.skew_s())}
    )
    Heartbeat.objects.filter(seen_at__lt=now - FORGET_WORKERS_AFTER).delete()


@contextmanager
def beating(worker: str) -> Iterator[None]:
    """Beat until the block ends, from a thread of its own: a worker whose row takes a minute is not dead."""
    try:
        with repeating("heartbeat", PAUSE_S, lambda: beat(worker)):
            yield
    finally:
        try:
            Heartbeat.objects.filter(worker=worker).delete()
        except DatabaseError as error:
            log.warning("heartbeat_not_removed", error=type(error).__name__)
