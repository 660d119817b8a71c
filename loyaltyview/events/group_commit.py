"""New rows of the inbox: many deliveries at once, few commits. One thread commits for all waiting threads.

Each caller returns only after its own row is committed. On SQLite with synchronous=FULL a commit for each
delivery costs a flush of the disk each, and the threads also wait for one another's lock
(docs/decisions/0022).
"""

import json
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

from django.db import connection

from loyaltyview.events.models import Event
from loyaltyview.work.plain_sql import insert_values

Row = TypeVar("Row")

# More rows in one commit only make the first of them wait.
MOST = 200


class NotStored(Exception):
    """The commit with this row failed; the thread that made the commit raised the cause."""


class _Ticket(Generic[Row]):
    """One row whose thread waits. `settled` is locked until the outcome is known: a plain lock is the
    cheapest way for a thread to wait once."""

    __slots__ = ("is_stored", "must_write", "row", "settled")

    def __init__(self, row: Row) -> None:
        self.row = row
        self.settled = threading.Lock()
        self.settled.acquire()
        self.is_stored = False
        # Set when the thread that wrote before hands the writing to this one.
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
        """Write the tickets that wait, this thread's own among them, then let the next thread write."""
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


class NewEvent(NamedTuple):
    """A new row of `Event`. The names are those of its columns, `source` is a value of EventSource and
    `state` of EventState."""

    program_id: int
    source: str
    name: str
    dedupe_key: str
    subject: str
    state: str
    payload: bytes
    headers: dict[str, str]
    received_at: datetime
    published_at: datetime | None
    due_at: datetime | None
    last_error: str
    attempts: int = 0


def insert_events(events: Sequence[NewEvent]) -> None:
    """Insert and commit `events`, at least one, all or none; those whose delivery is stored already are left
    out. Raises django.db.Error. May be repeated.

    `bulk_create` does the same and takes five times as long, most of it to translate values that are known
    here: measured by `tests/load/ingest.py`, where it was a third of everything."""
    values = [[_value(value) for value in event] for event in events]
    insert_values(Event, NewEvent._fields, values, may_be_there=True)


def _value(value: Any) -> Any:
    """Return a value as the database's driver takes it."""
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return json.dumps(value) if isinstance(value, dict) else value


event_writer = GroupCommit(insert_events)
