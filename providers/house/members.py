"""Members: look-up, mapping to the interface's `Member`, and enrolment."""

import secrets
from collections.abc import Iterable
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models.lookups import Exact

from providers import types
from providers.errors import Rejected, RejectReason
from providers.house import kept, referral
from providers.house.expiry import expiring_points
from providers.house.ledger import lock
from providers.house.models import Member, Tier
from providers.house.models.members import bare_id, look_alike_id, members_with
from providers.texts import id_key, look_alike_key
from providers.types import Consent, MemberQuery, QueryKind

# Which column each kind of query compares. A scanned card carries the member id.
LOOKUP_FIELDS = {
    QueryKind.EMAIL: "email",
    QueryKind.PHONE: "phone",
    QueryKind.MEMBER_ID: "member_id",
    QueryKind.CODE: "member_id",
}
NEW_ID_ATTEMPTS = 5


def find(program: str, query: MemberQuery) -> tuple[Member, ...]:
    """Return the members whose column equals the query's value; partial matches are other customers. A member
    id without an exact match is compared without blanks and dashes. Where a person typed it, O counts
    then as 0 and I as 1, if only one member matches."""
    field = LOOKUP_FIELDS[query.kind]
    value = query.value.lower() if query.kind is QueryKind.EMAIL else query.value.upper()
    if not value:
        return ()
    found = tuple(members_with(program, field, value).select_related("merged_into")[:20])
    bare = id_key(value).upper()
    if found or field != "member_id" or not bare:
        return _survivors(found)
    members = Member.objects.filter(program=program).select_related("merged_into")
    # Sorted here: with ORDER BY, SQLite would read the whole program.
    if alike := members.filter(Exact(bare_id(), bare)).order_by()[:20]:
        return _survivors(sorted(alike, key=lambda member: member.member_id))
    if not query.is_typed:
        return ()
    one_of = _survivors(members.filter(Exact(look_alike_id(), look_alike_key(value).upper())).order_by()[:3])
    return one_of if len(one_of) == 1 else ()


def _survivors(members: Iterable[Member]) -> tuple[Member, ...]:
    """Return each member once, the survivor for a merged card."""
    return tuple(dict.fromkeys(member.merged_into or member for member in members))


def get(program: str, ref: str) -> Member:
    """Return the member with this id, for a merged card its survivor; raise Rejected(MEMBER_NOT_FOUND)."""
    members = Member.objects.filter(program=program, member_id=ref).select_related("merged_into")
    member = members.first()
    if member is None:
        raise Rejected(RejectReason.MEMBER_NOT_FOUND)
    return member.merged_into or member


def enrol(program: str, profile: types.MemberProfile, consents: types.Consents) -> Member:
    """Return the member with this e-mail, else with this phone, else a new one. The unique constraints make
    two simultaneous calls return the same member.

    An existing profile stays as it is: the person who enrols may not be its owner. A consent is updated where
    the form brought an answer for the very address that the member has.
    """
    email, phone = profile.email.lower(), profile.phone
    if not email and not phone:
        raise Rejected(RejectReason.INVALID_INPUT, "neither e-mail nor phone")
    for _attempt in range(NEW_ID_ATTEMPTS):
        member = _existing(program, email, phone)
        if member:
            return _update_consents(member, email, phone, consents)
        try:
            with transaction.atomic():
                member = Member.objects.create(
                    program=program,
                    member_id=new_member_id(program),
                    email=email,
                    phone=phone,
                    first_name=profile.first_name,
                    last_name=profile.last_name,
                    consent_email=consents.email.value,
                    consent_sms=consents.sms.value,
                    **_birth(profile.birthday),
                )
                if profile.referral_code:
                    referral.enter(member, profile.referral_code)
                return member
        except IntegrityError:
            continue  # the member was enrolled at this moment, or the id was taken: look again
    raise Rejected(RejectReason.NOT_ALLOWED, "no free member id found")


def _birth(birthday: types.Birthday | None) -> dict[str, int | None]:
    if birthday is None:
        return {}
    return {"birth_month": birthday.month, "birth_day": birthday.day, "birth_year": birthday.year}


def new_member_id(program: str) -> str:
    """Return an id such as ACME-40318256: random, so that a typing error does not match another member."""
    return f"{program.upper()}-{secrets.randbelow(10**8):08d}"


def describe(member: Member, time_zone: str = "") -> types.Member:
    """Return `member` in the words of the provider interface. Reads tiers and expiring points, whose months
    count in `time_zone`."""
    return types.Member(
        ref=member.member_id,
        member_id=member.member_id,
        first_name=member.first_name,
        last_name=member.last_name,
        email=member.email,
        phone=member.phone,
        balance=types.Balance(
            spendable=member.spendable,
            reserved=member.reserved,
            expiring=expiring_points(member, time_zone),
        ),
        tier=_describe_tier(member),
        consents=types.Consents(email=Consent(member.consent_email), sms=Consent(member.consent_sms)),
        birthday=_birthday(member),
        joined_at=member.joined_at,
    )


def _birthday(member: Member) -> types.Birthday | None:
    if not (member.birth_month and member.birth_day):
        return None
    return types.Birthday(month=member.birth_month, day=member.birth_day, year=member.birth_year)


def kept_tiers(program: str) -> tuple[Tier, ...]:
    """Return the tiers, lowest first, as they were at most two seconds ago."""
    return kept.of_program(program, "tiers", lambda: read_tiers(program))


def read_tiers(program: str) -> tuple[Tier, ...]:
    """Return the tiers as they are now, lowest first."""
    return tuple(Tier.objects.filter(program=program).order_by("threshold"))


def tiers_at(tiers: Iterable[Tier], lifetime_points: int) -> tuple[Tier | None, Tier | None]:
    """Return the one of `tiers`, lowest first, that `lifetime_points` reach, and the one above it; None where
    there is none."""
    reached, above = None, None
    for tier in tiers:
        if tier.threshold > lifetime_points:
            above = tier
            break
        reached = tier
    return reached, above


def _describe_tier(member: Member) -> types.Tier | None:
    tier, next_tier = tiers_at(kept_tiers(member.program), member.lifetime_points)
    if tier is None:
        return None
    return types.Tier(
        name=tier.name,
        next_name=next_tier.name if next_tier else "",
        progress=Decimal(member.lifetime_points),
        threshold=Decimal(tier.threshold),
        next_threshold=Decimal(next_tier.threshold if next_tier else 0),
        benefits=tier.benefits,
    )


def _existing(program: str, email: str, phone: str) -> Member | None:
    by_email = members_with(program, "email", email).first() if email else None
    return by_email or (members_with(program, "phone", phone).first() if phone else None)


def change_consents(program: str, ref: str, consents: types.Consents) -> Member:
    """Store the member's new answers; NOT_ASKED leaves an answer unchanged."""
    member = get(program, ref)
    return _update_consents(member, member.email, member.phone, consents)


def _update_consents(member: Member, email: str, phone: str, consents: types.Consents) -> Member:
    with transaction.atomic():
        # Locked: a merge at this moment loses no answer.
        member = lock(member.program, member.member_id)
        if consents.email is not Consent.NOT_ASKED and email and email == member.email:
            member.consent_email = consents.email.value
        if consents.sms is not Consent.NOT_ASKED and phone and phone == member.phone:
            member.consent_sms = consents.sms.value
        member.save(update_fields=["consent_email", "consent_sms"])
        return member
