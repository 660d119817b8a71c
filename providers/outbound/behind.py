"""Work that no page waits for. It has a thread of its own, and neither the deadline of the page that starts
it nor the page's share of the vendor's calls: its calls count as the worker's.

Such work may be lost with the process, so it only makes later pages cheaper.
"""

import threading
import time
from collections.abc import Callable
from contextvars import Context

import structlog
from django.db import connections

log = structlog.get_logger(__name__)


def start(step: Callable[[], None], after_s: float = 0.0) -> None:
    """Begin `step` after that time, and return immediately. The caller bounds how many there are."""

    def run() -> None:
        time.sleep(after_s)
        try:
            Context().run(step)
        except Exception:
            log.exception("work_behind_a_page_failed")
        finally:
            connections.close_all()

    threading.Thread(target=run, name="behind-a-page", daemon=True).start()
