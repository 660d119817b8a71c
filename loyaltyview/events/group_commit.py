"""Many deliveries at once, few commits: whoever gets to write, writes for all who wait.

Every caller returns only after its own row is committed. On SQLite with synchronous=FULL one commit for each
delivery costs a flush of the disk each, and the threads wait for one another's lock besides.
"""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Row = TypeVar("Row")

# More than that in one commit only makes the first of them wait.
MOST = 200


class NotStored(Exception):
    """The commit that should have held this row failed; the thread that made it has the cause."""


class _Ticket(Generic[Row]):
    """One row whose thread waits. `settled` is held until its lot is known: a bare lock is the cheapest way
    for a thread to wait once."""

    __slots__ = ("is_stored", "must_write", "row", "settled")

    def __init__(self, row: Row) -> None:
        self.row = row
        self.settled = threading.Lock()
        self.settled.acquire()
        self.is_stored = False
        # Set when the thread that wrote before hands the writing over to this one.
        self.must_write = False


class GroupCommit(Generic[Row]):
    """One per process. Threads that arrive during a commit are written together by the next.
    `write` commits a list of rows, all or none, and raises when it did not."""

    def __init__(self, write: Callable[[list[Row]], None]) -> None:
        self._commit = write
        self._gate = threading.Lock()
        self._tickets: list[_Ticket[Row]] = []
        self._is_writing = False

    def store(self, row: Row) -> None:
        """Commit `row`. Raises what `write` raised, or NotStored: then nothing was stored. May be repeated
        when `write` may."""
        ticket = _Ticket(row)
        with self._gate:
            self._tickets.append(ticket)
            ticket.must_write, self._is_writing = not self._is_writing, True
        if not ticket.must_write:
            ticket.settled.acquire()
        if ticket.must_write:
            self._write()
        if not ticket.is_stored:
            raise NotStored

    def _write(self) -> None:
        """Write what has gathered, this thread's own ticket among it, and hand over to the next."""
        with self._gate:
            batch, self._tickets = self._tickets[:MOST], self._tickets[MOST:]
        try:
            self._commit([ticket.row for ticket in batch])
            for ticket in batch:
                ticket.is_stored = True
        finally:
            with self._gate:
                following = self._tickets[0] if self._tickets else None
                self._is_writing = following is not None
                if following:
                    following.must_write = True
            if following:
                following.settled.release()
            for ticket in batch:
                ticket.settled.release()
