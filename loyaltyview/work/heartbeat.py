"""The worker's sign of life, in a row that /readyz reads."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog
from django.db import DatabaseError, close_old_connections, connection
from django.utils import timezone

from loyaltyview.work.models import Heartbeat

log = structlog.get_logger(__name__)

INTERVAL_S = 5.0
FORGET_WORKERS_AFTER = timedelta(days=1)


def worker_name() -> str:
    """Return what this process is called among all workers."""
    return f"{socket.gethostname()}:{os.getpid()}"[:100]


def beat(worker: str) -> None:
    """Write the worker's sign of life, and forget workers that have not been seen for a day."""
    now = timezone.now()
    Heartbeat.objects.update_or_create(worker=worker, defaults={"seen_at": now})
    Heartbeat.objects.filter(seen_at__lt=now - FORGET_WORKERS_AFTER).delete()


@contextmanager
def beating(worker: str) -> Iterator[None]:
    """Beat until the block is left. A thread of its own does it: a row that takes a minute must not make
    the worker look dead."""
    ended = threading.Event()
    thread = threading.Thread(target=_keep_beating, args=[worker, ended], name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(timeout=INTERVAL_S)


def _keep_beating(worker: str, ended: threading.Event) -> None:
    try:
        while not ended.is_set():
            _beat_if_possible(worker)
            ended.wait(INTERVAL_S)
        Heartbeat.objects.filter(worker=worker).delete()
    except DatabaseError as error:
        log.warning("heartbeat_not_removed", error=type(error).__name__)
    finally:
        connection.close()


def _beat_if_possible(worker: str) -> None:
    try:
        beat(worker)
    except DatabaseError as error:
        log.warning("heartbeat_failed", error=type(error).__name__)
        close_old_connections()
