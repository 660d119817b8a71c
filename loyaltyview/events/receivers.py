"""Whose events come to an address, remembered for some seconds: reading a program and decrypting its keys
costs as much as storing the event. A key that another process changed is known after REMEMBERED_S; two keys
are valid meanwhile.
"""

import time
from typing import Any

from loyaltyview.programs.models import Program

REMEMBERED_S = 5.0

# Only what an event needs: each of the program's other secrets would be decrypted for nothing.
_NEEDED = ("slug", "newstore_tenant", "newstore_event_key", "newstore_event_key_previous")
_known: dict[str, tuple[float, Program]] = {}


def receiver(slug: str) -> Program | None:
    """Return the program that receives at `slug`, with its slug, tenant and event keys; None without one.
    Raises django.db.Error."""
    until, program = _known.get(slug, (0.0, None))
    if program and until > time.monotonic():
        return program
    found = Program.objects.only(*_NEEDED).filter(slug=slug).first() if slug.isprintable() else None
    if found is None:
        # Not remembered: anybody may ask for any number of names.
        _known.pop(slug, None)
    else:
        _known[slug] = (time.monotonic() + REMEMBERED_S, found)
    return found


def forget_receivers(**_signal: Any) -> None:
    """Read programs again at the next event. Connected to their `post_save`."""
    _known.clear()
