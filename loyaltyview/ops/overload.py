"""What web server and pages tell each other: whose threads a request takes, when no page is made, and when
the rest of an answer waits for a vendor.

The server (`loyaltyview.server`) shares its threads between the programs. It finds the program in the
address. The address of an opened launch names none, so the view that reads the launch notes it
(`note_owner`).
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

# The key of WSGI's environment that holds the server's side of the connection.
SOCKET = "gunicorn.socket"
EVENTS = "events"
# The retailers' other systems, such as a web shop: all programs together, so that tills never wait for them.
API = "api"
BUSY = "BUSY"
LINE_TOO_LONG = "ADDRESS_TOO_LONG"

REMEMBERED = 20_000
_owners: dict[str, str] = {}
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the next part of an answer waits for. `when_done` calls its argument, in any thread, when the part
    can be made. It is made at `until` (time.monotonic) at the latest."""

    when_done: Callable[[Callable[[], None]], None]
    until: float


def note_owner(launch_id: str, program: str) -> None:
    """Remember that the pages of this launch belong to the program."""
    if launch_id in _owners:
        return
    with _lock:
        _owners[launch_id] = program
        while len(_owners) > REMEMBERED:
            del _owners[next(iter(_owners))]


def lane_of(path: str) -> str:
    """Return the lane of a request for `path`: "events", "api", a program, or the first word of the path. An
    encoded path is read as Django reads it."""
    _, first, *rest = (unquote(path) + "//").split("/", 3)
    if first in (EVENTS, API):
        return first
    if first == "l":
        return f"program {_owners.get(rest[0], '')}"
    return f"program {rest[0]}" if first in ("launch", "identity") else first


def problem_of(environ: dict[str, Any]) -> str:
    """Return BUSY or LINE_TOO_LONG when the server wants that said in place of the page; else ""."""
    return str(getattr(environ.get(SOCKET), "problem", ""))


def wait_without_thread(environ: dict[str, Any], waiting: Waiting) -> bool:
    """Have the server ask for the next part of the answer when it is time; no thread is held until then.
    False under another server, such as that of the tests: there the answer's own thread has to wait."""
    client: Any = environ.get(SOCKET)
    if not hasattr(client, "waits_for"):
        return False
    client.waits_for = waiting
    return True
