"""Erasing a member: we write nothing more about them into NewStore (`programs.erasure`)."""

from loyaltyview.newstore.models import ProfileLink
from loyaltyview.programs.erasure import Person


def erase(person: Person) -> dict[str, int]:
    """Drop the member's loyalty ids that wait to be written. They are few: each is deleted when written."""
    pks = [row.pk for row in ProfileLink.objects.filter(program=person.program) if _is_theirs(row, person)]
    return {"ids on their way into profiles": ProfileLink.objects.filter(pk__in=pks).delete()[0]}


def _is_theirs(row: ProfileLink, person: Person) -> bool:
    return (
        row.member_id in {person.ref, *person.member_ids}
        or row.profile_id in person.profile_ids
        or row.contact.lower() in person.contacts
    )
