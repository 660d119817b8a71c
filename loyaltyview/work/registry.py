"""What the worker works on. Each app registers its work in `AppConfig.ready`; `work` knows nobody.

`wake` and `every` are the seam between the two engines (docs/architecture.md 10, `WORK_ENGINE`).
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One kind of work. `run` claims due rows, the given number at most, handles them and returns how many;
    0 when idle. It lets no exception out except a programming error."""

    name: str
    run: Callable[[int], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Periodic:
    """Something done every `interval_s` seconds by one worker of all."""

    name: str
    interval_s: int
    run: Callable[[], None]


sources: list[Source] = []
periodics: dict[str, Periodic] = {}
woken = threading.Event()


def add_source(name: str, run_one: Callable[[], bool]) -> None:
    """Register work that waits in rows. `run_one` handles one row; it returns False when none is due."""
    sources.append(Source(name=name, run=lambda _most: int(run_one())))


def add_batches(name: str, run: Callable[[int], int]) -> None:
    """Register work that waits in rows of which one claim takes several (`Source.run`)."""
    sources.append(Source(name=name, run=run))


def every(name: str, interval_s: int, run: Callable[[], None]) -> None:
    """Register work that is done every `interval_s` seconds, on the full minute, hour and so on, by one
    worker however many there are. `run` may be repeated, must end within `interval_s` (at most an hour:
    then another worker takes the first for dead) and may raise: it is tried again with back-off."""
    if name in periodics:
        raise ValueError(f"{name} is registered already")
    periodics[name] = Periodic(name=name, interval_s=interval_s, run=run)


def wake() -> None:
    """Say that a row became due just now. Call it after the commit; costs nothing, never raises.

    Rows: a worker in this process looks at once; others find it at their next look, WORKER_POLL_S later
    at most. Procrastinate: an idle worker of any process looks at once.
    """
    if not woken.is_set():  # to look is cheaper than to take its lock
        woken.set()
    if settings.WORK_ENGINE == "procrastinate":
        from loyaltyview.work.waker import waker

        waker.ask()
