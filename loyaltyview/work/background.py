"""Something repeated in a thread of its own, beside the work."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from django.db import close_old_connections, connection

log = structlog.get_logger(__name__)

# A run that takes longer ends with the process.
END_WITHIN_S = 5.0


@contextmanager
def repeating(name: str, pause_s: float, run: Callable[[], object]) -> Iterator[None]:
    """Call `run`, wait `pause_s`, and so on, until the block ends. Its exceptions are logged."""
    ended = threading.Event()
    thread = threading.Thread(target=_repeat, args=[name, pause_s, run, ended], name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(END_WITHIN_S)


def _repeat(name: str, pause_s: float, run: Callable[[], object], ended: threading.Event) -> None:
    try:
        while not ended.is_set():
            close_old_connections()
            try:
                run()
            except Exception:
                log.exception("background_failed", thread=name)
            ended.wait(pause_s)
    finally:
        connection.close()
