"""Claim a due row, keep it, release it: conditional UPDATEs whose count is checked.

Correct on SQLite (one writer at a time) and on PostgreSQL (READ COMMITTED). There, a second UPDATE of the
same row waits for the first, checks its WHERE again, and finds the row taken.
"""

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import F, Q

from loyaltyview.work import clock
from loyaltyview.work.models import WorkRow
from loyaltyview.work.plain_sql import update
from loyaltyview.work.slots import claim_in_slot

Row = TypeVar("Row", bound=WorkRow)

FIRST_DELAY_S = 2
LONGEST_DELAY_S = 3600
# `claim` tries so many due rows before it returns None: other workers may take some of them first.
CANDIDATES = 20
# The most rows of one claim. Those of a killed worker wait until their lease has expired.
BATCH = 20
# How often a batch is looked for again when other workers took all rows that it could have.
TRIES = 3


def due(rows: models.QuerySet[Row], now: datetime | None = None) -> models.QuerySet[Row]:
    """Return those of `rows` that are due and have no lease, longest waiting first."""
    now = now or clock.now()
    return rows.filter(Q(lease_until=None) | Q(lease_until__lt=now), due_at__lte=now).order_by("due_at", "pk")


def claim(rows: models.QuerySet[Row], lease_s: int | None = None) -> Row | None:
    """Take one due row of `rows` for `lease_s` seconds (default: WORK_LEASE_S) and return it, or None.

    `attempts` is raised by one. A row whose lease a constraint forbids (another event of the same order has
    one) is passed over, and so is a row of a program that has its share of our slots.
    """
    return next(iter(claim_in_slot(rows, lambda open_rows: _claim(open_rows, lease_s))), None)


def claim_batch(rows: models.QuerySet[Row], most_of: Callable[[int], int]) -> list[Row]:
    """Take due rows of the program whose row waits longest, for WORK_LEASE_S seconds, longest waiting first.
    `most_of` says how many at most, given the program's key; a row that was tried before is taken alone. No
    two of `rows` that are due may exclude each other by a constraint; where the database refuses the batch
    all the same, one row is taken as by `claim`.
    """
    return claim_in_slot(rows, lambda open_rows: _claim_batch(open_rows, most_of))


def _claim_batch(rows: models.QuerySet[Row], most_of: Callable[[int], int]) -> list[Row]:
    for _ in range(TRIES):
        now = clock.now()
        # Of all programs, so that the index of due rows answers; more than a batch, since other workers are
        # claiming the first of them.
        waiting = list(due(rows, now).values_list("pk", "program_id", "attempts")[: CANDIDATES * 4])
        if not waiting:
            return []
        _pk, program, attempts = waiting[0]
        # A row that was tried before may end the worker again, and counts no attempt of others.
        was_tried = attempts > 0
        pks = [pk for pk, of, tries in waiting if (of, tries > 0) == (program, was_tried)]
        most = 1 if was_tried else most_of(program)
        try:
            if claimed := _lease(due(rows.filter(pk__in=pks), now), now, most):
                return claimed
        except IntegrityError:
            return _claim(rows, None)
    return []


def _lease(rows: models.QuerySet[Row], now: datetime, most: int) -> list[Row]:
    """Lease up to `most` of `rows`, without those that another worker is claiming (SQLite has one writer at
    a time)."""
    until = now + timedelta(seconds=settings.WORK_LEASE_S)
    with transaction.atomic():
        claimed = list(rows.select_for_update(skip_locked=True)[:most])
        rows.model._default_manager.filter(pk__in=[row.pk for row in claimed]).update(
            lease_until=until, attempts=F("attempts") + 1
        )
    for row in claimed:
        row.lease_until, row.attempts = until, row.attempts + 1
    return claimed


def hand_back(rows: Sequence[WorkRow]) -> None:
    """Release rows of a batch that were not tried: they are due as before, with the same attempts. Rows whose
    lease was lost are left alone."""
    if rows:
        ours = type(rows[0])._default_manager.filter(
            pk__in=[row.pk for row in rows], lease_until=rows[0].lease_until
        )
        ours.update(lease_until=None, attempts=F("attempts") - 1)


def _claim(rows: models.QuerySet[Row], lease_s: int | None) -> list[Row]:
    now = clock.now()
    until = now + timedelta(seconds=lease_s or settings.WORK_LEASE_S)
    for pk in due(rows, now).values_list("pk", flat=True)[:CANDIDATES]:
        try:
            with transaction.atomic():
                taken = (
                    due(rows.filter(pk=pk), now)
                    .order_by()
                    .update(lease_until=until, attempts=F("attempts") + 1)
                )
                # The lease is our receipt: finish and postpone change the row only while it has this lease.
                # Read before the commit: afterwards it could be another worker's lease.
                row = rows.model._default_manager.get(pk=pk) if taken else None
        except IntegrityError:
            continue
        if row:
            return [row]
    return []


def finish(row: WorkRow, due_at: datetime | None = None, **changes: Any) -> bool:
    """Release `row` as done (or due again at `due_at`), and write `changes` to its other columns in the same
    UPDATE. Return False, with nothing written, when the lease was lost."""
    return _release(row, **{"due_at": due_at, "attempts": 0, "last_error": ""} | changes)


def postpone(row: WorkRow, error: str, delay_s: float | None = None) -> bool:
    """Release `row` and make it due again after a back-off that doubles with each attempt, with jitter.
    Return False when the lease was lost."""
    delay = timedelta(seconds=delay_s if delay_s is not None else backoff_s(row.attempts))
    return _release(row, due_at=clock.now() + delay, last_error=error[:500])


def give_up(row: WorkRow, error: str, **changes: Any) -> bool:
    """Release `row` for good: it is not due again until somebody makes it due. `attempts` and `error` stay
    for the person who looks at it. Return False when the lease was lost."""
    return _release(row, due_at=None, last_error=error[:500], **changes)


def backoff_s(attempts: int) -> float:
    """Return seconds to wait after the given number of attempts: 2, 4, 8 ... 3600, plus up to 10 %."""
    delay: int = min(FIRST_DELAY_S * 2 ** min(max(attempts - 1, 0), 20), LONGEST_DELAY_S)
    return delay * (1 + random.random() / 10)  # noqa: S311 - jitter, not a secret


def _release(row: WorkRow, **changes: Any) -> bool:
    if row.lease_until is None:
        return False  # to release a row that was never claimed is a mistake of the caller
    ours = {row._meta.pk.name: row.pk, "lease_until": row.lease_until}
    return update(type(row), ours, {"lease_until": None, **changes}) == 1
