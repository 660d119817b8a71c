"""Erasing a member who asks for it: each app takes them out of its own tables (`add_eraser` in its
`AppConfig.ready`), the vendor's adapter and the journal out of theirs.

What only says who they are goes. Ledgers and audit trails stay under a random pseudonym, the same
everywhere, so that they add up and name nobody. All or nothing, in one transaction; a dry run is the same
and rolled back.
"""

import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from loyaltyview.programs.models import Erasure, Program
from providers.errors import ProviderError, Rejected
from providers.journal import retention as journal

log = structlog.get_logger(__name__)

PSEUDONYM = "ERASED-"  # no vendor's ref begins like this


@dataclass(slots=True, kw_only=True)
class Person:
    """Who is to be erased: the vendor's `ref`, and what finds them where that is not known. `contacts` are
    e-mails in lower case and phones in E.164, `profile_ids` NewStore's, `member_ids` stand on the card."""

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


# In the order of INSTALLED_APPS: what one finds, those after it use.
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
    """Have an erasure take the member out of this app's tables."""
    erasers[app] = Eraser(erase=erase, find=find, blockers=blockers)


def is_pseudonym(ref: str) -> bool:
    """Whether `ref` stands for somebody who was erased: the vendor knows nobody by it."""
    return ref.startswith(PSEUDONYM)


def erase_member(program: Program, ref: str, *, actor: str, is_dry_run: bool) -> Erasure:
    """Erase the member, or only count: then the result is not stored and its pseudonym stands nowhere. Asks
    the vendor once who they are, and tells it nothing: what the vendor keeps is the vendor's to erase.
    Raises CannotErase."""
    person = Person(program=program, ref=ref, pseudonym=f"{PSEUDONYM}{secrets.token_hex(12).upper()}")
    _ask_vendor(person)
    with transaction.atomic():
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
    # One that cannot answer or does not know the member any more: then the ref is enough.
    with suppress(ProviderError):
        member = person.program.provider().get_member(person.ref)
        person.contacts |= {text for text in (member.email.lower(), member.phone) if text}
        person.member_ids |= {member.member_id} - {""}


def _erase(person: Person) -> dict[str, int]:
    counts: dict[str, int] = {}
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
