"""Referral by code: a member's friend joins with the member's code, and both are rewarded for the friend's
first order (docs/decisions/0049-birthdays-and-referrals.md).

The transaction of an order or a return only marks the referral. `settle` does the rest, one party in each
transaction: no transaction locks two members. Each reward is written once, by its reference or its id.
"""

import secrets
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from providers import clock, types
from providers.dates import first_moment, zone_of
from providers.errors import Rejected, RejectReason
from providers.house import kept
from providers.house.campaigns import Zone, expires_at, has_ended, issue
from providers.house.codes import ALPHABET
from providers.house.ledger import cards_of, lock, post, posted
from providers.house.models import (
    Campaign,
    Entry,
    EntryKind,
    Member,
    Referral,
    ReferralRule,
    ReferralState,
    Voucher,
    VoucherState,
)
from providers.house.models.members import members_with
from providers.texts import id_key

CODE_LENGTH = 8
NEW_CODE_ATTEMPTS = 5
# The notes of the ledger's lines; the page shows them in its own language.
NOTE, NOTE_BACK = "referral", "referral-back"


def rule_of(program: str) -> ReferralRule | None:
    """Return the program's reward for referrals, None where it has none now."""
    rules = ReferralRule.objects.filter(program=program, is_active=True)
    return rules.select_related("referrer_campaign", "friend_campaign").first()


# --- The code, and who joined with it --------------------------------------------------------------


def describe(member: Member) -> types.Referral | None:
    """Return the member's code, made when it is first asked for; None where the program has no referrals."""
    rule = kept.of_program(member.program, "referral", lambda: rule_of(member.program))
    if rule is None:
        return None
    code = _code_of(member)
    return types.Referral(code=f"{code[:4]}-{code[4:]}", can_enter=_why_not_now(rule, member) == "")


def _code_of(member: Member) -> str:
    for _attempt in range(NEW_CODE_ATTEMPTS):
        if member.referral_code:
            return member.referral_code
        code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
        try:
            with transaction.atomic():
                Member.objects.filter(pk=member.pk, referral_code="").update(referral_code=code)
        except IntegrityError:
            continue  # another member has it
        member.refresh_from_db(fields=["referral_code"])
    raise Rejected(RejectReason.NOT_ALLOWED, "no free referral code found")


def enter_later(program: str, ref: str, code: str) -> None:
    """Note with whose code the member joined, some days after they joined. Raises
    Rejected(INVALID_INPUT) with the reason as its text."""
    rule = rule_of(program)
    with transaction.atomic():
        member = lock(program, ref)
        why = _why_not_now(rule, member) if rule else _("The program takes no referral codes.")
        if why:
            raise Rejected(RejectReason.INVALID_INPUT, text=why)
        enter(member, code)


def enter(friend: Member, code: str) -> None:
    """Note with whose code the new member joins. Inside the caller's transaction. Raises
    Rejected(INVALID_INPUT) with the reason as its text."""
    key = id_key(code).upper()
    owners = members_with(friend.program, "referral_code", key).select_related("merged_into")
    owner = owners.first() if key else None
    owner = owner.merged_into or owner if owner else None  # a merged card's code stays valid
    if owner is None:
        raise Rejected(RejectReason.INVALID_INPUT, text=_("No member has this referral code."))
    if owner.pk == friend.pk or _is_same_person(owner, friend):
        raise Rejected(RejectReason.INVALID_INPUT, text=_("Nobody can refer themselves."))
    if Referral.objects.filter(friend=owner, referrer=friend).exists():
        raise Rejected(RejectReason.INVALID_INPUT, text=_("This member referred the other one."))
    try:
        with transaction.atomic():
            Referral.objects.create(program=friend.program, friend=friend, referrer=owner)
    except IntegrityError as error:
        text = _("This member has entered a referral code before.")
        raise Rejected(RejectReason.INVALID_INPUT, text=text) from error


def _why_not_now(rule: ReferralRule, member: Member) -> str:
    """Return why the member can no longer enter a code, "" where they can."""
    if clock.now() >= member.joined_at + timedelta(days=rule.days_to_enter):
        return _("A referral code can be entered only soon after joining.")
    if Referral.objects.filter(friend=member).exists():
        return _("This member has entered a referral code before.")
    if Entry.objects.filter(member__in=cards_of(member), kind=EntryKind.EARN).exists():
        return _("A referral code can be entered only before the first order.")
    return ""


def _is_same_person(owner: Member, friend: Member) -> bool:
    is_same_phone = bool(owner.phone) and owner.phone == friend.phone
    return is_same_phone or (bool(owner.email) and _mailbox(owner.email) == _mailbox(friend.email))


def _mailbox(email: str) -> str:
    """Return the address without the parts by which one mailbox has many: dots, and a + with what follows."""
    name, _at, host = email.partition("@")
    return f"{name.partition('+')[0].replace('.', '')}@{host}"


