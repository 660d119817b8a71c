"""Deleting expired rows, a few at a time."""

from typing import Any

from django.db.models import QuerySet

STEP = 1000  # short transactions: pages and worker write the same tables meanwhile


def delete_in_steps(rows: "QuerySet[Any]") -> int:
    """Delete `rows` and return how many. Each row is checked again when it is deleted: a row that has changed
    meanwhile is kept."""
    count = 0
    while pks := list(rows.order_by().values_list("pk", flat=True)[:STEP]):
        count += rows.filter(pk__in=pks).delete()[0]
    return count
