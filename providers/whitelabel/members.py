"""Members: found by exactly what identifies them, described, enrolled.

Source: docs/contracts/whitelabel.md 2.1, 2.2. `ref` is the vendor's id (a uuid), `member_id` the account
number. How `filter` is spelled is assumed, so every row is compared with what was asked for: a near miss is a
stranger.
"""

import re
import uuid
from decimal import Decimal
from functools import partial

import phonenumbers

from providers.answers import inner, object_in, text_of
from providers.errors import Rejected, RejectReason, UnexpectedAnswer
from providers.outbound.exchange import segment
from providers.outbound.parallel import together
from providers.outbound.sharing import lasting
from providers.texts import found_by_spelling
from providers.types import (
    Balance,
    Consents,
    Member,
    MemberProfile,
    MemberQuery,
    QueryKind,
    Tier,
)
from providers.whitelabel import consents, events
from providers.whitelabel.client import Client, Json, Refused
from providers.whitelabel.venues import list_tiers, requirement

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
ACCOUNT_NUMBER = re.compile(r"[0-9]{7}")
MOST_MATCHES = 5
# How old names and login may be: the wallet is read in any case, and says whether the member exists.
PROFILE_S = 900.0

NOT_READ = Consents()
# What the vendor documents for names and addresses that were not collected
# (docs/contracts/whitelabel.md 2.1).
NO_NAME = ("UNKNOWN", "REDACTED")
NO_EMAIL_DOMAIN = "not-collected.example.com"


def find(client: Client, query: MemberQuery) -> tuple[Member, ...]:
    """Return the members that `query` names exactly."""
    users = [user for user in find_users(client, query) if _id(user)]
    for user in users:
        client.prime(f"/users/{segment(_id(user))}", user, member=_id(user))
    purses = together(*[partial(wallet, client, _id(user)) for user in users]) if users else ()
    return tuple(describe(client, user, purse) for user, purse in zip(users, purses, strict=True))


def get(client: Client, ref: str) -> Member:
    """Return the member; raise Rejected(MEMBER_NOT_FOUND). One call where the profile is known."""
    if not UUID.fullmatch(ref):
        raise Rejected(RejectReason.MEMBER_NOT_FOUND)
    return describe(client, *together(lambda: get_user(client, ref), lambda: wallet(client, ref)))


def get_user(client: Client, ref: str) -> Json:
    """Return the user object of `ref`; raise Rejected(MEMBER_NOT_FOUND)."""
    with lasting(PROFILE_S):
        user = _by_path(client, ref)
    if user is None or _id(user) != ref:
        raise Rejected(RejectReason.MEMBER_NOT_FOUND)
    return user


def login_of(client: Client, ref: str) -> str:
    """Return what names the member to a validation and to Receipts. Assumed: the subject of the login to the
    app where there is one, else the vendor's id."""
    return str(get_user(client, ref).get("authIdentifier") or ref)


def wallet(client: Client, ref: str) -> Json:
    """Return the wallet; raise Rejected(MEMBER_NOT_FOUND), UnexpectedAnswer."""
    try:
        data = client.get(f"/users/{segment(ref)}/wallet", operation="get_wallet", params=client.locale)
    except Refused as refused:
        raise Rejected(RejectReason.MEMBER_NOT_FOUND, str(refused)) from refused
    return object_in(data, "get_wallet")


def points_of(client: Client, purse: Json) -> int:
    """Return the balance in a wallet. It can be negative: the engine does not stop at zero."""
    points = client.names.number(purse, "wallet_points")
    if points is None:
        raise UnexpectedAnswer("get_wallet: no balance")
    return int(points)


def available_points(client: Client, ref: str) -> int:
    """Return what may be spent now: the wallet without what is on its way out of it."""
    purse, unsettled = together(lambda: wallet(client, ref), lambda: events.count_unsettled(client, ref))
    return points_of(client, purse) - int(unsettled)


def find_users(client: Client, query: MemberQuery) -> list[Json]:
    """Return the user objects that `query` names exactly."""
    value = query.value
    if not value:
        return []
    if query.kind is QueryKind.EMAIL:
        rows = _listed(client, "filter_email", value)
        return [user for user in rows if email_of(user) == value]
    if query.kind is QueryKind.PHONE:
        for spelled in _spellings(value):
            rows = _listed(client, "filter_phone", spelled)
            if found := [user for user in rows if phone_of(client, user) == value]:
                return found
        return []
    # The engine compares letter by letter: other spellings are asked one by one.
    return list(found_by_spelling(value, lambda each: _by_code(client, each), _id, is_typed=query.is_typed))


def _by_code(client: Client, value: str) -> list[Json]:
    if UUID.fullmatch(value) or ACCOUNT_NUMBER.fullmatch(value):
        user = _by_path(client, value.lower())
        if user and value.lower() in (_id(user), str(user.get("accountNumber"))):
            return [user]
    rows = _listed(client, "filter_auth", value)
    return [user for user in rows if user.get("authIdentifier") == value]


def describe(client: Client, user: Json, purse: Json, given: Consents = NOT_READ) -> Member:
    """Return a user with balance and tier, in our words. Consents are read where somebody enrols only."""
    ref = _id(user)
    points = points_of(client, purse)
    unsettled = events.unsettled_points(client, ref)
    return Member(
        ref=ref,
        member_id=str(user.get("accountNumber") or ref),
        first_name=_name(user, "givenName"),
        last_name=_name(user, "familyName"),
        email=email_of(user),
        phone=phone_of(client, user),
        balance=Balance(spendable=points - unsettled, reserved=unsettled),
        tier=tier_of(client, purse),
        consents=given,
    )


