"""Deleting expired rows, a few at a time."""

import time
from typing import Any

from django.db import connections
from django.db.models import QuerySet

STEP = 100  # short transactions: pages and worker write the same tables meanwhile
# SQLite has one writer at a time, and who waits for it looks again after up to a tenth of a second.
PAUSE_S = 0.05


def delete_in_steps(rows: "QuerySet[Any]") -> int:
    """Delete `rows` and return how many. Each row is checked again when it is deleted: a row that has changed
    meanwhile is kept."""
    count = 0
    while pks := list(rows.order_by().values_list("pk", flat=True)[:STEP]):
        count += rows.filter(pk__in=pks).delete()[0]
        if len(pks) == STEP and connections[rows.db].vendor == "sqlite":
            time.sleep(PAUSE_S)
    return count
