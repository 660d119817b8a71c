"""Requests that the web server answers without the page that was asked for, and whose threads a request
takes.

The server (`loyaltyview.server`) shares its threads between the programs. It knows a program by the address.
An opened launch has an address of its own, so what reads a launch says whose it is (`note_owner`).
"""

import threading
from typing import Any

# The key of WSGI's environment that holds the server's side of the connection.
SOCKET = "gunicorn.socket"
EVENTS = "events"
BUSY = "BUSY"
LINE_TOO_LONG = "ADDRESS_TOO_LONG"

REMEMBERED = 20_000
_owners: dict[str, str] = {}
_lock = threading.Lock()


def note_owner(launch_id: str, program: str) -> None:
    """Remember that the pages of this launch are the program's."""
    if launch_id in _owners:
        return
    with _lock:
        _owners[launch_id] = program
        while len(_owners) > REMEMBERED:
            del _owners[next(iter(_owners))]


def lane_of(path: str) -> str:
    """Return whose threads a request for `path` takes: "events", or a program's, or the first word."""
    _, first, *rest = (path + "//").split("/", 3)
    if first == EVENTS:
        return EVENTS
    if first == "l":
        return f"program {_owners.get(rest[0], '')}"
    return f"program {rest[0]}" if first in ("launch", "brand", "identity") else first


def problem_of(environ: dict[str, Any]) -> str:
    """Return BUSY or LINE_TOO_LONG where the server lets no page be made; else ""."""
    return str(getattr(environ.get(SOCKET), "problem", ""))
