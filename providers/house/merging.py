"""Two cards of one person become one: the survivor gets the points, vouchers and holds of the other.

The ledger is only added to: the merged card's balance leaves by one line and arrives by several, so that
points keep their dates of expiry (docs/decisions/0050-merging-two-cards.md). The merged card's row stays. Its
number finds the survivor from then on.
"""

from copy import copy
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from providers import merged
from providers.errors import Rejected, RejectReason
from providers.house.expiry import lots_left
from providers.house.ledger import cards_of, move, post
from providers.house.models import (
    BirthdayGift,
    CampaignCode,
    Entry,
    EntryKind,
    Hold,
    HoldState,
    Member,
    Merge,
    Referral,
    ReferralState,
    Voucher,
    VoucherState,
)
from providers.house.models.members import EMPTY_PROFILE
from providers.types import Consent

FILLED_UP = ("first_name", "last_name", "email", "phone")
BIRTH = ("birth_month", "birth_day", "birth_year")


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What a card has, or what both will have."""

    spendable: int
    reserved: int
    lifetime_points: int
    vouchers: int
    holds: int

    def __add__(self, other: "Numbers") -> "Numbers":
        return Numbers(**{name: getattr(self, name) + getattr(other, name) for name in self.__slots__})

    def kept(self) -> dict[str, int]:
        """Return it for the row of the merge."""
        return {name: getattr(self, name) for name in self.__slots__}


def numbers_of(member: Member) -> Numbers:
    """Return what the card has now."""
    return Numbers(
        spendable=member.spendable,
        reserved=member.reserved,
        lifetime_points=member.lifetime_points,
        vouchers=member.vouchers.filter(state=VoucherState.OPEN).count(),
        holds=member.holds.filter(state=HoldState.HELD).count(),
    )


def profile_after(survivor: Member, other: Member) -> dict[str, object]:
    """Return the fields of the survivor after the merge: its own, filled up from the other, and the stricter
    consents."""
    fields: dict[str, object] = {name: getattr(survivor, name) or getattr(other, name) for name in FILLED_UP}
    for name in BIRTH:
        fields[name] = getattr(survivor if survivor.birth_month else other, name)
    fields["consent_email"] = _stricter(
        (survivor.consent_email, survivor.email), (other.consent_email, other.email)
    )
    fields["consent_sms"] = _stricter(
        (survivor.consent_sms, survivor.phone), (other.consent_sms, other.phone)
    )
    fields["joined_at"] = min(survivor.joined_at, other.joined_at)
    return fields


def _first_expiry(survivor: Member, other: Member) -> datetime | None:
    """Return when points of one of both expire first. A line that arrives under a rule of inactivity knows
    only its own time, which is later than the member's last activity."""
    return min(filter(None, (survivor.next_expiry_at, other.next_expiry_at)), default=None)


def merge_members(program: str, survivor_ref: str, other_ref: str, *, actor: str, reason: str) -> Merge:
    """Merge the card `other_ref` into `survivor_ref`; it cannot be undone. Raises Rejected: MEMBER_NOT_FOUND,
    INVALID_INPUT for a card that was merged before, the same card, or no reason."""
    if not reason.strip():
        raise Rejected(RejectReason.INVALID_INPUT, text=_("Say why the cards are merged."))
    with transaction.atomic():
        survivor, other = _lock_both(program, survivor_ref, other_ref)
        moved = numbers_of(other)
        _move_points(survivor, other)
        _move_rows(survivor, other)
        fields = profile_after(survivor, other) | {"next_expiry_at": _first_expiry(survivor, other)}
        # The other card first: an e-mail or phone has one member.
        Member.objects.filter(pk=other.pk).update(
            merged_into=survivor,
            next_expiry_at=None,
            **EMPTY_PROFILE,
        )
        # Cards that were merged into the other one before: each names the last survivor.
        Member.objects.filter(merged_into=other).update(merged_into=survivor)
        Member.objects.filter(pk=survivor.pk).update(**fields)
        merged.tell(program, other.member_id, survivor.member_id)
        return Merge.objects.create(
            program=program,
            survivor=survivor,
            merged=other,
            actor=actor,
            reason=reason.strip(),
            numbers=moved.kept(),
        )