# --- Marked with orders and returns ----------------------------------------------------------------


def note_order(member: Member, order_id: str, amount: Decimal) -> bool:
    """The member has completed an order; return whether a referral of theirs is due now. Inside the order's
    transaction."""
    waiting = Referral.objects.filter(friend=member, state=ReferralState.OPEN)
    if not waiting.exists():
        return False
    rule = rule_of(member.program)
    if rule is None or amount <= 0 or amount < rule.minimum:
        return False
    return waiting.update(state=ReferralState.DUE, order_id=order_id) == 1


def note_order_is_back(program: str, order_id: str) -> None:
    """The whole order came back or was cancelled. Inside the return's transaction."""
    rewarded = Referral.objects.filter(
        program=program, order_id=order_id, state__in=[ReferralState.DUE, ReferralState.REWARDED]
    )
    rewarded.update(state=ReferralState.REVOKED)


# --- Settled one party after the other -------------------------------------------------------------


def settle(program: str, zone: Zone, order_id: str = "") -> None:
    """Give the rewards that are due, and take back those of orders that are back: of one order, or of all.
    May be repeated."""
    rows = Referral.objects.filter(program=program, state__in=[ReferralState.DUE, ReferralState.REVOKED])
    if order_id:
        rows = rows.filter(order_id=order_id)
    for row in rows.select_related("friend", "referrer").order_by("pk")[:1000]:
        if row.state == ReferralState.REVOKED:
            _take_back(row)
        elif rule := rule_of(program):
            _reward(row, rule, zone)


def _reward(row: Referral, rule: ReferralRule, zone: Zone) -> None:
    def friend(member: Member) -> None:
        _give(row, member, "friend", rule.friend_points, rule.friend_campaign, zone)

    def referrer(member: Member) -> None:
        now = clock.now()
        today = now.astimezone(zone_of(now.date(), zone.time_zone, zone.country)).date()
        since = first_moment(today.replace(month=1, day=1), zone.time_zone, zone.country)
        given = Referral.objects.filter(referrer=member, rewarded_at__gte=since, is_above_limit=False)
        is_above = rule.per_year is not None and given.count() >= rule.per_year
        if not is_above:
            _give(row, member, "referrer", rule.referrer_points, rule.referrer_campaign, zone)
        Referral.objects.filter(pk=row.pk, state=ReferralState.DUE).update(
            state=ReferralState.REWARDED, rewarded_at=now, is_above_limit=is_above
        )

    _with_party(row, row.friend, ReferralState.DUE, friend)
    _with_party(row, row.referrer, ReferralState.DUE, referrer)


def _take_back(row: Referral) -> None:
    def friend(member: Member) -> None:
        _take(row, member, "friend")

    def referrer(member: Member) -> None:
        _take(row, member, "referrer")
        Referral.objects.filter(pk=row.pk, state=ReferralState.REVOKED).update(state=ReferralState.TAKEN_BACK)

    _with_party(row, row.friend, ReferralState.REVOKED, friend)
    _with_party(row, row.referrer, ReferralState.REVOKED, referrer)


def _with_party(row: Referral, party: Member, state: ReferralState, act: Callable[[Member], None]) -> None:
    """Call `act` with the locked member while the referral is in `state`, and cannot leave it."""
    with transaction.atomic():
        member = lock(row.program, party.member_id)
        if Referral.objects.select_for_update().filter(pk=row.pk, state=state).exists():
            act(member)


def _give(
    row: Referral, member: Member, party: str, points: int, campaign: Campaign | None, zone: Zone
) -> None:
    reference, voucher_id = f"referral:{row.pk}:{party}", _voucher_id(row, party)
    if points and not posted(row.program, reference):
        post(member, EntryKind.ADJUST, points, reference=reference, note=NOTE)
    now = clock.now()
    if campaign is None or not campaign.is_active or has_ended(campaign, now):
        return
    if not Voucher.objects.filter(program=row.program, voucher_id=voucher_id).exists():
        expires = expires_at(campaign, now, zone)
        issue(campaign, member, voucher_id=voucher_id, expires=expires)


def _take(row: Referral, member: Member, party: str) -> None:
    given = posted(row.program, f"referral:{row.pk}:{party}")
    reference = f"referral-back:{row.pk}:{party}"
    if given and not posted(row.program, reference):
        taken = min(given.points, member.spendable)
        post(member, EntryKind.ADJUST, -taken, reference=reference, note=NOTE_BACK)
    # One in a cart that is not paid may be used there; taken out of the cart, it has expired.
    Voucher.objects.filter(
        program=row.program,
        voucher_id=_voucher_id(row, party),
        state__in=[VoucherState.OPEN, VoucherState.HELD],
    ).update(expires_at=clock.now())


def _voucher_id(row: Referral, party: str) -> str:
    return f"referral-{row.pk}-{party}"
