"""Wakes idle workers of all processes (WORK_ENGINE=procrastinate): queues one job that says "look"."""

import threading
import time
from contextlib import suppress

import structlog
from django.db import DatabaseError, close_old_connections, connection
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Status

log = structlog.get_logger(__name__)

DRAIN = "drain"
PAUSE_S = 0.05


class Waker:
    """Queues `drain` from a thread of its own: a delivery is answered without waiting for a second commit,
    and a thousand wakes a second are twenty jobs. The sweep makes up for one lost with its process."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def ask(self) -> None:
        self._asked.set()
        with self._starting:
            # Not at the import: a forked process has no threads.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="waker", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._asked.wait()
            self._asked.clear()
            queue_drain()
            time.sleep(PAUSE_S)


waker = Waker()


def queue_drain() -> None:
    """Queue one `drain`, unless one waits already: it will find our rows too."""
    close_old_connections()
    try:
        # Looked up first: each refusal of the lock is an error in PostgreSQL's log.
        if not app.job_manager.list_jobs(queueing_lock=DRAIN, status=Status.TODO.value):
            with suppress(AlreadyEnqueued):
                app.configure_task(DRAIN, queueing_lock=DRAIN).defer()
    except (ConnectorException, DatabaseError) as error:
        log.warning("wake_failed", error=type(error).__name__)
        connection.close()
