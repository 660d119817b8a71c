"""The calls that an account of a vendor allows, over all threads and processes: taps first, then pages and
worker. See docs/decisions/0011.

The purpose of a call is a context variable, as the deadline is; a call without one belongs to the worker.
"""

import math
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from providers.errors import RateLimited
from providers.outbound.budget_state import Limit, State, Turn, Use
from providers.outbound.budget_store import DatabaseStore, ProcessStore, store

T = TypeVar("T")

# A tap whose turn comes later is refused: a customer does not wait longer at a till.
LONGEST_WAIT_S = 25.0
# The pause between two checks whether it is a page's turn.
LOOK_S = 0.25
LONGEST_PAUSE_S = 60.0
# The worker serves other programs, too: work that cannot be done soon goes back into its queue.
WORK_PATIENCE_S = 1.0
# With this many calls our window is shorter than the vendor's, so that a whole minute's calls do not come in
# one burst.
ENOUGH = 50


class OwnLimit(RateLimited):
    """Our own share of the vendor's limit is used up: nothing was sent."""


@dataclass(slots=True, kw_only=True)
class Purpose:
    """What the calls of a block are for. `calls` are booked together with the first of them, so that a page
    that cannot get all it needs in time makes none."""

    use: Use
    calls: int
    key: str
    patience_s: float = math.inf
    lock: threading.Lock = field(default_factory=threading.Lock)
    budgets: "dict[str, Budget]" = field(default_factory=dict)
    refused_s: float | None = None
    made: int = 0


_purpose: ContextVar[Purpose | None] = ContextVar("purpose", default=None)


@contextmanager
def calling_for(
    use: Use, *, calls: int = 1, key: str = "", patience_s: float = math.inf
) -> Iterator[Purpose]:
    """Make the calls of this block for `use`; a tap with a booking gives its key. None waits longer than
    `patience_s` for its turn. The caller gives unused bookings back (`finish`)."""
    purpose = Purpose(use=use, calls=calls, key=key or uuid.uuid4().hex, patience_s=patience_s)
    token = _purpose.set(purpose)
    try:
        yield purpose
    finally:
        _purpose.reset(token)


def finish(purpose: Purpose) -> None:
    """Give back the calls that `purpose` has booked and not used."""
    if purpose.made < purpose.calls:
        for budget in purpose.budgets.values():
            budget.end(purpose.key)


def finishing(purpose: Purpose, calls: Mapping[str, Callable[[], T]]) -> dict[str, Callable[[], T]]:
    """Return `calls` for `parallel`; the last one to end gives back unused bookings."""
    lock, left = threading.Lock(), [len(calls)]

    def run(call: Callable[[], T]) -> T:
        try:
            return call()
        finally:
            with lock:
                left[0] -= 1
                is_last = not left[0]
            if is_last:
                finish(purpose)

    return {name: partial(run, call) for name, call in calls.items()}


def is_tap() -> bool:
    """Return whether the calls made here are a tap's."""
    purpose = _purpose.get()
    return purpose is not None and purpose.use is Use.TAP


def spread(calls: int, window_s: float) -> Limit:
    """Return a limit of `calls` in `window_s` seconds with small bursts."""
    parts = max(1, calls // ENOUGH)
    return Limit(calls=calls // parts, window_s=window_s / parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The budget of one account. Cheap to create: its state is kept elsewhere."""

    name: str
    limit: Limit
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    kept_in: ProcessStore | DatabaseStore | None = None

    def take(self, patience_s: float) -> None:
        """Count one call, waiting at most `patience_s` for its turn. Raises OwnLimit, with the time until the
        turn, as soon as it is clear that this is too long; then no call was counted."""
        purpose = _purpose.get() or Purpose(use=Use.WORK, calls=1, key="")
        if purpose.use is Use.WORK:
            patience_s = min(patience_s, WORK_PATIENCE_S)
        ends_at = self.clock() + min(patience_s, purpose.patience_s)
        is_booking = purpose.calls > 1 or purpose.use is Use.TAP
        if not (is_booking and self._begin(purpose, ends_at)):
            self._wait(lambda state, now: state.call(purpose.key, purpose.use, now), ends_at, is_queued=True)
        with purpose.lock:
            purpose.made += 1

    def book(self, key: str, calls: int, longest_wait_s: float = LONGEST_WAIT_S) -> Turn:
        """Keep a place for a tap, once per key, and say when its turn comes."""
        turn: Turn = self._apply(lambda state, now: state.book(key, Use.TAP, calls, now, longest_wait_s))
        return turn

    def end(self, key: str) -> None:
        """Give back the calls that `key` has booked and not used. The caller does not wait for it."""
        (self.kept_in or store()).apply_later(self.name, self.limit, lambda state, now: state.end(key, now))

    def pause(self, seconds: float) -> None:
        """Pause all calls of all processes for this long, because the vendor asks for it."""
        if seconds > 0:
            self._apply(lambda state, now: state.pause(min(seconds, LONGEST_PAUSE_S), now))

    def _begin(self, purpose: Purpose, ends_at: float) -> bool:
        """Book all calls of `purpose`, once. Its other threads wait for the first. Return whether the call of
        this thread is counted too: in the same commit, where its turn is now."""
        is_counted = False
        with purpose.lock:
            if purpose.refused_s is not None:
                raise OwnLimit("our own limit for this vendor", retry_after_s=purpose.refused_s)
            if self.name in purpose.budgets:
                return False

            def book(state: State, now: float) -> float:
                nonlocal is_counted
                patience_s = max(0.0, ends_at - self.clock())
                turn = state.book(purpose.key, purpose.use, purpose.calls, now, patience_s)
                if not turn.is_booked:
                    return turn.wait_s
                is_counted = state.call(purpose.key, purpose.use, now) == 0
                return 0.0

            try:
                self._wait(book, ends_at, is_queued=False)
            except OwnLimit as error:
                purpose.refused_s = error.retry_after_s
                raise
            purpose.budgets[self.name] = self
        return is_counted

    def _wait(self, step: Callable[[State, float], float], ends_at: float, *, is_queued: bool) -> None:
        """Do `step` until it returns 0, or raise OwnLimit when the time it names is beyond `ends_at`."""
        while wait_s := self._apply(step):
            left_s = ends_at - self.clock()
            if wait_s > left_s:
                raise OwnLimit("our own limit for this vendor", retry_after_s=wait_s)
            self.sleep(wait_s if is_queued else min(wait_s, LOOK_S))

    def _apply(self, step: Callable[[State, float], Any]) -> Any:
        return (self.kept_in or store()).apply(self.name, self.limit, step)
