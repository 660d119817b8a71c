"""Work that no page waits for. It has neither the deadline of the page that starts it nor the page's share of
the vendor's calls: its calls count as the worker's.

Such work may be lost with the process, so it only makes later pages cheaper.
"""

import queue
import threading
import time
from collections.abc import Callable
from contextvars import Context
from functools import cache

import structlog
from django.db import close_old_connections, connections

from providers.outbound.parallel import next_job
from providers.outbound.thread_caches import with_caches_of_thread

log = structlog.get_logger(__name__)

WRITES_AFTER_S = 0.05  # the other reads of a page are stored with the first
MOST_WRITES = 1000  # that wait: a database that hangs must not fill the memory

Step = Callable[[], None]


def start(step: Step) -> None:
    """Begin `step`, such as a call to the vendor, in a thread of its own. The caller bounds how many there
    are."""

    def run() -> None:
        try:
            _do(step)
        finally:
            connections.close_all()

    threading.Thread(target=run, name="behind-a-page", daemon=True).start()


def write(step: Step) -> bool:
    """Do `step`, a write to our database, in WRITES_AFTER_S, after those that came before. False where too
    many wait: then it is not done."""
    writes = _writes()
    if writes.qsize() >= MOST_WRITES:
        return False
    writes.put((time.monotonic() + WRITES_AFTER_S, step))
    return True


@cache
def _writes() -> "queue.SimpleQueue[tuple[float, Step]]":
    writes: queue.SimpleQueue[tuple[float, Step]] = queue.SimpleQueue()

    def run() -> None:
        while True:
            due_at, step = next_job(writes)
            time.sleep(max(0.0, due_at - time.monotonic()))
            _do(step)
            close_old_connections()

    threading.Thread(target=run, name="writes-behind-pages", daemon=True).start()
    return writes


def _do(step: Step) -> None:
    try:
        Context().run(with_caches_of_thread, step)
    except Exception:
        log.exception("work_behind_a_page_failed")
