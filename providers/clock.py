"""The one clock with which adapters decide whether a write can still be under way.

It is the database's, the same for every process. Adapters compare it with their own rows only. They never
compare it with a vendor's time: two clocks differ.
"""

from collections.abc import Callable
from datetime import datetime

from django.utils import timezone

_source: Callable[[], datetime] = timezone.now


def use(source: Callable[[], datetime]) -> None:
    """Read the time from `source` from now on. Called once, when the process starts."""
    global _source
    _source = source


def now() -> datetime:
    """Return the time, aware UTC. Raises django.db.Error where the database cannot be asked."""
    return _source()
