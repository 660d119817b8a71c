"""Mail-outs: one code of a campaign for each member of a tier, or of a list.

The worker gives the codes in chunks. `MailOut.reached` and a unique constraint see to it that a member gets
one code of a mail-out, however often a chunk is repeated.
"""

import time
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from providers import clock
from providers.house.campaigns import Zone, expires_at, is_open, item_id_of, voucher_fields
from providers.house.codes import RefusedLine, read_cells
from providers.house.models import (
    BatchState,
    Campaign,
    CampaignCode,
    MailOut,
    MailOutState,
    Member,
    Tier,
    Voucher,
)
from providers.house.models.members import bare_id
from providers.texts import id_key

CHUNK = 200
LOOK_UP = 500
MOST_MEMBERS = 50_000


def give_codes(program: str, zone: Zone, seconds: float) -> None:
    """Go on with the program's mail-outs for about `seconds`. May be repeated."""
    ends = time.monotonic() + seconds
    under_way = MailOut.objects.filter(campaign__program=program).exclude(state=MailOutState.DONE)
    for pk in under_way.order_by("pk").values_list("pk", flat=True):
        while time.monotonic() < ends and _give_chunk(pk, zone):
            pass


def read_members(program: str, data: bytes) -> tuple[list[int], list[RefusedLine]]:
    """Return the members whom the first column of a CSV file names by number or e-mail, and every line that
    names none."""
    cells = list(read_cells(data, header="member"))
    refused = [
        RefusedLine(number, "", _("More than %(count)d lines.") % {"count": MOST_MEMBERS})
        for number, _text in cells[MOST_MEMBERS : MOST_MEMBERS + 1]
    ]
    found: dict[int, int] = {}
    for at in range(0, min(len(cells), MOST_MEMBERS), LOOK_UP):
        part = cells[at : at + LOOK_UP]
        members = _named(program, [text for _number, text in part])
        for number, text in part:
            pk = members.get(text.lower()) or members.get(id_key(text))
            if pk is None:
                refused.append(RefusedLine(number, text[:80], _("No member has this number or e-mail.")))
            elif pk in found:
                why = _("The same member as in line %(line)d.") % {"line": found[pk]}
                refused.append(RefusedLine(number, text[:80], why))
            else:
                found[pk] = number
    return sorted(found), refused


def _named(program: str, texts: Iterable[str]) -> dict[str, int]:
    """Return the members by their e-mails in small letters, and by the keys of their numbers. A merged card
    stands for its survivor."""
    emails = [text.lower() for text in texts if "@" in text]
    numbers = [id_key(text).upper() for text in texts if "@" not in text]
    members = Member.objects.filter(program=program).alias(bare=bare_id())
    # The index leaves empty e-mails out; SQLite uses it only where the query says so, too.
    rows = members.filter(Q(Q(email__in=emails), ~Q(email="")) | Q(bare__in=numbers))
    named: dict[str, int] = {}
    for pk, member_id, email, survivor in rows.values_list("pk", "member_id", "email", "merged_into_id"):
        named[id_key(member_id)] = survivor or pk
        if email:
            named[email] = pk
    return named


def _give_chunk(pk: int, zone: Zone) -> bool:
    """Give codes to the next members of the mail-out; returns whether it can go on at once."""
    with transaction.atomic():
        mail_out = (
            MailOut.objects.select_for_update(of=("self",)).select_related("campaign", "tier").get(pk=pk)
        )
        campaign = mail_out.campaign
        if mail_out.state == MailOutState.DONE or not is_open(campaign, clock.now()):
            return False
        # Locked in the order of their ids, as a merge locks its two.
        members = list(_addressed(mail_out).select_for_update().order_by("pk")[:CHUNK])
        if not members:
            mail_out.state, mail_out.members = MailOutState.DONE, []
            mail_out.save(update_fields=["state", "members"])
            return False
        has = _codes_of(campaign, members)
        most = campaign.per_member
        due = [member for member in members if most is None or has.get(member.pk, 0) < most]
        codes = list(_free_codes(campaign)[: len(due)])
        _hand_out(mail_out, list(zip(codes, due, strict=False)), zone)
        is_short = len(codes) < len(due)
        last = due[len(codes)].pk - 1 if is_short else members[-1].pk
        mail_out.state = MailOutState.NO_CODES if is_short else MailOutState.RUNNING
        mail_out.reached = last
        mail_out.given += len(codes)
        mail_out.passed_over += sum(member.pk <= last for member in members) - len(codes)
        mail_out.save(update_fields=["state", "reached", "given", "passed_over"])
        return not is_short


def _addressed(mail_out: MailOut) -> QuerySet[Member]:
    members = Member.objects.filter(
        program=mail_out.campaign.program, merged_into=None, pk__gt=mail_out.reached
    )
    if mail_out.is_for_list:
        return members.filter(pk__in=[pk for pk in mail_out.members if pk > mail_out.reached][:CHUNK])
    if mail_out.tier is None:
        return members
    members = members.filter(lifetime_points__gte=mail_out.tier.threshold)
    higher = Tier.objects.filter(program=mail_out.tier.program, threshold__gt=mail_out.tier.threshold)
    above = higher.order_by("threshold").first()
    return members.filter(lifetime_points__lt=above.threshold) if above else members


def _codes_of(campaign: Campaign, members: list[Member]) -> dict[int, int]:
    codes = CampaignCode.objects.filter(campaign=campaign, member__in=members)
    return dict(codes.order_by().values_list("member").annotate(count=Count("pk")))


def _free_codes(campaign: Campaign) -> QuerySet[CampaignCode]:
    """Return the codes that no member has; a till that takes one at this moment keeps it."""
    ready = list(campaign.batches.filter(state=BatchState.READY).values_list("pk", flat=True))
    codes = CampaignCode.objects.select_for_update(skip_locked=True).filter(batch__in=ready, member=None)
    # A voucher made by hand since the import may have the same code.
    by_hand = Voucher.objects.filter(program=campaign.program, code=OuterRef("code")).exclude(code="")
    return codes.exclude(Exists(by_hand)).order_by("batch", "pk")


def _hand_out(mail_out: MailOut, pairs: list[tuple[CampaignCode, Member]], zone: Zone) -> None:
    campaign, now = mail_out.campaign, clock.now()
    expires = expires_at(campaign, now, zone)
    vouchers = Voucher.objects.bulk_create(
        Voucher(
            **voucher_fields(campaign),
            member=member,
            voucher_id=item_id_of(code),
            code=code.code,
            expires_at=expires,
        )
        for code, member in pairs
    )
    for (code, member), voucher in zip(pairs, vouchers, strict=True):
        code.member, code.voucher, code.mail_out, code.given_at = member, voucher, mail_out, now
    CampaignCode.objects.bulk_update(
        [code for code, _member in pairs], ["member", "voucher", "mail_out", "given_at"]
    )
