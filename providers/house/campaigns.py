"""Voucher campaigns: a code that is typed at a till, and the voucher that it becomes for a member.

A code belongs to no member at first. The first member who uses it owns it; an undo before the sale gives it
back to all. A code from a mail-out belongs to its member from then on.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from providers import clock, types
from providers.dates import last_moment, zone_of
from providers.errors import Rejected, RejectReason
from providers.house.models import (
    BatchState,
    Campaign,
    CampaignCode,
    Hold,
    Member,
    Voucher,
    VoucherState,
)
from providers.sales import SpendKind
from providers.texts import id_key, look_alike_spelling
from providers.types import DiscountKind, Lock, LockReason

CODE_ITEM = "code-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """Where the days of a program count; without both, a day ends where it ends last."""

    time_zone: str = ""
    country: str = ""


ANYWHERE = Zone()


def find_code(member: Member, code: str, currency: str, zone: Zone = ANYWHERE) -> types.Voucher:
    """Return the campaign's voucher that stands for `code` in any spelling, locked where the campaign has not
    begun. Raises Rejected with the exact reason. Uses nothing."""
    found = _find(member.program, code)
    if found is None or not _is_ready(found):
        raise Rejected(RejectReason.REWARD_NOT_FOUND)
    campaign, now = found.campaign, clock.now()
    is_early = campaign.starts_at is not None and campaign.starts_at > now
    if not is_early or found.member_id is not None:
        _check(found, member, now)
    return types.Voucher(
        voucher_id=item_id_of(found),
        title=campaign.title,
        description=campaign.description,
        terms=campaign.terms,
        discount=campaign.discount(currency),
        code=found.code,
        expires_at=expires_at(campaign, now, zone),
        lock=_lock_on(campaign, is_early),
    )


def is_code(program: str, code: str) -> bool:
    """Return whether `code` is one of the program's, without reading letters as look-alike ones."""
    return any(_is_ready(found) for found in _codes(program).filter(key=id_key(code)))


def _find(program: str, code: str) -> CampaignCode | None:
    """Return the code in any spelling, else the one that it is with look-alike letters read as meant."""
    keys = dict.fromkeys([id_key(code), id_key(look_alike_spelling(code))])
    found = (next(iter(_codes(program).filter(key=key)), None) for key in keys if key)
    return next(filter(None, found), None)


def claim_code(member: Member, item_id: str, zone: Zone = ANYWHERE) -> Voucher | None:
    """Make the code with this id the member's, and return its voucher; None where `item_id` names no code.
    Inside the spend's transaction and the member's lock. Raises Rejected."""
    number = item_id.removeprefix(CODE_ITEM)
    if number == item_id or not (number.isascii() and number.isdecimal()) or len(number) > 18:
        return None
    found = _codes(member.program).select_for_update(of=("self",)).filter(pk=int(number)).first()
    if found is None or not _is_ready(found):
        return None
    now = clock.now()
    _check(found, member, now)
    voucher = issue(
        found.campaign,
        member,
        voucher_id=item_id_of(found),
        code=found.code,
        expires=expires_at(found.campaign, now, zone),
    )
    claimed = CampaignCode.objects.filter(pk=found.pk, member=None).update(
        member=member, voucher=voucher, given_at=now
    )
    if not claimed:
        raise Rejected(RejectReason.NOT_ALLOWED, "another member has the code")
    return voucher


def free_code(hold: Hold) -> None:
    """The hold was given back before the sale: a code that was typed belongs to no member again."""
    if hold.kind != SpendKind.VOUCHER.value or not hold.item_id.startswith(CODE_ITEM):
        return
    voucher = Voucher.objects.filter(
        program=hold.program, voucher_id=hold.item_id, state=VoucherState.OPEN
    ).first()
    if voucher is None:
        return
    codes = CampaignCode.objects.filter(voucher=voucher, mail_out=None)
    if codes.update(member=None, voucher=None, given_at=None):
        voucher.delete()


def issue(
    campaign: Campaign, member: Member, *, voucher_id: str, expires: datetime | None, code: str = ""
) -> Voucher:
    """Give the member a voucher of this campaign. Raises IntegrityError where the id or the code exists."""
    return Voucher.objects.create(
        **voucher_fields(campaign), member=member, voucher_id=voucher_id, code=code, expires_at=expires
    )


def voucher_fields(campaign: Campaign) -> dict[str, Any]:
    """Return what a voucher copies from its campaign."""
    names = ("program", "title", "description", "terms", "kind", "amount", "percent", "skus", "minimum")
    return {name: getattr(campaign, name) for name in names}


def expires_at(campaign: Campaign, now: datetime, zone: Zone = ANYWHERE) -> datetime | None:
    """Return when a voucher that a member gets now expires: at the end of its last day, and not after the
    campaign."""
    if not campaign.valid_days:
        return campaign.ends_at
    today = now.astimezone(zone_of(now.date(), zone.time_zone, zone.country)).date()
    last = last_moment(today + timedelta(days=campaign.valid_days), zone.time_zone, zone.country)
    return min(last, campaign.ends_at) if campaign.ends_at else last


def is_open(campaign: Campaign, now: datetime) -> bool:
    """Return whether codes of the campaign are given and taken now."""
    has_begun = campaign.starts_at is None or campaign.starts_at <= now
    return campaign.is_active and has_begun and not has_ended(campaign, now)


def has_ended(campaign: Campaign, now: datetime) -> bool:
    return campaign.ends_at is not None and campaign.ends_at <= now


def _codes(program: str) -> QuerySet[CampaignCode]:
    # Without an order, so that the database goes by the unique index and by nothing else.
    return (
        CampaignCode.objects.filter(program=program).select_related("campaign", "voucher", "batch").order_by()
    )


def _is_ready(code: CampaignCode) -> bool:
    return code.batch.state == BatchState.READY


def item_id_of(code: CampaignCode) -> str:
    """Return the id of the voucher that the code is, or will be."""
    return f"{CODE_ITEM}{code.pk}"


def _lock_on(campaign: Campaign, is_early: bool) -> Lock | None:
    if campaign.kind == DiscountKind.ONLINE_ONLY:
        return Lock(reason=LockReason.ONLINE_ONLY)
    return Lock(reason=LockReason.NOT_STARTED) if is_early else None


def _check(code: CampaignCode, member: Member, now: datetime) -> None:
    """Raise Rejected unless `member` can take the code now."""
    campaign = code.campaign
    if code.voucher is not None:
        if code.voucher.state == VoucherState.USED:
            raise Rejected(RejectReason.ALREADY_USED)
        if code.member_id != member.pk:
            raise Rejected(RejectReason.NOT_ALLOWED, text=_("Another member has it."))
        if code.voucher.state == VoucherState.HELD:
            raise Rejected(RejectReason.ALREADY_USED, text=_("It is in a cart that is not paid yet."))
        raise Rejected(RejectReason.EXPIRED)  # an open one stands in the member's own list
    if not campaign.is_active:
        raise Rejected(RejectReason.NOT_ALLOWED, text=_("Its campaign is not active."))
    if has_ended(campaign, now):
        raise Rejected(RejectReason.EXPIRED)
    if campaign.starts_at and campaign.starts_at > now:
        raise Rejected(RejectReason.NOT_ALLOWED, text=_("Its campaign has not begun."))
    if campaign.per_member is not None:
        has = CampaignCode.objects.filter(campaign=campaign, member=member).count()
        if has >= campaign.per_member:
            raise Rejected(RejectReason.LIMIT_REACHED)
