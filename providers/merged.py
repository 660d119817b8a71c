"""Tells the project that a provider made one member of two: rows that name the old ref get the new one.

Apps register what they do when the process starts. All of it happens in the provider's own transaction.
"""

from collections.abc import Callable

Listener = Callable[[str, str, str], None]

_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Have `listener(program, old_ref, new_ref)` called for each merge. It may be called again for the same
    two refs, and makes no calls to other systems."""
    if listener not in _listeners:
        _listeners.append(listener)


def tell(program: str, old_ref: str, new_ref: str) -> None:
    """Tell every app, inside the caller's transaction."""
    for listener in _listeners:
        listener(program, old_ref, new_ref)