def _lock_both(program: str, survivor_ref: str, other_ref: str) -> tuple[Member, Member]:
    """Lock both cards, in the order of their ids: two merges of the same cards at once cannot block each
    other."""
    found = Member.objects.select_for_update().filter(
        program=program, member_id__in=[survivor_ref, other_ref], merged_into=None
    )
    by_ref = {member.member_id: member for member in found.order_by("pk")}
    if len(by_ref) != 2:
        text = _("Two cards are needed, and none of them may have been merged before.")
        raise Rejected(RejectReason.INVALID_INPUT, text=text)
    return by_ref[survivor_ref], by_ref[other_ref]


def _move_points(survivor: Member, other: Member) -> None:
    reserved, total = other.reserved, other.spendable + other.reserved
    # As if nothing were reserved: the survivor's own reserve counts against the soonest points again.
    unreserved = copy(other)
    unreserved.reserved = 0
    lots = list(lots_left(unreserved))
    entries = Entry.objects.in_bulk([lot.pk for lot, _left in lots])
    lifetime = other.lifetime_points
    move(other, spendable=reserved, reserved=-reserved)
    post(other, EntryKind.MERGE, -total, reference=f"merge:{other.pk}:out", tier_points=-lifetime)
    for lot, left in lots:
        post(
            survivor,
            EntryKind.MERGE,
            left,
            reference=f"merge:{other.pk}:in:{lot.pk}",
            order_id=lot.order_id,
            expires_at=entries[lot.pk].expires_at,
            inactivity_months=entries[lot.pk].inactivity_months,
        )
    rest = total - sum(left for _lot, left in lots)
    post(survivor, EntryKind.MERGE, rest, reference=f"merge:{other.pk}:in", tier_points=lifetime)
    move(survivor, spendable=-reserved, reserved=reserved)


def _move_rows(survivor: Member, other: Member) -> None:
    """Let holds, vouchers, codes, gifts and referrals be the survivor's. What both have once stays."""
    Hold.objects.filter(member=other).update(member=survivor)
    Voucher.objects.filter(member=other).update(member=survivor)
    has = survivor.campaign_codes.exclude(mail_out=None).values_list("mail_out", flat=True)
    can_move = Q(mail_out=None) | ~Q(mail_out__in=list(has))
    CampaignCode.objects.filter(can_move, member=other).update(member=survivor)
    years = list(survivor.birthday_gifts.values_list("year", flat=True))
    BirthdayGift.objects.filter(member=other).exclude(year__in=years).update(member=survivor)
    _end_late_referrals(survivor, other)
    # Nobody refers themself: between the two cards a referral that is open ends.
    both = Q(friend=survivor, referrer=other) | Q(friend=other, referrer=survivor)
    Referral.objects.filter(both, state=ReferralState.OPEN).delete()
    Referral.objects.filter(referrer=other).exclude(friend=survivor).update(referrer=survivor)
    if not Referral.objects.filter(friend=survivor).exists():
        Referral.objects.filter(friend=other).exclude(referrer=survivor).update(friend=survivor)


def _end_late_referrals(survivor: Member, other: Member) -> None:
    """Delete an open referral of a person who had bought with the other card before: they are no new
    friend."""
    cards = cards_of(survivor) | cards_of(other)
    for row in Referral.objects.filter(friend__in=[survivor, other], state=ReferralState.OPEN):
        if Entry.objects.filter(member__in=cards, kind=EntryKind.EARN, at__lt=row.entered_at).exists():
            row.delete()


def _stricter(own: tuple[str, str], other: tuple[str, str]) -> str:
    """Return the stricter of two answers, each given for an address: a no before no answer before a yes. The
    answer of a card without an address counts only when it is a no."""
    answers = [answer for answer, address in (own, other) if address or answer == Consent.NO.value]
    for answer in (Consent.NO.value, Consent.NOT_ASKED.value, Consent.YES.value):
        if answer in answers:
            return answer
    return Consent.NOT_ASKED.value
