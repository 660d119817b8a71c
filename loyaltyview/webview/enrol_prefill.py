"""What NewStore's customer profile gives the enrolment form: phone, name, and e-mail.

The form opens by itself for a customer who is no member, so the values are not readable in its HTML. The page
shows them masked and carries them encrypted; a field that stays empty takes its value from there. A launch
without an associate gets nothing (docs/decisions/0008). Source: docs/contracts/newstore.md 7.
"""

import json
from collections.abc import Callable, Mapping

import structlog
from cryptography.fernet import InvalidToken
from django.conf import settings

from loyaltyview.newstore.answers import Profile
from loyaltyview.newstore.client import NewStoreClient
from loyaltyview.newstore.errors import NewStoreError
from loyaltyview.ops.encrypted import box
from loyaltyview.webview import masking
from loyaltyview.webview.forms import EnrolForm
from loyaltyview.webview.models import Launch
from providers.texts import shown

log = structlog.get_logger(__name__)

FIELDS = ("email", "phone", "first_name", "last_name")
# The form waits as long for NewStore as a launch does, and never beyond the page's deadline.
BUDGET_S = 1.0

Known = dict[str, str]


def read_known(launch: Launch) -> Known:
    """Return what the profile of the launch's customer knows, as the form takes it: a phone in E.164, and
    nothing that the form would refuse. Empty without a profile, and when NewStore does not answer in time."""
    if not launch.is_verified or not launch.profile_id:
        return {}
    budget_s = min(BUDGET_S, settings.PAGE_DEADLINE_S)
    try:
        profile = NewStoreClient(launch.program, budget_s=budget_s).get_profile(launch.profile_id)
    except NewStoreError as error:
        log.warning("profile_not_read", program=launch.program.slug, detail=error.detail)
        return {}
    if launch.customer_email and profile.email.casefold() != launch.customer_email.casefold():
        return {}  # The cart's customer has changed since.
    known = _valid(profile, launch.program.country)
    if launch.customer_email:
        known.pop("email", None)  # the form uses the launch's own
    return known


def encrypt_known(launch: Launch, known: Known) -> str:
    """Return `known` for the page, readable for this launch only; "" for nothing."""
    if not known:
        return ""
    return box().encrypt(json.dumps({"launch": launch.pk, "known": known}).encode()).decode()


def decrypt_known(launch: Launch, sealed: str) -> Known:
    """Return what `encrypt_known` was given for this launch; empty for anything else."""
    if not launch.is_verified or not sealed:
        return {}
    try:
        opened = json.loads(box().decrypt(sealed.encode(), settings.LAUNCH_MINUTES * 60))
    except (InvalidToken, ValueError):
        return {}
    is_ours = isinstance(opened, dict) and opened.get("launch") == launch.pk
    return {name: str(value) for name, value in opened["known"].items()} if is_ours else {}


def masked(known: Known) -> Known:
    """Return what the page may show of `known`."""
    looks: dict[str, Callable[[str], str]] = {
        "email": masking.masked_email,
        "phone": masking.masked_phone,
        "first_name": shown,
        "last_name": lambda name: f"{masking.first_letter(shown(name))}.",
    }
    return {name: looks[name](value) for name, value in known.items()}


def _valid(profile: Profile, country: str) -> Known:
    first, last = profile.first_name, profile.last_name
    if not first and not last:
        first, _, last = profile.full_name.partition(" ")
    given: Mapping[str, str] = {
        "email": profile.email,
        "phone": profile.phone,
        "first_name": first if masking.is_name(first) else "",
        "last_name": last if masking.is_name(last) else "",
    }
    form = EnrolForm(given, country=country)
    form.is_valid()
    return {name: value for name in FIELDS if (value := form.cleaned_data.get(name))}
