"""Deleting rows whose time is over, a few at a time."""

from typing import Any

from django.db.models import QuerySet

STEP = 1000  # short transactions: pages and worker write the same tables meanwhile


def delete_in_steps(rows: "QuerySet[Any]") -> int:
    """Delete `rows` and return how many. Each is looked at again when it goes: what has changed meanwhile
    stays."""
    count = 0
    while pks := list(rows.order_by().values_list("pk", flat=True)[:STEP]):
        count += rows.filter(pk__in=pks).delete()[0]
    return count
