"""What is deleted: old launches, and on erasure the member's. The trail of consents is kept under a pseudonym
(`programs.erasure`)."""

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from loyaltyview.programs.erasure import Person
from loyaltyview.webview.models import ConsentChange, Launch, MemberSnapshot, PinAttempts, WaitingNewcomer
from loyaltyview.webview.sessions import customer_key
from loyaltyview.work import clock
from providers.retention import delete_in_steps


def find(person: Person) -> None:
    """Add contacts and ids from the launches in which the member was the cart's own customer."""
    for launch in Launch.objects.filter(program=person.program, member_ref=person.ref, is_customer=True):
        person.contacts |= {launch.customer_email.lower()} - {""}
        person.profile_ids |= {launch.profile_id} - {""}
        person.member_ids |= {launch.loyalty_id} - {""}


def blockers(person: Person) -> Iterator[str]:
    """Yield why the erasure has to wait: an open page would store the member again."""
    if count := _launches_of(person).filter(expires_at__gt=clock.now()).count():
        text = _(
            "Open pages about this member: %(count)d. Wait until they expire, %(minutes)d minutes at most."
        )
        yield text % {"count": count, "minutes": settings.LAUNCH_MINUTES}


def erase(person: Person) -> dict[str, int]:
    """Delete the member's launches and put a pseudonym into the trail; returns how many rows of each."""
    launches, _rows = _launches_of(person).delete()
    for model in (PinAttempts, MemberSnapshot):
        model.objects.filter(program=person.program, member_ref=person.ref).delete()
    keys = [customer_key(person.program, contact) for contact in person.contacts]
    WaitingNewcomer.objects.filter(
        Q(profile_id__in=person.profile_ids) | Q(customer_key__in=keys), program=person.program
    ).delete()
    changes = ConsentChange.objects.filter(program=person.program, member_ref=person.ref)
    return {"launches": launches, "changes of consents": changes.update(member_ref=person.pseudonym)}


def _launches_of(person: Person) -> QuerySet[Launch]:
    keys = [customer_key(person.program, contact) for contact in person.contacts]
    return Launch.objects.filter(
        Q(member_ref=person.ref) | Q(customer_key__in=keys) | Q(profile_id__in=person.profile_ids),
        program=person.program,
    )


def purge_launches(before: datetime) -> int:
    """Delete launches that began before that time; returns how many. May be repeated."""
    return delete_in_steps(Launch.objects.filter(created_at__lt=before))


def purge_pin_attempts(before: datetime) -> int:
    """Delete the counts of PINs whose last attempt was before that time; return how many. May be repeated."""
    return delete_in_steps(PinAttempts.objects.filter(last_at__lt=before))