def tier_of(client: Client, purse: Json) -> Tier | None:
    """Return the level in a wallet and the way to the next; None for a member without one."""
    current = client.names.find(purse, "wallet_tier")
    tiers = list_tiers(client)
    if not isinstance(current, dict):
        return None
    known = next((tier for tier in tiers if tier["id"] == current.get("id")), current)
    name = str(known.get("name") or current.get("name") or "")
    if not name:
        return None
    threshold = requirement(known)
    above = next((tier for tier in tiers if requirement(tier) > threshold), None)
    lifetime = client.names.number(purse, "wallet_lifetime")
    # A tier by calendar period counts points that the wallet does not show: say no distance then.
    if above is None or lifetime is None or known.get("calculation") == "CALENDAR_PERIOD":
        return Tier(name=name, threshold=Decimal(threshold), progress=Decimal(threshold))
    # Promotion runs after the points: keep the bar inside the level that the wallet names.
    progress = min(max(int(lifetime), threshold), requirement(above) - 1)
    return Tier(
        name=name,
        next_name=str(above.get("name") or ""),
        progress=Decimal(progress),
        threshold=Decimal(threshold),
        next_threshold=Decimal(requirement(above)),
    )


def enrol(client: Client, profile: MemberProfile, wanted: Consents) -> Member:
    """Create the member or return the one that exists, with the consents given now."""
    user = _existing(client, profile)
    if user is None:
        try:
            user = client.send("/users", _definition(client, profile, wanted), operation="create_user")
        except Refused as refused:
            # 409: e-mail or phone is taken, perhaps by the same form a moment ago.
            user = _existing(client, profile)
            if user is None:
                reason = RejectReason.ALREADY_MEMBER if refused.status == 409 else RejectReason.INVALID_INPUT
                raise Rejected(reason, str(refused), text=refused.message) from refused
            consents.change(client, _id(user), wanted)
        if not isinstance(user, dict) or not _id(user):
            raise UnexpectedAnswer("create_user: no id")
    else:
        consents.change(client, _id(user), wanted)
    ref = _id(user)
    purse, given = together(lambda: wallet(client, ref), lambda: consents.read(client, ref))
    return describe(client, user, purse, given)


def email_of(user: Json) -> str:
    """Return the address in lower case, "" for a placeholder."""
    email = text_of(inner(user, "profile"), "emailAddress").lower()
    return "" if email.endswith(f"@{NO_EMAIL_DOMAIN}") else email


def phone_of(client: Client, user: Json) -> str:
    """Return the number in E.164, "" for one that is none. The vendor keeps free text."""
    told = text_of(inner(user, "profile"), "telephoneNumber")
    for spelled in (told, f"+{told}") if told else ():
        try:
            number = phonenumbers.parse(spelled, client.config.country)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_possible_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return ""


def _existing(client: Client, profile: MemberProfile) -> Json | None:
    queries = []
    if profile.email:
        queries.append(MemberQuery(kind=QueryKind.EMAIL, value=profile.email.strip().lower()))
    if profile.phone:
        queries.append(MemberQuery(kind=QueryKind.PHONE, value=profile.phone))
    for query in queries:
        if users := find_users(client, query):
            return users[0]
    return None


def _definition(client: Client, profile: MemberProfile, wanted: Consents) -> Json:
    fields = {
        "givenName": (profile.first_name or NO_NAME[0])[:64],
        "familyName": (profile.last_name or NO_NAME[0])[:64],
        "emailAddress": profile.email.strip().lower() or f"{uuid.uuid4().hex}@{NO_EMAIL_DOMAIN}",
    }
    if profile.phone:
        fields["telephoneNumber"] = profile.phone
    body: Json = {"profile": fields}
    if given := consents.definition(client, wanted):
        body["consentsDefinition"] = given
    return body


def _by_path(client: Client, value: str) -> Json | None:
    # "me" and "summary" are other addresses below /users.
    if not (UUID.fullmatch(value) or ACCOUNT_NUMBER.fullmatch(value)):
        return None
    try:
        data = client.get(f"/users/{segment(value)}", operation="get_user")
    except Refused as refused:
        if refused.status in (400, 404):
            return None
        raise UnexpectedAnswer(str(refused)) from refused
    if not isinstance(data, dict) or not _id(data):
        raise UnexpectedAnswer("get_user: not a user")
    return data


def _listed(client: Client, name: str, value: str) -> list[Json]:
    return (
        client.rows("/users", operation="list_users", filters={name: value}, limit=MOST_MATCHES)
        if value
        else []
    )


def _spellings(phone: str) -> tuple[str, ...]:
    """Return the ways in which a number may have been typed: the vendor keeps free text and compares it."""
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return ()
    formats = (
        phonenumbers.PhoneNumberFormat.INTERNATIONAL,
        phonenumbers.PhoneNumberFormat.NATIONAL,
    )
    written = (phonenumbers.format_number(number, each) for each in formats)
    return tuple(dict.fromkeys([phone, phone.lstrip("+"), *written]))


def _name(user: Json, name: str) -> str:
    found = text_of(inner(user, "profile"), name)
    return "" if found in NO_NAME else found


def _id(user: Json) -> str:
    return text_of(user, "id").lower()
