"""Django's caches belong to a context, and each of our requests and calls runs in a context of its own. Here
they belong to the thread, as Django means it: a new one each time would open a new connection to Redis.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.core.cache import caches

T = TypeVar("T")


class _Thread(threading.local):
    """`made_with` is the setting that `caches` were made with."""

    made_with: Mapping[str, Any] | None = None
    caches: Mapping[str, Any]


_thread = _Thread()


def with_caches_of_thread(call: Callable[[], T]) -> T:
    """Run `call` with this thread's caches. For the first function of a context."""
    if _thread.made_with is not caches.settings:
        _thread.made_with = caches.settings
        _thread.caches = {alias: caches.create_connection(alias) for alias in caches}
    for alias, cache in _thread.caches.items():
        caches[alias] = cache
    return call()
