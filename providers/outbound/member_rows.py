"""What all processes know about the reads of a member: one row each, by a digest of program and member.

A row has the number of writes to the member, and what was read since the last one. Rows live for a day.
While the database fails, each process knows only its own reads.
"""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from django.db import DatabaseError
from django.db.models import F

from providers import clock
from providers.models import MemberChange
from providers.retention import delete_in_steps

log = structlog.get_logger(__name__)

KEPT_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRow:
    """`facts` by their names, each with the time when it was read (seconds since 1970)."""

    number: int = 0
    facts: dict[str, tuple[float, Any]] = field(default_factory=dict)


def load(program: str, member: str) -> MemberRow | None:
    """Return the member's row, an empty one where there is none; None without a database. One statement."""
    try:
        rows = MemberChange.objects.filter(digest=_digest(program, member))
        row = rows.values_list("number", "facts").first()
    except DatabaseError as error:
        log.warning("reads_not_shared", error=type(error).__name__)
        return None
    if row is None:
        return MemberRow()
    return MemberRow(number=row[0], facts=json.loads(row[1]) if row[1] else {})


def note_change(program: str, member: str) -> None:
    """Count a write to the member, and forget what was read before it."""
    digest = _digest(program, member)
    try:
        rows = MemberChange.objects.filter(digest=digest)
        change = {"number": F("number") + 1, "facts": "", "changed_at": clock.now()}
        if not rows.update(**change):
            _row, is_new = MemberChange.objects.get_or_create(digest=digest, defaults={"number": 1})
            if not is_new:  # another process has just made it
                rows.update(**change)
    except DatabaseError as error:
        # Reads are shared for seconds only, and the vendor judges each spend itself.
        log.warning("change_not_noted", error=type(error).__name__)


def keep_facts(program: str, member: str, row: MemberRow) -> None:
    """Store the facts of `row`, unless the member was written to meanwhile."""
    digest, text = _digest(program, member), json.dumps(row.facts)
    try:
        rows = MemberChange.objects.filter(digest=digest, number=row.number)
        if not rows.update(facts=text, changed_at=clock.now()) and not row.number:
            MemberChange.objects.bulk_create([MemberChange(digest=digest, facts=text)], ignore_conflicts=True)
    except DatabaseError as error:
        log.warning("facts_not_kept", error=type(error).__name__)


def forget_old() -> int:
    """Delete rows of more than a day ago: no read is shared for so long. Returns how many. May be
    repeated."""
    return delete_in_steps(MemberChange.objects.filter(changed_at__lt=clock.now() - KEPT_FOR))


def _digest(program: str, member: str) -> str:
    return hashlib.sha256(f"{program}\0{member}".encode()).hexdigest()
