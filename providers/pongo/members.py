"""Customers: look-up, mapping to the interface's `Member`, enrolment and consents.

Phones go out as digits without `+` (reference, "Create a customer") and are compared as E.164.
"""

import re
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from providers.answers import needed_text, text_of
from providers.dates import bare_date
from providers.errors import OutcomeUnknown, Rejected, RejectReason, UnexpectedAnswer
from providers.pongo.account import passing
from providers.pongo.client import Client, list_of, object_of
from providers.pongo.models import PassCode
from providers.retention import delete_in_steps
from providers.sealing import seal, unseal
from providers.texts import compact
from providers.types import (
    Balance,
    Birthday,
    Consent,
    Consents,
    Member,
    MemberProfile,
    MemberQuery,
    QueryKind,
)

PREFIX = "cust_"
PASS_CODE = re.compile(rf"{PREFIX}[A-Za-z0-9_-]+")
NOT_DIGITS = re.compile(r"\D")
MOST = 20

CONSENT_OF = {True: Consent.YES, False: Consent.NO, None: Consent.NOT_ASKED}
FLAG_OF = {Consent.YES: True, Consent.NO: False}


def find(client: Client, query: MemberQuery) -> tuple[Member, ...]:
    """Return the customers that match the query exactly."""
    if query.kind is QueryKind.PHONE:
        found = by_phone(client, query.value)
        return (found,) if found else ()
    if query.kind is QueryKind.EMAIL:
        return by_email(client, query.value)
    if exact := _by_pass(client, query.value):
        return exact
    # Ids are compared letter by letter: one typed by hand may have blanks, or be in capitals.
    bare = compact(query.value)
    others = {PREFIX + bare[len(PREFIX) :], bare.lower()} - {query.value}
    is_pass = bare.lower().startswith(PREFIX)
    members = [member for other in sorted(others) if is_pass for member in _by_pass(client, other)]
    return tuple({member.ref: member for member in members}.values())


def _by_pass(client: Client, code: str) -> tuple[Member, ...]:
    if not PASS_CODE.fullmatch(code):
        return ()
    try:
        return (get(client, code),)
    except Rejected:
        found = _by_known_pass(client, code)
        return (found,) if found else ()


def get(client: Client, ref: str) -> Member:
    """Return the customer with this id; raise Rejected(MEMBER_NOT_FOUND)."""
    answer = client.read("GET", client.path("customer", customer=ref), operation="get_customer")
    member = describe(client, object_of(answer))
    if member.ref != ref:
        raise UnexpectedAnswer("get_customer: another customer")
    return member


def by_phone(client: Client, phone: str) -> Member | None:
    """Return the customer with this number in E.164, None without one."""
    digits = NOT_DIGITS.sub("", phone)
    if not digits or not phone.startswith("+"):
        return None
    answer = client.read(
        "GET", client.path("customer_by_phone", phone=digits), operation="get_customer_by_phone"
    )
    if answer.status in (404, 422):
        return None
    data = object_of(answer)
    member = describe(client, data)
    if member.phone != f"+{digits}":
        return None
    client.prime(member.ref, data)
    return member


def by_email(client: Client, email: str) -> tuple[Member, ...]:
    """Return the customers with this address. Pongo documents no look-up by e-mail: where it ignores the
    filter, it lists other customers, who are dropped here."""
    if not email:
        return ()
    answer = client.read(
        "GET",
        client.names["path.customers"],
        operation="find_customers",
        params={client.names["query.email"]: email},
    )
    found = []
    for item in list_of(answer):
        member = describe(client, item)
        if member.email.casefold() == email.casefold():
            client.prime(member.ref, item)
            found.append(member)
    return tuple(found[:MOST])


def describe(client: Client, data: dict[str, Any]) -> Member:
    """Return a customer object (docs/contracts/pongo.md 3.6) in the words of the interface."""
    points = client.names.whole(data, "customer.points")
    if points is None:
        raise UnexpectedAnswer("customer: no points")
    digits = NOT_DIGITS.sub("", text_of(data, "international_phone_number"))
    ref = needed_text(data, "id")
    return Member(
        ref=ref,
        member_id=ref,
        first_name=text_of(data, "first_name"),
        last_name=text_of(data, "last_name"),
        email=text_of(data, "email"),
        phone=f"+{digits}" if digits else "",
        balance=Balance(spendable=points),
        consents=Consents(
            email=_consent(data.get(client.names["customer.optin_email"])),
            sms=_consent(data.get(client.names["customer.optin_sms"])),
        ),
        has_pin=client.names.find(data, "customer.has_pin") is True,
        birthday=_birthday(data),
    )


def _birthday(data: dict[str, Any]) -> Birthday | None:
    day = bare_date(data.get("birthday"))
    return Birthday(month=day.month, day=day.day, year=day.year) if day else None


