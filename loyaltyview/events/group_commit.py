"""Many deliveries at once, few commits: whoever gets to write, writes for all who wait.

Every caller returns only after its own row is committed. On SQLite with synchronous=FULL one commit for each
delivery costs a flush of the disk each, and the threads wait for one another's lock besides.
"""

import threading
from dataclasses import dataclass, field

from loyaltyview.events.models import Event

# More than that in one commit only makes the first of them wait.
MOST = 200


class NotStored(Exception):
    """The commit that should have held this event failed; the thread that made it has the cause."""


@dataclass(slots=True)
class _Ticket:
    event: Event
    settled: threading.Event = field(default_factory=threading.Event)
    is_stored: bool = False
    # Set when the thread that wrote before hands the writing over to this one.
    must_write: bool = False


class GroupCommit:
    """One per process. Threads that arrive during a commit are written together by the next."""

    def __init__(self) -> None:
        self._gate = threading.Lock()
        self._tickets: list[_Ticket] = []
        self._is_writing = False

    def store(self, event: Event) -> None:
        """Commit `event`, unless its delivery is stored already. Raises django.db.Error or NotStored:
        then nothing was stored. May be repeated."""
        ticket = _Ticket(event)
        with self._gate:
            self._tickets.append(ticket)
            ticket.must_write, self._is_writing = not self._is_writing, True
        if not ticket.must_write:
            ticket.settled.wait()
        if ticket.must_write:
            self._write()
        if not ticket.is_stored:
            raise NotStored

    def _write(self) -> None:
        """Write what has gathered, this thread's own ticket among it, and hand over to the next."""
        with self._gate:
            batch, self._tickets = self._tickets[:MOST], self._tickets[MOST:]
        try:
            Event.objects.bulk_create([ticket.event for ticket in batch], ignore_conflicts=True)
            for ticket in batch:
                ticket.is_stored = True
        finally:
            with self._gate:
                following = self._tickets[0] if self._tickets else None
                self._is_writing = following is not None
                if following:
                    following.must_write = True
            for ticket in batch:
                ticket.settled.set()
            if following:
                following.settled.set()
