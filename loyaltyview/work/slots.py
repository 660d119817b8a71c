"""The slots of this process: it handles WORK_CONCURRENCY rows at once, and no program may take all of them.

A program whose NewStore or vendor hangs keeps its slots for seconds at a time. So a program may have as many
slots as it leaves free: the first that hangs takes half of them, the second a quarter.
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
    """This thread's slot: whether it is one, and whose row it has."""

    is_open = False
    program: int | None = None
    on_claim: Callable[[], None] = staticmethod(lambda: None)


_own = _Slot()


@contextmanager
def slot(on_claim: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Handle one row in this block; it counts for its program. `on_claim` is called when a row was
    claimed."""
    _own.is_open, _own.program, _own.on_claim = True, None, on_claim
    try:
        yield
    finally:
        _own.is_open = False
        with _lock:
            _leave()


def claim_in_slot(
    rows: models.QuerySet[Row], claim: Callable[[models.QuerySet[Row]], list[Row]]
) -> list[Row]:
    """Claim some of `rows`, all of one program, by `claim`. In a slot, rows of a program that has its share
    of the slots are left out."""
    if not _own.is_open or not hasattr(rows.model, "program_id"):
        return claim(rows)
    with _lock:
        _leave()
        claimed = claim(_open_to_us(rows))
        if not claimed:
            return []
        _own.program = program_of(claimed[0])
        _busy[_own.program] += 1
    _own.on_claim()
    return claimed


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
