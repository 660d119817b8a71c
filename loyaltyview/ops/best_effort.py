"""Writes that a page can do without: a full disk or a read-only database must not take the page away."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import structlog
from django.db import DatabaseError, connection, transaction

log = structlog.get_logger(__name__)


@contextmanager
def best_effort(what: str) -> Iterator[None]:
    """Log what the database refuses in this block, and go on."""
    try:
        # Within a transaction the rest of it must stay usable.
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            yield
    except DatabaseError as error:
        log.warning("write_left_out", what=what, error=type(error).__name__)
