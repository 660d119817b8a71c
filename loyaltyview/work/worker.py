"""The plain worker (WORK_ENGINE=rows): goes through all sources until they are idle, waits, starts again.

It stops after the row in hand. Whatever it was doing when it is killed is taken up by another worker when
the row's lease has run out.
"""

from collections.abc import Callable

import structlog
from django.conf import settings
from django.db import close_old_connections

from loyaltyview.work import clock
from loyaltyview.work.background import repeating
from loyaltyview.work.heartbeat import beat, beating, worker_name
from loyaltyview.work.periodics import run_due
from loyaltyview.work.sources import sources, woken

log = structlog.get_logger(__name__)


def drain(max_rows: int = 1000, must_stop: Callable[[], bool] = lambda: False) -> int:
    """Take one row of each source in turn, so that no source starves another, until all are idle, about
    `max_rows` were handled or `must_stop` says so. Returns how many were handled. Postponed rows are not
    waited for. Does nothing while this machine's clock is wrong."""
    if clock.is_wrong():
        return 0
    handled = 0
    failed: set[str] = set()
    while handled < max_rows:
        before = handled
        for source in sources:
            if must_stop():
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


class Worker:
    """One worker process. `run` blocks until `stop` is called."""

    def __init__(self) -> None:
        self.name = worker_name()
        self.is_stopping = False

    def stop(self) -> None:
        """Finish the row in hand and return from `run`, WORKER_POLL_S later at most.
        Sets a flag and nothing else: a signal handler that took a lock could wait for itself."""
        self.is_stopping = True

    def run(self) -> None:
        """Work until stopped."""
        # Beside the rows: a reconciliation of many minutes must not hold them up.
        with beating(self.name), repeating("periodics", settings.WORKER_POLL_S, run_due):
            log.info("worker_started", worker=self.name, sources=[source.name for source in sources])
            while not self.is_stopping:
                woken.clear()
                close_old_connections()
                if not drain(100, lambda: self.is_stopping) and not self.is_stopping:
                    woken.wait(settings.WORKER_POLL_S)
        log.info("worker_stopped", worker=self.name)

    def run_once(self) -> int:
        """Do all that is due now; returns the number of rows handled."""
        beat(self.name)
        run_due()
        return drain()
