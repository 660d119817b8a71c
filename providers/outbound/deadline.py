"""How long calls may take in sum, over all threads, and whether any may be made.

A page has a deadline for its reads. Work under a row's lease has a deadline for everything.

Both travel in context variables, so `providers.outbound.parallel` carries them to its pool threads.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings

# The part of a lease for work beside one method of an adapter: a call to NewStore, commits, short pauses.
LEASE_RESERVE_S = 8.0

SHORTEST_STEP_S = 2.0

_reads_end_at: ContextVar[float] = ContextVar("reads_end_at", default=math.inf)
_step_ends_at: ContextVar[float] = ContextVar("step_ends_at", default=math.inf)
_is_forbidden: ContextVar[bool] = ContextVar("calls_are_forbidden", default=False)


class CallForbidden(Exception):
    """A call was about to be made inside `no_calls`. It is no error of a vendor, so only that block handles
    it."""


@contextmanager
def no_calls() -> Iterator[None]:
    """Let every call inside the block raise CallForbidden before anything is sent."""
    token = _is_forbidden.set(True)
    try:
        yield
    finally:
        _is_forbidden.reset(token)


def check_calls_allowed() -> None:
    """Raise CallForbidden inside `no_calls`."""
    if _is_forbidden.get():
        raise CallForbidden


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Let reads inside the block take `seconds` in sum. An inner deadline never extends an outer one."""
    token = _reads_end_at.set(min(_reads_end_at.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _reads_end_at.reset(token)


@contextmanager
def leased_step() -> Iterator[None]:
    """Let everything inside the block, writes and waits too, end before the lease of the row that it is done
    for (`WORK_LEASE_S`): no other process takes the row over while a call is under way."""
    lasts_s = max(settings.WORK_LEASE_S - LEASE_RESERVE_S, SHORTEST_STEP_S)
    token = _step_ends_at.set(min(_step_ends_at.get(), time.monotonic() + lasts_s))
    try:
        yield
    finally:
        _step_ends_at.reset(token)


def remaining_s() -> float:
    """Return the seconds left for reads; infinite where there is no deadline (the worker, a command)."""
    return min(_reads_end_at.get(), _step_ends_at.get()) - time.monotonic()


def step_remaining_s() -> float:
    """Return the seconds left of a leased step; infinite outside of one."""
    return _step_ends_at.get() - time.monotonic()
