"""Members: look-up in Antavo's order, mapping to the interface's `Member`, enrolment.

Searches are exact, case-sensitive, and answer ids only (docs/contracts/antavo.md 2.2).
"""

import hashlib
import hmac
import re
import uuid
from contextlib import suppress
from functools import partial
from typing import Any

from providers import clock
from providers.antavo.client import Client, of_member
from providers.antavo.fields import listed, moment, number, properties, rows, table, text, whole
from providers.antavo.refusals import (
    ALREADY_OPTED_IN,
    MEMBER_NOT_FOUND,
    NO_CRITERIA,
    suppress_code,
)
from providers.dates import shown_end_of
from providers.errors import Rejected, RejectReason, UnexpectedAnswer
from providers.outbound.parallel import together
from providers.texts import found_by_spelling
from providers.types import (
    Balance,
    Consent,
    Consents,
    Expiring,
    Member,
    MemberProfile,
    MemberQuery,
    QueryKind,
    Tier,
)

GONE = ("opted_out", "merged")
AT_MOST = 20
# Characters that a path may contain. "-" alone means all customers, ":" an external id, "./" is lost in
# signatures.
SAFE_ID = re.compile(r"(?!-$)(?!\.{1,2}$)[A-Za-z0-9_@.+-]{1,200}")
CONSENTS = {"yes": Consent.YES, "true": Consent.YES, "1": Consent.YES,
            "no": Consent.NO, "false": Consent.NO, "0": Consent.NO}  # fmt: skip


def find(client: Client, query: MemberQuery) -> tuple[Member, ...]:
    """Return the members that `query` names exactly."""
    if not query.value:
        return ()
    if query.kind is QueryKind.EMAIL:
        found = _search(client, {"match": "exact", "email": query.value})
        return tuple(member for member in found if member.email.casefold() == query.value.casefold())
    if query.kind is QueryKind.PHONE:
        found = _search(client, {client.settings.phone_field: query.value})
        return tuple(member for member in found if member.phone == query.value)
    return _find_by_code(client, query.value, query.is_typed)


def get(client: Client, ref: str) -> Member:
    """Return the member; raise Rejected(MEMBER_NOT_FOUND) for one who is unknown or has left."""
    return describe(client, read(client, ref))


def read(client: Client, ref: str) -> dict[str, Any]:
    """Return Antavo's record of the customer; raise Rejected(MEMBER_NOT_FOUND)."""
    if not SAFE_ID.fullmatch(ref):
        raise Rejected(RejectReason.MEMBER_NOT_FOUND)
    data = table(client.get(of_member(ref), "get_member", {"fields": "expiring_points"}))
    if text(data.get("id")) != ref:
        raise UnexpectedAnswer("get_member: not this customer")
    if text(data.get("status")).lower() in GONE:
        raise Rejected(RejectReason.MEMBER_NOT_FOUND)
    return data


def enrol(client: Client, profile: MemberProfile, consents: Consents) -> Member:
    """Return the member with this e-mail, else with this phone, else a new one.

    The new id follows from the address, so that two simultaneous calls create one member. An existing profile
    stays as it is: the enrolling person may not be its owner. A consent is updated where the form brought an
    answer for the very address that the member has.
    """
    email, phone = profile.email.strip().lower(), profile.phone
    if not email and not phone:
        raise Rejected(RejectReason.INVALID_INPUT, "neither e-mail nor phone")
    member = _existing(client, email, phone)
    if member is None:
        data = {
            "email": email,
            client.settings.phone_field: phone,
            "first_name": profile.first_name,
            "last_name": profile.last_name,
            **_consent_data(client, consents),
        }
        ref = _new_id(client, email or phone)
        # Already opted in: another till enrolled the member at this moment.
        with suppress_code(ALREADY_OPTED_IN):
            client.event("opt_in", ref, {name: value for name, value in data.items() if value != ""})
        return get(client, ref)
    asked = Consents(
        email=consents.email if email and email == member.email.lower() else Consent.NOT_ASKED,
        sms=consents.sms if phone and phone == member.phone else Consent.NOT_ASKED,
    )
    if data := _consent_data(client, asked):
        client.event("profile", member.ref, data)
        return get(client, member.ref)
    return member


def describe(client: Client, data: dict[str, Any]) -> Member:
    """Return a customer in the words of the provider interface."""
    cards = data.get("membership_id") if isinstance(data.get("membership_id"), list) else []
    return Member(
        ref=text(data["id"]),
        member_id=text(cards[0]) if cards else text(data["id"]),
        first_name=text(data.get("first_name")),
        last_name=text(data.get("last_name")),
        email=text(data.get("email")),
        phone=text(data.get(client.settings.phone_field)),
        balance=balance_of(client, data),
        tier=_tier(client, data),
        consents=Consents(
            email=CONSENTS.get(_attribute(data, client.names["consent_email"]).lower(), Consent.NOT_ASKED),
            sms=CONSENTS.get(_attribute(data, client.names["consent_sms"]).lower(), Consent.NOT_ASKED),
        ),
    )


def account_of(client: Client, data: dict[str, Any]) -> dict[str, Any]:
    """Return the account whose points are spent: the program's, else the only one; {} where a workspace
    has none and the customer's totals count."""
    accounts = rows(data, "accounts")
    wanted = client.settings.account
    if wanted:
        return next((account for account in accounts if text(account.get("id")) == wanted), {})
    return accounts[0] if len(accounts) == 1 else {}


