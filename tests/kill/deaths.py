"""Moments at which a process can be killed: around every transition of a redemption, and around every call.

The file that the environment's KILL_FILE names holds one moment, such as "spend.after". The process that
reaches it removes the file and kills itself with SIGKILL, so each kill happens once and no Python code runs
after it: no `finally`, no rollback, no closing of a connection.
"""

import os
import signal
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from django.apps import AppConfig

CALLS = ("spend", "find_spend", "release", "confirm", "record_order", "record_return", "cancel_order")


class Deaths(AppConfig):
    """Wraps the product's own functions; the product has no code for it."""

    name = "tests.kill"

    def ready(self) -> None:
        from loyaltyview.events import processing
        from loyaltyview.redemptions import (
            orders,
            release,
            renewal,
            saga,
            transitions,
        )
        from loyaltyview.work import plain_sql
        from providers.house.provider import HouseProvider

        # A transition is named by its new state. "within" is after its first line is written and before
        # its commit; on PostgreSQL a transition is one statement, and nothing is in between. "after" is
        # after its commit, unless the caller has a transaction of its own around it (a renewal, which
        # stores the code as well).
        advance = around(transitions.advance)
        for module in (transitions, saga, release, renewal, orders):
            setattr(module, "advance", advance)  # noqa: B010
        for owner, function, name in (
            (saga, "_store", "requested"),
            (saga, "mint_code", "mint"),
            (processing, "finish", "finish"),
            *((HouseProvider, call, call) for call in CALLS),
        ):
            setattr(owner, function, around(getattr(owner, function), name))
        transitions.insert = plain_sql.insert = within(plain_sql.insert)  # type: ignore[attr-defined]


def around(call: Callable[..., Any], name: str = "") -> Callable[..., Any]:
    """Return `call` with a moment before and after it; without a name, `advance(row, state)`."""

    @wraps(call)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        moment = name or args[1].value
        pass_by(f"{moment}.before")
        result = call(*args, **kwargs)
        pass_by(f"{moment}.after")
        return result

    return wrapped


def within(write_lines: Callable[..., int]) -> Callable[..., int]:
    """Return `write_lines` with a moment after it, where it writes lines of the trail."""
    from loyaltyview.redemptions.models import Transition

    @wraps(write_lines)
    def wrapped(lines: list[Any], **options: Any) -> int:
        written = write_lines(lines, **options)
        if isinstance(lines[-1], Transition):
            pass_by(f"{lines[-1].to_state}.within")
        return written

    return wrapped


def pass_by(moment: str) -> None:
    file = Path(os.environ["KILL_FILE"])
    try:
        if file.read_text() != moment:
            return
        file.unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
