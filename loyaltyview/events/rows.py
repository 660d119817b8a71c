"""New rows of the inbox, many in one statement.

`bulk_create` does the same and takes five times as long, most of it to translate values that are known here:
measured by `tests/load/ingest.py`, where it was a third of everything.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from loyaltyview.events.models import Event


class NewEvent(NamedTuple):
    """A row of `Event` that nobody has worked on. The names are those of its columns, `source` is a value of
    EventSource and `state` of EventState."""

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


def insert(events: Sequence[NewEvent]) -> None:
    """Insert and commit `events`, at least one, all or none; those whose delivery is stored already are left
    out. Raises django.db.Error. May be repeated."""
    table = connection.ops.quote_name(Event._meta.db_table)
    one = f"({', '.join(['%s'] * len(NewEvent._fields))})"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(NewEvent._fields)})"  # noqa: S608 - names of ours
            f" VALUES {', '.join([one] * len(events))} ON CONFLICT DO NOTHING",
            [_value(value) for event in events for value in event],
        )


def _value(value: Any) -> Any:
    """Return a value as the database's driver takes it."""
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return json.dumps(value) if isinstance(value, dict) else value
