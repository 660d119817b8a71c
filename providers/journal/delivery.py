"""Writes that the vendor must get exactly once, and that are tried again until it has: points given back,
sales, returns, cancelled orders.

The row is committed before each attempt. One whose answer is lost is looked for at the vendor first, and sent
again only when it is not there and can no longer arrive.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db.models import Q

from providers import clock
from providers.errors import Rejected, Unavailable, Unsupported
from providers.journal.models import Write, WriteState
from providers.journal.spending import NOTHING_HAPPENED, Found, Made, is_past
from providers.journal.states import advance


def deliver(
    write: Write,
    send: Callable[[], Made | None],
    look: Callable[[], Found] | None,
    settled_after: timedelta,
    before: Callable[[], Any] | None = None,
) -> None:
    """Bring `write` to DONE. `send` tells the vendor, `look` searches for what was told before. `look` is
    None where the vendor itself takes a write of this key once: then it may be sent again at any time.
    `before` reads what `look` will compare with (`Write.shown_before`). Where `send` reads something after
    its write, it must turn that read's errors into OutcomeUnknown: the write has happened then.

    Raises Unavailable while it cannot be known whether an earlier attempt arrived (ask again later), and what
    `send` and `look` raise. Does nothing for a write that is over.
    """
    if look is not None:
        resolve(write, look, settled_after)
        if write.state == WriteState.SENT:
            raise Unavailable("another process sends this")
    if write.state not in (WriteState.PLANNED, WriteState.SENT):
        return
    began = WriteState(write.state)
    shown = {"shown_before": before()} if before else {}
    attempt = {"sent_at": clock.now(), "last_error": "", **shown}
    # The points as well: a part that was planned meanwhile has lowered those of a release.
    if not advance(write, began, WriteState.SENT, Q(points=write.points), **attempt):
        raise Unavailable("another process sends this")
    try:
        made = send()
    except NOTHING_HAPPENED as error:
        # Of an earlier attempt, whose answer is lost, and of one that began meanwhile, this says nothing.
        if began == WriteState.PLANNED:
            refusal = error.detail[:200] if isinstance(error, Rejected | Unsupported) else ""
            advance(write, WriteState.SENT, WriteState.PLANNED, _same_attempt(write), last_error=refusal)
        raise
    _done(write, made)


def resolve(write: Write, look: Callable[[], Found], settled_after: timedelta) -> None:
    """Decide about a write that may have been sent: DONE when the vendor has it, PLANNED when it has not and
    never will. Raises Unavailable while neither is certain."""
    if write.state != WriteState.SENT:
        return
    # Judged before the vendor is asked: what arrives in between shows in the answer.
    is_settled = is_past(write, settled_after)
    found = look()
    if found.made:
        _done(write, found.made[0])
    elif found.is_certain or (found.is_complete and is_settled):
        # Another process may have come to this and have sent it again, while we looked.
        advance(write, WriteState.SENT, WriteState.PLANNED, _same_attempt(write))
    else:
        raise Unavailable("an earlier attempt may still be on its way")


def is_under_way(write: Write | None, settled_after: timedelta) -> bool:
    """Return whether `write` was sent, its answer is lost, and it may still arrive."""
    return write is not None and write.state == WriteState.SENT and not is_past(write, settled_after)


def _same_attempt(write: Write) -> Q:
    return Q(sent_at=write.sent_at)


def _done(write: Write, made: Made | None) -> None:
    if made:
        made.keep(write)
    else:
        advance(write, WriteState.SENT, WriteState.DONE)