def enrol(client: Client, profile: MemberProfile, consents: Consents, fallback_store: str) -> Member:
    """Return the customer with this phone, else a new one. After any outcome of the creation the phone finds
    the customer: two simultaneous tills, or a lost answer, end with one customer."""
    if not profile.phone:
        known = by_email(client, profile.email)
        if len(known) == 1:
            return known[0]
        raise Rejected(
            RejectReason.INVALID_INPUT, "no phone", text=_("This program enrols by phone number: add it.")
        )
    existing = by_phone(client, profile.phone)
    if existing:
        return _answer_consents(client, existing, profile, consents)
    store = profile.store or fallback_store
    if not store:
        raise Rejected(RejectReason.NOT_ALLOWED, "store not mapped", text=unmapped_store())
    body = {**newcomer_body(client, profile, consents), "reference_store_slug": store}
    try:
        answer = client.write("POST", client.names["path.customers"], operation="create_customer", body=body)
        object_of(answer)
    except (Rejected, OutcomeUnknown, UnexpectedAnswer):
        created = by_phone(client, profile.phone)
        if created is None:
            raise
        return created
    created = by_phone(client, profile.phone)
    if created is None:
        raise OutcomeUnknown("create_customer: not there yet")
    return created


def newcomer_body(client: Client, profile: MemberProfile, consents: Consents) -> dict[str, Any]:
    """Return a new customer as Pongo takes them, by themselves or in their first order."""
    return {
        "international_phone_number": NOT_DIGITS.sub("", profile.phone),
        "email": profile.email or None,
        "first_name": profile.first_name or None,
        "last_name": profile.last_name or None,
        **_optins(client, consents),
    }


def change_consents(client: Client, ref: str, consents: Consents) -> Member:
    """Store the customer's answers, a withdrawal included. NOT_ASKED changes nothing."""
    optins = _optins(client, consents)
    if optins:
        answer = client.write(
            client.names["verb.update_customer"],
            client.path("customer", customer=ref),
            operation="update_customer",
            body=optins,
        )
        object_of(answer)
    return get(client, ref)


def note_pass(client: Client, ref: str) -> None:
    """Keep the pass of this customer resolvable: read the customer again and note the phone, sealed."""
    try:
        member = get(client, ref)
    except Rejected:
        PassCode.objects.filter(program=client.program, customer_id=ref).delete()
        return
    PassCode.objects.update_or_create(
        program=client.program,
        customer_id=ref,
        defaults={"sealed_phone": seal(member.phone), "changed_at": timezone.now()},
    )


def forget_passes(before: datetime) -> int:
    """Delete the passes of customers without a delivery since then: the next delivery stores them again."""
    return delete_in_steps(PassCode.objects.filter(changed_at__lt=before))


def forget_pass(program: str, ref: str) -> int:
    """Delete the pass codes of this customer; return how many."""
    passes, _by_model = PassCode.objects.filter(program=program, customer_id=ref).delete()
    return passes


def unmapped_store() -> str:
    """Return the sentence for an associate whose store is not mapped to one of the program's."""
    return _("This store is not linked to the loyalty program yet. Tell your administrator.")


def _by_known_pass(client: Client, code: str) -> Member | None:
    """The look-up by id is assumed, the one by phone is documented: use the phone from a delivery."""
    known: PassCode | None = None
    with passing():
        known = PassCode.objects.filter(program=client.program, customer_id=code).first()
    member = by_phone(client, unseal(known.sealed_phone)) if known else None
    return member if member and member.ref == code else None


def _answer_consents(client: Client, member: Member, profile: MemberProfile, consents: Consents) -> Member:
    """Store answers that concern the customer's own address. An unticked box of an enrolment form is not a
    withdrawal: a yes stays."""
    email, sms = Consent.NOT_ASKED, Consent.NOT_ASKED
    if profile.email and profile.email.casefold() == member.email.casefold():
        email = _news(member.consents.email, consents.email)
    if profile.phone == member.phone:
        sms = _news(member.consents.sms, consents.sms)
    if email is sms is Consent.NOT_ASKED:
        return member
    return change_consents(client, member.ref, Consents(email=email, sms=sms))


def _news(old: Consent, new: Consent) -> Consent:
    return Consent.NOT_ASKED if old in (new, Consent.YES) else new


def _optins(client: Client, consents: Consents) -> dict[str, bool]:
    """Return the fields of the answers. Consents that were not asked are not sent, because false would mean
    no."""
    answers = (
        (client.names["customer.optin_sms"], consents.sms),
        (client.names["customer.optin_email"], consents.email),
    )
    return {name: FLAG_OF[consent] for name, consent in answers if consent in FLAG_OF}


def _consent(flag: Any) -> Consent:
    return CONSENT_OF[flag] if flag is None or isinstance(flag, bool) else Consent.NOT_ASKED
