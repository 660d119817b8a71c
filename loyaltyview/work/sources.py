"""What the worker works on. Each app registers its source in `AppConfig.ready`; `work` knows nobody.

`wake` and `every` are the seam to another work engine (design section 10).
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One kind of work. `run_one` claims one due row, handles it and returns True; False when idle.
    It lets no exception out except a programming error."""

    name: str
    run_one: Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Periodic:
    """Something done every `interval_s` seconds by each worker, so two may do it at once."""

    name: str
    interval_s: float
    run: Callable[[], None]


sources: list[Source] = []
periodics: list[Periodic] = []
woken = threading.Event()


def add_source(name: str, run_one: Callable[[], bool]) -> None:
    """Register work that waits in rows."""
    sources.append(Source(name=name, run_one=run_one))


def every(name: str, interval_s: float, run: Callable[[], None]) -> None:
    """Register work that is done every `interval_s` seconds."""
    periodics.append(Periodic(name=name, interval_s=interval_s, run=run))


def wake() -> None:
    """Say that a row became due just now. A worker in this process looks at once; others find it at their
    next look, WORKER_POLL_S later at most. Call it after the commit."""
    woken.set()
