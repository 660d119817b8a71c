"""A cache of programs and stores for two seconds. Reading a program and decrypting its secrets takes as long
as storing an event, and every page and every delivery needs one.

Changes made in this process are seen immediately, changes of another process after KEPT_S. The objects are
shared by all threads: read them, never change them.
"""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from loyaltyview.programs.models import Program, Store

KEPT_S = 2.0
MOST = 10_000

Row = TypeVar("Row", Program, Store)
_known: dict[tuple[object, ...], tuple[float, Any]] = {}


def program_by_id(program_id: int) -> Program:
    """Return the program. Raises Program.DoesNotExist and django.db.Error."""
    found = _kept(("id", program_id), lambda: Program.objects.filter(pk=program_id).first())
    if found is None:
        raise Program.DoesNotExist
    return found


def program_by_slug(slug: str) -> Program | None:
    """Return the program at an address, None without one. Raises django.db.Error."""
    if not slug.isprintable():
        return None
    return _kept(("slug", slug), lambda: Program.objects.filter(slug=slug).first())


def store_by_id(program_id: int, store_id: str) -> Store | None:
    """Return the store with NewStore's id, None for one that the program does not list.
    Raises django.db.Error."""
    return _kept(
        ("store", program_id, store_id),
        lambda: Store.objects.filter(program_id=program_id, store_id=store_id).first(),
    )


def forget(**_signal: object) -> None:
    """Empty the cache. Connected to the signals of saving and deleting."""
    _known.clear()


def _kept(key: tuple[object, ...], read: Callable[[], Row | None]) -> Row | None:
    until, row = _known.get(key, (0.0, None))
    if until > time.monotonic():
        known: Row = row
        return known
    found = read()
    if len(_known) >= MOST:
        _known.clear()
    # Missing names are not cached: a caller may ask for any number of them.
    if found is None:
        _known.pop(key, None)
    else:
        _known[key] = (time.monotonic() + KEPT_S, found)
    return found
