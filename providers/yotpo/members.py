"""Members: look-up by exactly one identifier, what the interface calls a `Member`, and enrolment."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from providers import clock
from providers.answers import moment, text_of, whole_of
from providers.dates import shown_end_of, timestamp
from providers.errors import Rejected, RejectReason, UnexpectedAnswer
from providers.journal.models import WriteState
from providers.outbound import sharing
from providers.retention import delete_in_steps
from providers.texts import found_by_spelling
from providers.types import Balance, Expiring, Member, MemberProfile, MemberQuery, QueryKind
from providers.yotpo.client import Client, is_ok
from providers.yotpo.customers import customer_id_of, deducted_codes, fetch
from providers.yotpo.holds import holds_of, note_deducted
from providers.yotpo.models import Enrolment
from providers.yotpo.refs import forget_emails, forget_member, identity_of, ref_of
from providers.yotpo.tiers import tier_of

# The parameter of each kind of query, and the fields of the answer that must equal its value.
LOOKUPS = {
    QueryKind.EMAIL: ("customer_email", ("email",)),
    QueryKind.PHONE: ("phone_number", ("phone_number",)),
    QueryKind.MEMBER_ID: ("customer_id", ("third_party_id", "thirty_party_id")),
    QueryKind.CODE: ("pos_account_id", ("pos_account_id",)),
}
# A customer just made is not found at once (a client in the field polls every 30 s): the form waits this
# long, in seconds between the tries, and `Enrolment` covers the rest.
LOOK_AGAIN_S = (0.2, 0.4, 0.8)
NEW_FOR = timedelta(hours=1)


def find(client: Client, query: MemberQuery) -> tuple[Member, ...]:
    """Return the one member whom the query names, or none. Whether Yotpo compares ids letter by letter is not
    documented, so where it finds none the other spellings are asked one by one; several may then be found."""
    if not query.value:
        return ()
    if query.kind not in (QueryKind.MEMBER_ID, QueryKind.CODE):
        return _find_exactly(client, query.kind, query.value)
    return found_by_spelling(
        query.value,
        lambda each: _find_exactly(client, query.kind, each),
        lambda member: member.ref,
        is_typed=query.is_typed,
    )


def _find_exactly(client: Client, kind: QueryKind, value: str) -> tuple[Member, ...]:
    parameter, fields = LOOKUPS[kind]
    record = fetch(client, {parameter: value}, with_history=True)
    if record is None or not _is_member(client, record):
        return ()
    if not any(text_of(record, field).casefold() == value.casefold() for field in fields):
        return ()
    return (describe(client, record),)


def get(client: Client, ref: str) -> Member:
    """Return the member; raise Rejected(MEMBER_NOT_FOUND). Always read with the history: the tap that follows
    keeps it as what was there before its spend, and needs no read of its own. A page makes of it one member,
    also for the rewards."""
    member: Member = sharing.shared((client.program, "yotpo member", ref), lambda: _get(client, ref))
    return member


def _get(client: Client, ref: str) -> Member:
    identity = identity_of(client.program, ref)
    holds = [hold for hold in holds_of(client.journal, ref) if hold.state == WriteState.DONE]
    record = fetch(client, identity, with_history=True)
    if record is None:
        return _newcomer(client, ref)
    gone = deducted_codes(record)
    for hold in holds:
        if hold.vendor_ref in gone:
            note_deducted(hold)
    waiting = [hold for hold in holds if hold.vendor_ref not in gone]
    return describe(
        client,
        record,
        ref=ref,
        reserved=sum(hold.points or 0 for hold in waiting if hold.confirmed_at is None),
        used=sum(hold.points or 0 for hold in waiting if hold.confirmed_at),
    )


def enrol(client: Client, profile: MemberProfile) -> Member:
    """Return the member with this e-mail, else with this phone, else a new one.

    An existing profile stays as it is: the person who enrols may not be its owner. Yotpo makes or updates by
    e-mail, so that sending twice makes one customer.
    """
    if not profile.email:
        raise Rejected(RejectReason.INVALID_INPUT, "Yotpo knows customers by their e-mail")
    email = profile.email.lower()
    record = fetch(client, {"customer_email": email})
    if record is None and profile.phone:
        record = fetch(client, {"phone_number": profile.phone})
    if record is not None and _is_member(client, record):
        return describe(client, record)
    customer_id = customer_id_of(record) if record else ""
    body: dict[str, Any] = {"opted_in": True, "opted_in_at": timestamp(clock.now())}
    if record:  # the customer exists and has not opted in: nothing else of the record is touched
        email = text_of(record, "email").lower()
    else:
        if client.settings.sends_customer_id:
            customer_id = body["id"] = _new_customer_id(client, email)
        body |= {
            name: value
            for name, value in (
                ("first_name", profile.first_name),
                ("last_name", profile.last_name),
                ("phone_number", profile.phone),
            )
            if value
        }
    answer = client.post("/customers", operation="enrol", body={"email": email, **body})
    if not is_ok(answer):
        raise client.refusal(answer)
    return _wait_for(client, email, customer_id, profile)


def forget_old(before: datetime) -> int:
    """Forget who enrolled some hours ago, and the e-mails that nobody has needed since `before`."""
    newcomers = Enrolment.objects.filter(enrolled_at__lt=clock.now() - NEW_FOR)
    return delete_in_steps(newcomers) + forget_emails(before)


def erase(program: str, ref: str, pseudonym: str) -> int:
    """Delete what says whom the ref names; return how many rows."""
    newcomers, _ = Enrolment.objects.filter(program=program, member_ref=ref).delete()
    return newcomers + forget_member(program, ref, pseudonym)


def describe(
    client: Client, record: Mapping[str, Any], *, ref: str = "", reserved: int = 0, used: int = 0
) -> Member:
    """Return a customer record in the words of the interface. Reads the tiers, which are cached.

    Yotpo counts held points until their order is completed: `reserved` ones wait for an order, `used` ones
    for the end of theirs."""
    points = whole_of(record, "points_balance")
    email = text_of(record, "email").lower()
    customer_id = customer_id_of(record)
    if points is None or not (email or customer_id):
        raise UnexpectedAnswer("customer: no points_balance or no identity")
    points -= used
    return Member(
        ref=ref or ref_of(client.program, customer_id=customer_id, email=email),
        member_id=text_of(record, "pos_account_id") or customer_id,
        first_name=text_of(record, "first_name"),
        last_name=text_of(record, "last_name"),
        email=email,
        phone=text_of(record, "phone_number"),
        balance=Balance(
            spendable=max(0, points - reserved),
            reserved=min(reserved, max(0, points)),
            expiring=_expiring(client, record, points),
        ),
        tier=tier_of(client, record),
    )


def _is_member(client: Client, record: Mapping[str, Any]) -> bool:
    return not client.settings.requires_opt_in or record.get("opt_in") is not False


def _expiring(client: Client, record: Mapping[str, Any], points: int) -> tuple[Expiring, ...]:
    at = shown_end_of(record.get("next_points_expire_on"), client.config, moment)
    expiring = whole_of(record, "next_points_expire_amount")
    if at is None:  # all of them at once, in accounts where points expire by inactivity
        at, expiring = shown_end_of(record.get("points_expire_at"), client.config, moment), points
    return (Expiring(points=expiring, at=at),) if at and expiring and expiring > 0 else ()


def _new_customer_id(client: Client, email: str) -> str:
    """Return the id of a customer whom the shop does not know: always the same for one e-mail."""
    return f"pos-{hashlib.sha256(f'{client.program}:{email}'.encode()).hexdigest()[:24]}"


def _wait_for(client: Client, email: str, customer_id: str, profile: MemberProfile) -> Member:
    """Return the new customer once Yotpo finds them; as we know them where that takes too long."""
    for pause_s in (*LOOK_AGAIN_S, 0):
        record = fetch(client, {"customer_email": email})
        if record is not None and _is_member(client, record):
            return describe(client, record)
        if pause_s:
            client.session.sleep(pause_s)
    ref = ref_of(client.program, customer_id=customer_id, email=email)
    now = clock.now()
    Enrolment.objects.filter(enrolled_at__lt=now - NEW_FOR).delete()
    Enrolment.objects.update_or_create(program=client.program, member_ref=ref, defaults={"enrolled_at": now})
    return Member(
        ref=ref,
        member_id=customer_id,
        first_name=profile.first_name,
        last_name=profile.last_name,
        email=email,
        phone=profile.phone,
        balance=Balance(spendable=0),
    )


def is_newcomer(program: str, ref: str) -> bool:
    """Return whether we enrolled the member a moment ago, so that Yotpo may not find them yet."""
    since = clock.now() - NEW_FOR
    return Enrolment.objects.filter(program=program, member_ref=ref, enrolled_at__gt=since).exists()


def _newcomer(client: Client, ref: str) -> Member:
    """Return a member whom we enrolled a moment ago and Yotpo does not find yet."""
    if not is_newcomer(client.program, ref):
        raise Rejected(RejectReason.MEMBER_NOT_FOUND)
    identity = identity_of(client.program, ref)
    return Member(
        ref=ref,
        member_id=identity.get("customer_id", ""),
        email=identity.get("customer_email", ""),
        balance=Balance(spendable=0),
    )
