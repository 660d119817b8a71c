"""The worker: goes through all sources until they are idle, waits, and starts again.

It stops after the row in hand. Whatever it was doing when it is killed is taken up by another worker when
the row's lease has run out.
"""

import os
import socket
import threading
import time
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection
from django.utils import timezone

from loyaltyview.work.models import Heartbeat
from loyaltyview.work.sources import Periodic, periodics, sources, woken

log = structlog.get_logger(__name__)

HEARTBEAT_S = 5.0
FORGET_WORKERS_AFTER = timedelta(days=1)


def drain(max_rows: int = 1000) -> int:
    """Work until every source is idle, or `max_rows` rows were handled. Returns how many were.
    Rows that were postponed are not waited for."""
    return Worker().run_until_idle(max_rows)


class Worker:
    """One worker process. `run` blocks until `stop` is called."""

    def __init__(self) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}"[:100]
        self.is_stopping = False
        self._next_run: dict[str, float] = {}

    def stop(self) -> None:
        """Finish the row in hand and return from `run`, WORKER_POLL_S later at most.
        Sets a flag and nothing else: a signal handler that took a lock could wait for itself."""
        self.is_stopping = True

    def run(self) -> None:
        """Work until stopped."""
        ended = threading.Event()
        beating = threading.Thread(target=self._keep_beating, args=[ended], name="heartbeat", daemon=True)
        beating.start()
        log.info("worker_started", worker=self.name, sources=[source.name for source in sources])
        while not self.is_stopping:
            woken.clear()
            close_old_connections()
            self.run_periodics()
            if not self.run_until_idle(max_rows=100) and not self.is_stopping:
                woken.wait(settings.WORKER_POLL_S)
        ended.set()
        beating.join(timeout=HEARTBEAT_S)
        log.info("worker_stopped", worker=self.name)

    def run_once(self) -> int:
        """Do every periodic and all that is due now; returns the number of rows handled."""
        beat(self.name)
        self.run_periodics()
        return self.run_until_idle()

    def run_until_idle(self, max_rows: int = 1000) -> int:
        """Take one row of each source in turn, so that no source starves another, until all are idle."""
        handled = 0
        failed: set[str] = set()
        while handled < max_rows:
            before = handled
            for source in sources:
                if self.is_stopping:
                    return handled
                if source.name in failed:
                    continue
                try:
                    handled += source.run_one()
                except Exception:
                    # A programming error, or the database is away. The others go on; this one waits
                    # for the next round instead of failing as fast as it can.
                    log.exception("source_failed", source=source.name)
                    failed.add(source.name)
            if handled == before:
                break
        return handled

    def run_periodics(self) -> None:
        """Do what has become due. The first round does everything."""
        for periodic in periodics:
            if self._next_run.get(periodic.name, 0.0) <= time.monotonic():
                self._next_run[periodic.name] = time.monotonic() + periodic.interval_s
                self._run_periodic(periodic)

    def _run_periodic(self, periodic: Periodic) -> None:
        try:
            periodic.run()
        except Exception:
            log.exception("periodic_failed", periodic=periodic.name)

    def _keep_beating(self, ended: threading.Event) -> None:
        # A thread of its own: a row that takes a minute must not make the worker look dead.
        try:
            while not ended.is_set():
                self._beat_if_possible()
                ended.wait(HEARTBEAT_S)
            Heartbeat.objects.filter(worker=self.name).delete()
        except DatabaseError as error:
            log.warning("heartbeat_not_removed", error=type(error).__name__)
        finally:
            connection.close()

    def _beat_if_possible(self) -> None:
        try:
            beat(self.name)
        except DatabaseError as error:
            log.warning("heartbeat_failed", error=type(error).__name__)
            close_old_connections()


def beat(worker: str) -> None:
    """Write the worker's sign of life, and forget workers that have not been seen for a day."""
    now = timezone.now()
    Heartbeat.objects.update_or_create(worker=worker, defaults={"seen_at": now})
    Heartbeat.objects.filter(seen_at__lt=now - FORGET_WORKERS_AFTER).delete()
