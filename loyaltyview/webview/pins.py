"""The customer's PIN: read from the form, counted, and kept nowhere.

An attempt is counted before the vendor is asked, so that two tills cannot try more together than one. It is
given back where the vendor did not call the PIN wrong. The count is in the database: neither a restart nor
another launch begins it again.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import timedelta
from hashlib import sha256

from django.db.models import F, QuerySet
from django.http import QueryDict

from loyaltyview.redemptions.refusals import Refusal
from loyaltyview.webview.models import Launch, PinAttempts
from loyaltyview.webview.problems import Problem
from loyaltyview.webview.taps import Tap
from loyaltyview.work import clock

FIELD = "pin"
PIN = re.compile(r"[0-9]{4}")
MOST_ATTEMPTS = 3
CLOSED_FOR = timedelta(hours=1)


def is_about_pin(problem: Problem) -> bool:
    """Return whether the customer is to type the PIN, for the first time or again."""
    return problem.code in (Refusal.PIN_NEEDED, Refusal.PIN_WRONG, Refusal.PIN_UNREADABLE)


def read_pin(form: QueryDict) -> str:
    """Return the PIN of the form, "" for a form without the field. Raises Problem for what is no PIN."""
    text = form.get(FIELD)
    if text is None:
        return ""
    typed = "".join(str(unicodedata.decimal(sign, sign)) for sign in text if not sign.isspace())
    if not PIN.fullmatch(typed):
        raise Problem(Refusal.PIN_UNREADABLE)
    return typed


def left_for(launch: Launch) -> int:
    """Return how many attempts the member has left."""
    row = _row_of(launch).first()
    return max(0, MOST_ATTEMPTS - row.count) if row else MOST_ATTEMPTS


def name_of(taps: Iterable[Tap]) -> str:
    """Return the name of the attempt to make these taps. The form's key alone would let other items try
    another PIN in the same attempt."""
    parts = sorted(f"{tap.key}|{tap.kind}|{tap.item_id}|{tap.points}" for tap in taps)
    return sha256("\n".join(parts).encode()).hexdigest()


def begin(launch: Launch, name: str) -> bool:
    """Count the attempt of this name, once. Returns whether this call counted it: only then it may be given
    back. Raises Problem(PIN_CLOSED) where none is left."""
    now = clock.now()
    PinAttempts.objects.get_or_create(
        program=launch.program, member_ref=launch.member_ref, defaults={"last_at": now}
    )
    rows = PinAttempts.objects.filter(program=launch.program, member_ref=launch.member_ref)
    old = rows.filter(last_at__lt=now - _closed_for())
    if old.update(count=1, last_key=name, last_at=now):
        return True
    fresh = rows.filter(count__lt=MOST_ATTEMPTS).exclude(last_key=name)
    if fresh.update(count=F("count") + 1, last_key=name, last_at=now):
        return True
    if not _is_repeated(launch, name):
        raise Problem(Refusal.PIN_CLOSED)
    return False


def give_back(launch: Launch, name: str) -> None:
    """Take the attempt of this name out of the count: its PIN was not wrong. Earlier ones stay counted, since
    a spend that needs no PIN would otherwise begin the count again."""
    _row_of(launch).filter(last_key=name, count__gt=0).update(count=F("count") - 1, last_key="")


def _row_of(launch: Launch) -> "QuerySet[PinAttempts]":
    return PinAttempts.objects.filter(
        program=launch.program, member_ref=launch.member_ref, last_at__gte=clock.now() - _closed_for()
    )


def _is_repeated(launch: Launch, name: str) -> bool:
    return _row_of(launch).filter(last_key=name).exists()


def _closed_for() -> timedelta:
    """Return for how long attempts count: no page that was open then is open afterwards."""
    return max(CLOSED_FOR, Launch.lifetime())