def balance_of(client: Client, data: dict[str, Any]) -> Balance:
    points = account_of(client, data) or data
    return Balance(
        spendable=max(whole(points.get("spendable")), 0),
        pending=whole(points.get("pending")),
        reserved=whole(points.get("reserved")),
        expiring=_expiring(client, data),
    )


def _find_by_code(client: Client, code: str, is_typed: bool) -> tuple[Member, ...]:
    """Return the member with exactly this code, else all with it in another spelling: Antavo compares letter
    by letter. Each spelling takes as many calls as there are card fields, and two."""
    return found_by_spelling(
        code, lambda each: _find_exactly(client, each), lambda member: member.ref, is_typed=is_typed
    )


def _find_exactly(client: Client, code: str) -> tuple[Member, ...]:
    """A pass or card holds the customer id, an external id, or a membership number: tried in this order."""
    fields = ["", *client.settings.card_fields] if SAFE_ID.fullmatch(code) else []
    for field in fields:
        path = of_member(code) if not field else f"/customers/{field}:{of_member(code).rpartition('/')[2]}"
        with suppress_code(MEMBER_NOT_FOUND, NO_CRITERIA):
            data = table(client.get(path, "find_member", {"fields": "expiring_points"}))
            if not text(data.get("id")):
                raise UnexpectedAnswer("find_member: not a customer")
            known = (
                text(data.get("id")),
                properties(data.get("properties")).get(field),
                text(data.get(field)),
            )
            if code in known and text(data.get("status")).lower() not in GONE:
                return (describe(client, data),)
    found = _search_data(client, {"match": "exact", "membership_id": code})
    return tuple(
        describe(client, data) for data in found if code in map(text, data.get("membership_id") or [])
    )


def _attribute(data: dict[str, Any], name: str) -> str:
    """Return an attribute of the profile, or one of the workspace's own."""
    return text(data.get(name)) or properties(data.get("properties")).get(name, "")


def _search(client: Client, criteria: dict[str, str]) -> list[Member]:
    return [describe(client, data) for data in _search_data(client, criteria)]


def _search_data(client: Client, criteria: dict[str, str]) -> list[dict[str, Any]]:
    answer: Any = []
    with suppress_code(NO_CRITERIA, MEMBER_NOT_FOUND):
        answer = client.get("/customers", "find_members", {**criteria, "limit": AT_MOST})
    # Three shapes are documented: {"data": [...]}, a list, one object.
    if isinstance(answer, dict) and "data" not in answer and text(answer.get("id")):
        answer = [answer]
    refs = [text(row.get("id")) for row in listed(answer)[:AT_MOST]]
    found = together(*[partial(_read_if_there, client, ref) for ref in refs]) if refs else []
    return [data for data in found if data is not None]


def _read_if_there(client: Client, ref: str) -> dict[str, Any] | None:
    with suppress(Rejected):
        return read(client, ref)
    return None


def _existing(client: Client, email: str, phone: str) -> Member | None:
    for kind, value in ((QueryKind.EMAIL, email), (QueryKind.PHONE, phone)):
        found = find(client, MemberQuery(kind=kind, value=value)) if value else ()
        if found:
            return found[0]
    return None


def _new_id(client: Client, address: str) -> str:
    """Return the id of a new customer: letters and digits, the same for the same address, and not predictable
    without our secret."""
    salted = f"{client.program}:{address}".encode()
    digest = hmac.digest(client.settings.api_secret.encode(), salted, hashlib.sha256)
    return uuid.UUID(bytes=digest[:16], version=4).hex


def _consent_data(client: Client, consents: Consents) -> dict[str, Any]:
    answers = {"consent_email": consents.email, "consent_sms": consents.sms}
    return {
        client.names[name]: answer is Consent.YES
        for name, answer in answers.items()
        if answer is not Consent.NOT_ASKED
    }


def _tier(client: Client, data: dict[str, Any]) -> Tier | None:
    """Return the level in the program's tier structure. `next.points` are the points that are missing for the
    next one; the top level has none."""
    wanted, language = client.settings.tier_structure, text(data.get("language"))
    for row in rows(data, "tiers"):
        if wanted and text(table(row.get("structure")).get("id")) != wanted:
            continue
        above, progress = table(row.get("next")), number(row.get("points"))
        return Tier(
            name=text(row.get("name"), language),
            next_name=text(above.get("name"), language),
            progress=progress,
            threshold=number(row.get("threshold")),
            next_threshold=progress + number(above.get("points")) if above else number(0),
            unit=client.settings.tier_unit,
        )
    return None


def tiers_above(client: Client, data: dict[str, Any]) -> frozenset[str]:
    """Return the names of the tiers above the member's, by the setting `tiers`; all of them without one."""
    names, tier = client.settings.tiers, _tier(client, data)
    at = names.index(tier.name) + 1 if tier and tier.name in names else 0
    return frozenset(names[at:])


def _expiring(client: Client, data: dict[str, Any]) -> tuple[Expiring, ...]:
    found = []
    for row in rows(data, "expiring_points"):
        points = whole(row.get(client.names["expiring_points"]))
        at = shown_end_of(row.get(client.names["expiring_at"]), client.config, moment)
        if points > 0 and at and at > clock.now():
            found.append(Expiring(points=points, at=at))
    return tuple(sorted(found, key=lambda expiring: expiring.at))
