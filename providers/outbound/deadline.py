"""How long a page may still wait: one deadline that every read below it keeps, in whatever thread.

It travels in a context variable, so `providers.outbound.parallel` carries it to its pool threads.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_ends_at: ContextVar[float] = ContextVar("ends_at", default=math.inf)


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Let reads inside the block take `seconds` in sum. An inner deadline never extends an outer one."""
    token = _ends_at.set(min(_ends_at.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _ends_at.reset(token)


def remaining_s() -> float:
    """Return the seconds left; infinite where no deadline was set (the worker, a command)."""
    return _ends_at.get() - time.monotonic()
