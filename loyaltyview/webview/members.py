"""Choosing the member of a launch, and showing members masked."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from cryptography.fernet import InvalidToken
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext

from loyaltyview.ops.encrypted import box
from loyaltyview.redemptions.refusals import Refusal
from loyaltyview.webview import masking
from loyaltyview.webview.models import Launch
from loyaltyview.webview.problems import Problem
from providers.texts import shown
from providers.types import Member

LIST_MINUTES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedView:
    """A member as the screen may show them: masked, since name and contact come only on a press
    (`views.reveal`). `name` falls back to the end of the member number."""

    name: str
    contact: str
    tier: str
    details: tuple[str, ...] = ()
    choice: str = ""


def masked_view(launch: Launch, member: Member, *, is_choice: bool = False) -> MaskedView:
    """Return the member as this launch may show them: without an associate their initials at most. In a list
    with the sealed `choice` that its form sends back."""
    name, contact = masking.initials(member) or gettext("The customer"), ""
    if launch.is_verified:
        name = masking.masked_name(member) or masking.masked_id(member.member_id)
        name = name or shown(member.member_id) or gettext("The customer")
        contact = masking.contact(member)
    return MaskedView(
        name=name,
        contact=contact,
        tier=shown(member.tier.name) if member.tier else "",
        details=masking.details(member) if launch.is_verified and is_choice else (),
        choice=_choice(launch, member.ref) if is_choice else "",
    )


def masked_views(launch: Launch, members: Iterable[Member]) -> list[MaskedView]:
    """Return the members of a list to choose from, with the details that distinguish them. Where an associate
    is known, members that still look alike show their member number in full."""
    found = [(masked_view(launch, member, is_choice=True), member) for member in members]
    looks = Counter((view.name, view.tier, view.details) for view, _member in found)
    return [
        replace(view, details=_with_number(view, member))
        if launch.is_verified and looks[view.name, view.tier, view.details] > 1
        else view
        for view, member in found
    ]


def _with_number(view: MaskedView, member: Member) -> tuple[str, ...]:
    """Return the details with the member number in full where its end stood; no other detail is lost."""
    end = masking.masked_id(member.member_id)
    return (*(detail for detail in view.details if detail != end), shown(member.member_id))


def read_choice(launch: Launch, choice: str) -> str:
    """Return the member ref that a list of this launch offered; "" for anything else."""
    try:
        offered = json.loads(box().decrypt(choice.encode(), LIST_MINUTES * 60))
    except (InvalidToken, ValueError):
        return ""
    is_ours = isinstance(offered, dict) and offered.get("offered_in") == launch.pk
    return str(offered["ref"]) if is_ours else ""


def choose(launch: Launch, ref: str, *, is_customer: bool) -> None:
    """Make `ref` the launch's member. `is_customer`: they are the cart's own customer."""
    if (launch.member_ref, launch.is_customer, launch.is_member_assumed) == (ref, is_customer, False):
        return
    launch.member_ref, launch.is_customer, launch.is_member_assumed = ref, is_customer, False
    launch.save(update_fields=["member_ref", "is_customer", "is_member_assumed"])


def take(launch: Launch, ref: str, *, is_customer: bool) -> bool:
    """As `choose`, for a page that found the member by itself. Return False, and leave the launch as it is,
    where the associate has chosen another member since the page began."""
    before = (launch.member_ref, launch.is_customer, launch.is_member_assumed)
    if before == (ref, is_customer, False):
        return True
    launch.member_ref, launch.is_customer, launch.is_member_assumed = ref, is_customer, False
    mine = Launch.objects.filter(pk=launch.pk)
    is_taken = mine.filter(member_ref=before[0]).update(
        member_ref=ref, is_customer=is_customer, is_member_assumed=False
    )
    # Another load of the same page may have found the same member.
    return bool(is_taken) or mine.filter(member_ref=ref).exists()


def is_customer_of(launch: Launch, member: Member) -> bool:
    """Return whether the vendor's record is the cart's customer: by the loyalty id, else by the e-mail."""
    if launch.loyalty_id:
        return launch.loyalty_id in (member.member_id, member.ref)
    email = launch.customer_email.strip().casefold()
    return bool(email) and member.email.strip().casefold() == email


def member_token(launch: Launch) -> str:
    """Return the token with which a form acts only for the member it was shown for: another tab may have
    chosen another member since."""
    return salted_hmac("loyaltyview.member", f"{launch.pk}:{launch.member_ref}").hexdigest()[:16]


def check_member_token(launch: Launch, token: str | None) -> None:
    """Raise Problem when the form with this token was shown for another member than the launch's. A form
    without a token names no member."""
    if token is not None and not constant_time_compare(token, member_token(launch)):
        raise Problem(Refusal.MEMBER_CHANGED)


def _choice(launch: Launch, ref: str) -> str:
    # Not only signed: a ref may be the number on the member's card.
    return box().encrypt(json.dumps({"offered_in": launch.pk, "ref": ref}).encode()).decode()
