"""Erasing a member who asks for it: each app takes them out of its own tables (`add_eraser` in its
`AppConfig.ready`), the vendor's adapter and the journal out of theirs.

Data that only identifies the member is deleted. Ledgers and audit trails are kept under one random pseudonym,
so that they add up and do not identify the member. One transaction does all or nothing; a dry run rolls it
back.
"""

import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from loyaltyview.programs.models import Erasure, Program
from providers import merged
from providers.errors import ProviderError, Rejected
from providers.journal import retention as journal
from providers.outbound import sharing

log = structlog.get_logger(__name__)

PSEUDONYM = "ERASED-"  # no vendor's ref begins like this


@dataclass(slots=True, kw_only=True)
class Person:
    """The member to erase: the vendor's `ref`, and what finds the member where the ref is not known.
    `contacts` are e-mails in lower case and phones in E.164, `profile_ids` NewStore's, `member_ids` stand on
    the card."""

    program: Program
    ref: str
    pseudonym: str
    contacts: set[str] = field(default_factory=set)
    profile_ids: set[str] = field(default_factory=set)
    member_ids: set[str] = field(default_factory=set)
    order_ids: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class Eraser:
    """One app's part. `find` adds to the person what the app knows of them. `blockers` are sentences that say
    what must be done first. `erase` returns how many rows of each kind it changed. All are database only."""

    erase: Callable[[Person], dict[str, int]]
    find: Callable[[Person], None]
    blockers: Callable[[Person], Iterable[str]]


# In the order of INSTALLED_APPS: later erasers use what earlier ones found.
erasers: dict[str, Eraser] = {}


class CannotErase(Exception):
    """Nothing was erased. `problems` are sentences that say what to do first."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def add_eraser(
    app: str,
    *,
    erase: Callable[[Person], dict[str, int]],
    find: Callable[[Person], None] = lambda person: None,
    blockers: Callable[[Person], Iterable[str]] = lambda person: (),
) -> None:
    """Let an erasure remove the member from this app's tables."""
    erasers[app] = Eraser(erase=erase, find=find, blockers=blockers)


def is_pseudonym(ref: str) -> bool:
    """Whether `ref` is the pseudonym of an erased member: the vendor has no such member."""
    return ref.startswith(PSEUDONYM)


def erase_member(program: Program, ref: str, *, actor: str, is_dry_run: bool) -> Erasure:
    """Erase the member, or only count: then nothing is stored, and the pseudonym is not used. Asks the vendor
    once for the member's data and changes nothing there: the vendor erases its own data itself.
    Raises CannotErase."""
    person = Person(program=program, ref=ref, pseudonym=f"{PSEUDONYM}{secrets.token_hex(12).upper()}")
    _ask_vendor(person)
    with transaction.atomic():
        for former in program.provider().former_refs(person.ref):
            merged.tell(program.slug, former, person.ref)
            person.member_ids.add(former)
        for eraser in erasers.values():
            eraser.find(person)
        problems = [problem for eraser in erasers.values() for problem in eraser.blockers(person)]
        if problems:
            raise CannotErase(problems)
        counts = _erase(person)
        if not any(counts.values()):
            raise CannotErase([_("Nothing is kept about this member.")])
        erasure = Erasure(program=program, actor=actor, pseudonym=person.pseudonym, counts=counts)
        if is_dry_run:
            transaction.set_rollback(True)
        else:
            erasure.save(force_insert=True)
    if not is_dry_run:
        log.info("member_erased", program=program.slug, pseudonym=person.pseudonym)
    return erasure


def _ask_vendor(person: Person) -> None:
    # The vendor may be unavailable or may have deleted the member: then the ref is enough.
    with suppress(ProviderError):
        member = person.program.provider().get_member(person.ref)
        person.contacts |= {text for text in (member.email.lower(), member.phone) if text}
        person.member_ids |= {member.member_id} - {""}
        # The number of a merged card: the member that it stands for is erased, with every card.
        person.ref = member.ref


def _erase(person: Person) -> dict[str, int]:
    counts: dict[str, int] = {}
    for ref in {person.ref, *person.member_ids}:
        sharing.erase(person.program.slug, ref)
    for eraser in erasers.values():
        counts |= eraser.erase(person)
    try:
        provider = person.program.provider()
        counts["rows of the provider"] = provider.erase_member(
            person.ref, person.pseudonym
        ) + journal.erase_member(provider.kind, person.program.slug, [person.ref], person.pseudonym)
    except Rejected as error:
        text = _("The provider's own rows: %(detail)s. Wait, or finish it first.")
        raise CannotErase([text % {"detail": error.detail}]) from error
    return counts
