"""Customers who are enrolled with the order that they pay: what they said waits here, encrypted.

Only for a cart with a customer of NewStore, whose profile the order names, and for a program that takes new
members with an order (docs/decisions/0042-a-newcomer-waits-for-the-order.md).
"""

import json
from dataclasses import asdict
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from loyaltyview.newstore.profile_links import link_profile
from loyaltyview.programs.models import Program
from loyaltyview.programs.newcomers import Newcomer
from loyaltyview.webview.consent_trail import close_lines, write_lines
from loyaltyview.webview.models import ConsentChange, ConsentResult, ConsentWay, Launch, WaitingNewcomer
from loyaltyview.webview.sessions import customer_key
from loyaltyview.work import clock
from providers.base import Capability, LoyaltyProvider
from providers.retention import STEP
from providers.types import Consent, Consents, Member, MemberProfile


def may_wait(launch: Launch, provider: LoyaltyProvider) -> bool:
    """Return whether a new customer of this launch can be enrolled with their order."""
    takes = Capability.ENROL_WITH_ORDER in provider.capabilities
    return takes and launch.is_verified and launch.has_cart and bool(launch.profile_id)


def is_waiting(launch: Launch) -> bool:
    """Return whether the launch's customer waits for their order."""
    return _rows(launch.program, launch.profile_id).exists()


def keep(launch: Launch, profile: MemberProfile, consents: Consents) -> None:
    """Keep what the customer said until their order is paid. What they said before is replaced."""
    said = {
        "profile": {name: value for name, value in asdict(profile).items() if isinstance(value, str)},
        "consents": {"email": consents.email.value, "sms": consents.sms.value},
    }
    with transaction.atomic():
        _end(_rows(launch.program, launch.profile_id))
        lines = write_lines(launch, consents, way=ConsentWay.ENROLMENT, result=ConsentResult.WAITS)
        WaitingNewcomer.objects.create(
            program=launch.program,
            profile_id=launch.profile_id,
            customer_key=customer_key(launch.program, profile.email or launch.customer_email),
            said=json.dumps(said),
            consent_lines=[line.pk for line in lines],
            kept_at=clock.now(),
        )


def forget(launch: Launch) -> None:
    """Delete what the launch's customer said: they do not want to be enrolled after all."""
    with transaction.atomic():
        _end(_rows(launch.program, launch.profile_id))


def find(program: Program, profile_id: str) -> Newcomer | None:
    """Return the customer with this profile who waits, None for nobody. They are kept as long as their order
    is tried again."""
    row = _rows(program, profile_id).first() if profile_id else None
    if row is None:
        return None
    _rows(program, profile_id).update(kept_at=clock.now())
    said = json.loads(row.said)
    profile = MemberProfile(**said["profile"])
    return Newcomer(
        profile=profile,
        consents=Consents(email=Consent(said["consents"]["email"]), sms=Consent(said["consents"]["sms"])),
        done=lambda member: _done(row, profile, member),
    )


def purge_newcomers(before: datetime) -> int:
    """Delete customers who said it before that time and paid no order; return how many. May be repeated."""
    old, count = WaitingNewcomer.objects.filter(kept_at__lt=before), 0
    while pks := list(old.values_list("pk", flat=True)[:STEP]):
        count += _end(old.filter(pk__in=pks))
    return count


def _end(rows: "QuerySet[WaitingNewcomer]") -> int:
    """Delete what nobody waits for any more: its answers never reached the program."""
    lines = [line for row in rows for line in row.consent_lines]
    waiting = ConsentChange.objects.filter(pk__in=lines, result=ConsentResult.WAITS)
    waiting.update(result=ConsentResult.NOT_SENT)
    return rows.delete()[0]


def _done(row: WaitingNewcomer, profile: MemberProfile, member: Member) -> None:
    """They are a member: close the trail, forget what they said, and have their number written into
    NewStore's profile."""
    with transaction.atomic():
        close_lines(ConsentChange.objects.filter(pk__in=row.consent_lines), member)
        WaitingNewcomer.objects.filter(pk=row.pk).delete()
        link_profile(
            row.program,
            member_id=member.member_id,
            profile_id=row.profile_id,
            contact=profile.email or profile.phone,
            may_replace=True,
        )


def _rows(program: Program, profile_id: str) -> "QuerySet[WaitingNewcomer]":
    return WaitingNewcomer.objects.filter(program=program, profile_id=profile_id)
