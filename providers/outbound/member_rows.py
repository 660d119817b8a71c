"""What all processes know about the reads of a member: one row each, by a digest of program and member.

A row has the number of writes to the member, and what was read since the last one: facts for a day, and the
vendor's answers, sealed, for a minute at most. While the database fails, each process knows only its own
reads.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog
from django.db import DatabaseError, connection
from django.db.models import F

from providers import clock
from providers.errors import AuthFailed
from providers.models import MemberChange
from providers.retention import delete_in_steps
from providers.sealing import seal, unseal

log = structlog.get_logger(__name__)

KEPT_FOR = timedelta(days=1)
READS_KEPT_FOR = timedelta(minutes=1)
# Counts a change in the row, or makes the row.
_COUNT = """
INSERT INTO providers_memberchange (digest, number, facts, reads, changed_at) VALUES (%s, 1, '', '', %s)
ON CONFLICT (digest) DO UPDATE SET
number = providers_memberchange.number + 1, reads = '', changed_at = excluded.changed_at
"""
LONGEST_READS = 64 * 1024  # a member with a longer history is read by each process


class Read(NamedTuple):
    """A vendor's answer to the call that `key` names, read `at` (seconds since 1970)."""

    key: tuple[str, ...]
    at: float
    status: int
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRow:
    """`facts` by their names, each with the time when it was read (seconds since 1970). `reads_at` tells one
    set of reads from the next, None for none."""

    number: int = 0
    facts: dict[str, tuple[float, Any]] = field(default_factory=dict)
    sealed_reads: str = ""
    reads_at: datetime | None = None

    def reads(self) -> tuple[Read, ...]:
        """Return what other processes have read of the member in the last seconds."""
        try:
            text = unseal(self.sealed_reads)
        except AuthFailed:  # a process with other keys
            return ()
        return tuple(Read(tuple(key), *rest) for key, *rest in json.loads(text)) if text else ()


def load(program: str, member: str) -> MemberRow | None:
    """Return the member's row, an empty one where there is none; None without a database. One statement."""
    try:
        row = _select("number, facts, reads, reads_at", program, member)
    except DatabaseError as error:
        log.warning("reads_not_shared", error=type(error).__name__)
        return None
    if row is None:
        return MemberRow()
    number, facts, reads, reads_at = row
    return MemberRow(
        number=number,
        facts=json.loads(facts) if facts else {},
        sealed_reads=reads,
        reads_at=_time(reads_at) if reads else None,
    )


def note_change(program: str, member: str) -> None:
    """Count a write to the member, and forget the answers that were read before it."""
    try:
        with connection.cursor() as cursor:
            now = connection.ops.adapt_datetimefield_value(clock.now())
            cursor.execute(_COUNT, [_digest(program, member), now])
    except DatabaseError as error:
        # Reads are shared for seconds only, and the vendor judges each spend itself.
        log.warning("change_not_noted", error=type(error).__name__)


def change_of(program: str, member: str) -> str:
    """Return a name of the member's last change, the same until the next one; "" for none within a day.
    Raises DatabaseError."""
    found = _select("number, changed_at", program, member)
    return f"{found[0]} {found[1]}" if found and found[0] else ""


def forget_facts(program: str, member: str) -> None:
    """Forget the facts about the member."""
    try:
        MemberChange.objects.filter(digest=_digest(program, member)).update(facts="")
    except DatabaseError as error:
        log.warning("facts_not_forgotten", error=type(error).__name__)


def erase(program: str, member: str) -> None:
    """Delete what is kept of the member. The number stays for a day: other processes stop sharing by it.
    Raises DatabaseError."""
    rows = MemberChange.objects.filter(digest=_digest(program, member))
    nothing = {"facts": "", "reads": "", "reads_at": None}
    rows.update(number=F("number") + 1, changed_at=clock.now(), **nothing)


def keep(
    program: str, member: str, row: MemberRow, *, has_facts: bool, reads: Sequence[Read]
) -> datetime | None:
    """Store what was read of the member, unless they were written to since the number of `row`: its facts
    where it `has_facts`, and `reads`, sealed, for the other processes. Returns their `reads_at`, None
    without."""
    digest, now = _digest(program, member), clock.now()
    columns: dict[str, Any] = {"kept_at": now}
    if has_facts:
        columns["facts"] = json.dumps(row.facts)
    if reads and len(text := json.dumps(reads)) <= LONGEST_READS:
        columns |= {"reads": seal(text), "reads_at": now}
    try:
        rows = MemberChange.objects.filter(digest=digest, number=row.number)
        if len(columns) > 1 and not rows.update(**columns) and not row.number:
            MemberChange.objects.bulk_create([MemberChange(digest=digest, **columns)], ignore_conflicts=True)
    except DatabaseError as error:
        log.warning("reads_not_kept", error=type(error).__name__)
    return columns.get("reads_at")


def forget_reads() -> None:
    """Delete the answers that are too old for every page and tap. May be repeated."""
    rows = MemberChange.objects.filter(reads_at__lt=clock.now() - READS_KEPT_FOR)
    rows.update(reads="", reads_at=None)


def forget_old() -> int:
    """Delete rows of more than a day ago: no read is shared for so long. Returns how many. May be
    repeated."""
    since = clock.now() - KEPT_FOR
    return delete_in_steps(MemberChange.objects.filter(changed_at__lt=since).exclude(kept_at__gte=since))


def _select(columns: str, program: str, member: str) -> Any:
    """Return the columns of the member's row, None without one. The ORM takes longer than the database."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns} FROM providers_memberchange WHERE digest = %s",  # noqa: S608 - names of ours
            [_digest(program, member)],
        )
        return cursor.fetchone()


def _time(stored: Any) -> datetime:
    """Return a time as the ORM does: SQLite has it as text in UTC."""
    return datetime.fromisoformat(f"{stored}+00:00") if isinstance(stored, str) else stored


def _digest(program: str, member: str) -> str:
    return hashlib.sha256(f"{program}\0{member}".encode()).hexdigest()
