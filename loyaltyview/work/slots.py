"""The slots of this process: it handles WORK_CONCURRENCY rows at once, and no program may have them all.

A program whose NewStore or vendor hangs keeps its slots for seconds at a time. A program may therefore have
as many slots as it leaves free: the first that hangs takes half of them, the second a quarter.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.conf import settings
from django.db import models

Row = TypeVar("Row", bound=models.Model)

_lock = threading.Lock()
_busy: Counter[int] = Counter()


class _Slot(threading.local):
    """What this thread is at: whether it is a slot, and whose row it has."""

    is_open = False
    program: int | None = None
    tell: Callable[[], None] = staticmethod(lambda: None)


_own = _Slot()


@contextmanager
def slot(tell: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Handle one row in this block: it is counted for its program. `tell` is called when it was claimed."""
    _own.is_open, _own.program, _own.tell = True, None, tell
    try:
        yield
    finally:
        _own.is_open = False
        with _lock:
            _leave()


def claimed(rows: models.QuerySet[Row], claim: Callable[[models.QuerySet[Row]], Row | None]) -> Row | None:
    """Claim one of `rows` by `claim`. In a slot: none of a program that has its share of them already."""
    if not _own.is_open or not hasattr(rows.model, "program_id"):
        return claim(rows)
    with _lock:
        _leave()
        row = claim(_open_to_us(rows))
        if row is None:
            return None
        _own.program = program_of(row)
        _busy[_own.program] += 1
    _own.tell()
    return row


def program_of(row: Any) -> int:
    """Return the key of the row's program."""
    return int(row.program_id)


def _open_to_us(rows: models.QuerySet[Row]) -> models.QuerySet[Row]:
    free = settings.WORK_CONCURRENCY - _busy.total()
    full = [program for program, count in _busy.items() if count >= free]
    return rows.exclude(program_id__in=full) if full else rows


def _leave() -> None:
    if _own.program is not None:
        _busy[_own.program] -= 1
        if not _busy[_own.program]:
            del _busy[_own.program]
        _own.program = None
