"""A member's loyalty id in the NewStore profile: written after the page has answered, read for orders.
Source: docs/contracts/newstore.md 7.

Profiles can be merged or deleted: an id that is gone is looked up once more by e-mail or phone.
"""

import structlog
from django.conf import settings

from loyaltyview.newstore.answers import Profile
from loyaltyview.newstore.client import NewStoreClient
from loyaltyview.newstore.errors import NewStoreError, NewStoreRejected, NewStoreUnavailable
from loyaltyview.newstore.launch import MAX_LOYALTY_ID
from loyaltyview.newstore.models import ProfileLink
from loyaltyview.programs.models import Program
from loyaltyview.work import clock
from loyaltyview.work.claims import backoff_s, claim, postpone
from loyaltyview.work.registry import wake
from providers.texts import pasted

log = structlog.get_logger(__name__)

# A conflict (409) comes from another write and may pass. These refusals would come again.
FINAL_REFUSALS = (400, 404, 410, 422)


def link_profile(
    program: Program, *, member_id: str, profile_id: str, contact: str, may_replace: bool
) -> None:
    """Have the worker write `member_id` into the profile. `contact` is their e-mail or phone (E.164); without
    it and without `profile_id` there is nothing to find the profile by. Database only; may be repeated."""
    if not member_id or not (profile_id or contact):
        return
    ProfileLink.objects.update_or_create(
        program=program,
        member_id=member_id,
        defaults={
            "profile_id": profile_id,
            "contact": contact,
            "may_replace": may_replace,
            "due_at": clock.now(),
            "attempts": 0,
            "lease_until": None,  # the worker that writes the former id must not delete this row
        },
    )
    wake()


def read_loyalty_id(program: Program, profile_id: str) -> str:
    """Return the loyalty id in the customer's profile, "" without one, for a profile that is gone, and where
    we may not read it. Raises NewStoreUnavailable."""
    try:
        profile = NewStoreClient(program).get_profile(profile_id)
    except NewStoreUnavailable:
        raise
    except NewStoreError as error:
        log.warning("loyalty_id_not_read", program=program.slug, detail=error.detail)
        return ""
    return loyalty_id_in(profile, program)


def loyalty_id_in(profile: Profile, program: Program) -> str:
    """Return the loyalty id in the profile's attribute, "" for a text that cannot be an id: people type
    it."""
    value = profile.attributes.get(program.loyalty_attribute, "").strip()
    text = pasted(value)
    is_id = len(text) <= MAX_LOYALTY_ID and text.isprintable() and len(value.splitlines()) == 1
    return text if is_id else ""


def run_one() -> bool:
    """Write one id that is due; False when none is."""
    row = claim(ProfileLink.objects.all())
    if row is None:
        return False
    try:
        outcome = _write(row)
    except NewStoreError as error:
        is_final = isinstance(error, NewStoreRejected) and error.status in FINAL_REFUSALS
        if not is_final and row.attempts < settings.WORK_MAX_ATTEMPTS:
            delay_s = max(backoff_s(row.attempts), error.retry_after_s or 0)
            postpone(row, f"{type(error).__name__}: {error.detail}", delay_s)
            return True
        outcome = f"given up: {error.detail}"
    log.info("profile_linked", program=row.program.slug, member=row.member_id, outcome=outcome)
    # Only while the lease is ours: otherwise a newer request for the same member would be lost.
    ProfileLink.objects.filter(pk=row.pk, lease_until=row.lease_until).delete()
    return True


def _write(row: ProfileLink) -> str:
    """Return the outcome. Raises NewStoreError."""
    if row.profile_id:
        try:
            return _write_into(row, row.profile_id)
        except NewStoreRejected as error:
            if error.status != 404:
                raise
    found = {profile.profile_id for profile in NewStoreClient(row.program).find_profiles(row.contact)} - {
        row.profile_id
    }
    if len(found) != 1:
        return "given up: several profiles" if found else "given up: no such profile"
    return _write_into(row, found.pop())


def _write_into(row: ProfileLink, profile_id: str) -> str:
    is_there = NewStoreClient(row.program).write_loyalty_id(
        profile_id, row.program.loyalty_attribute, row.member_id, may_replace=row.may_replace
    )
    return "written" if is_there else "another loyalty id is there"
