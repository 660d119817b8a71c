"""What all members of a program have in common, kept in the process: rewards, tiers, the rules.

For what is shown, and for what an order earns. A spend reads the rows themselves, under its lock. Changes
made in this process are seen at once, those of another process after KEPT_S, as those of a program are. All
threads share the rows: read them, never change them.
"""

import time
from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

KEPT_S = 2.0
MOST = 1000

T = TypeVar("T")
_kept: dict[tuple[object, ...], tuple[float, Any]] = {}


def of_program(program: str, what: str, read: Callable[[], T], *, day: date | None = None) -> T:
    """Return what `read` returns, or returned at most KEPT_S ago, for `what` of the program (on `day`)."""
    key = (program, what, day)
    until, kept = _kept.get(key, (0.0, None))
    if until > time.monotonic():
        found: T = kept
        return found
    found = read()
    if len(_kept) >= MOST:
        _kept.clear()
    _kept[key] = (time.monotonic() + KEPT_S, found)
    return found


def forget(**_signal: object) -> None:
    """Read everything again. Connected to the signals of the rows; an `update` of rows must call it."""
    _kept.clear()
