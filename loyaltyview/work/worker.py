"""The plain worker (WORK_ENGINE=rows): goes through all sources until they are idle, waits, starts again.

WORK_CONCURRENCY threads handle a row or a batch each. One of them at a time looks for due rows, in each
source in turn; when it has found some, the next thread looks. A source without due rows is asked again after
WORKER_POLL_S, or when a row of this process became due. The worker stops after the rows that were claimed.
When it is killed, another worker takes its rows once their leases have expired.
"""

import threading
import time
from collections.abc import Callable

import structlog
from django.conf import settings
from django.db import close_old_connections, connections

from loyaltyview.work import clock
from loyaltyview.work.background import repeating
from loyaltyview.work.claims import BATCH
from loyaltyview.work.heartbeat import beat, beating, worker_name
from loyaltyview.work.periodics import run_due
from loyaltyview.work.registry import sources, woken
from loyaltyview.work.slots import slot

log = structlog.get_logger(__name__)


def drain(max_rows: int = 1000, must_stop: Callable[[], bool] = lambda: False) -> int:
    """Take rows of each source in turn, so that no source starves another, until all are idle, about
    `max_rows` were handled or `must_stop` returns True. Return how many were handled. Postponed rows are not
    waited for. Does nothing while this machine's clock is wrong."""
    if clock.is_wrong():
        return 0
    handled = 0
    failed: set[str] = set()
    idle: set[str] = set()
    while handled < max_rows:
        before, is_full_round = handled, not idle
        for source in sources:
            if must_stop():
                return handled
            if source.name in failed or source.name in idle:
                continue
            try:
                with slot():
                    count = source.run(max_rows - handled)
            except Exception:
                # A programming error, or the database is away. The others go on; this source waits for the
                # next round, so that it does not fail in a busy loop.
                log.exception("source_failed", source=source.name)
                failed.add(source.name)
                continue
            handled += count
            if not count:
                idle.add(source.name)
        if handled == before:
            if is_full_round:
                break
            idle.clear()  # what the others did may have made rows due
    return handled


class Worker:
    """One worker process. `run` blocks until `stop` is called."""

    def __init__(self) -> None:
        self.name = worker_name()
        self.is_stopping = False
        self._looking = threading.Lock()
        self._next_source = 0
        # When a source that failed, or had nothing, is asked again.
        self._failed_until: dict[str, float] = {}
        self._idle_until: dict[str, float] = {}

    def stop(self) -> None:
        """Finish the rows that were claimed and return from `run`; idle threads return within WORKER_POLL_S.
        It only sets a flag: a signal handler that takes a lock can wait for itself."""
        self.is_stopping = True

    def run(self) -> None:
        """Work until stopped."""
        # Beside the rows: periodic work may take many minutes.
        with beating(self.name), repeating("periodics", settings.WORKER_POLL_S, run_due):
            log.info("worker_started", worker=self.name, sources=[source.name for source in sources])
            slots = [
                threading.Thread(target=self._work, name=f"slot-{number}")
                for number in range(settings.WORK_CONCURRENCY)
            ]
            for thread in slots:
                thread.start()
            for thread in slots:
                thread.join()
        log.info("worker_stopped", worker=self.name)

    def run_once(self) -> int:
        """Do everything that is due now; return the number of rows handled."""
        beat(self.name)
        run_due()
        return drain()

    def _work(self) -> None:
        """Run one slot."""
        try:
            while not self.is_stopping:
                close_old_connections()
                self._look()
        finally:
            connections.close_all()

    def _look(self) -> None:
        """Look for a row and handle it. Without one, wait until a row is due or WORKER_POLL_S have passed. No
        other slot looks meanwhile; the next one does as soon as this slot has its row."""
        is_looking = True

        def let_the_next_look() -> None:
            nonlocal is_looking
            if is_looking:
                is_looking = False
                self._looking.release()

        self._looking.acquire()
        try:
            if self.is_stopping:
                return
            if woken.is_set():
                woken.clear()
                self._idle_until.clear()
            with slot(let_the_next_look):
                is_handled = self._handle_some()
            if not is_handled and not self.is_stopping:
                woken.wait(settings.WORKER_POLL_S)
        finally:
            let_the_next_look()

    def _handle_some(self) -> bool:
        """Handle the rows that the next source with due rows gives; False when all are idle."""
        for _ in range(len(sources)):
            source = sources[self._next_source % len(sources)]
            self._next_source += 1
            now = time.monotonic()
            if max(self._failed_until.get(source.name, 0.0), self._idle_until.get(source.name, 0.0)) > now:
                continue
            try:
                if source.run(BATCH):
                    return True
                self._idle_until[source.name] = now + settings.WORKER_POLL_S
            except Exception:
                # A programming error, or the database is away. The others go on; this source waits for a
                # moment, so that it does not fail in a busy loop.
                log.exception("source_failed", source=source.name)
                self._failed_until[source.name] = time.monotonic() + settings.WORKER_POLL_S
            if self.is_stopping:
                break
        return False
