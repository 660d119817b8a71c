"""Calls about a member: find, enrol, consents, balance, rewards, vouchers, history."""

from django.http import HttpRequest
from ninja import Router

from providers import types
from providers.errors import Rejected
from providers.house import catalogue, members
from providers.house.api.calls.answers import (
    Balance,
    Consents,
    Expiring,
    Found,
    History,
    Lock,
    MemberRef,
    Movement,
    PointsRange,
    Profile,
    Reward,
    Rewards,
    Tier,
    Voucher,
    Vouchers,
    discount_of,
    profile_of,
    ref_of,
)
from providers.house.api.calls.bodies import CodeIn, ConsentAnswers, Enrolment, Search
from providers.house.api.calls.fields import MemberId
from providers.house.api.calls.scoped import caller_of, member_of, scoped
from providers.house.api.models import Scope
from providers.house.api.problems import Problem, wrong_field
from providers.types import Consent, EnrolmentField, MemberQuery, QueryKind

router = Router(tags=["members"])


@router.post("/members/search", response=Found, summary="Find members", **scoped(Scope.MEMBERS_READ))
def search(request: HttpRequest, body: Search) -> Found:
    """Find the members with this number, e-mail address or phone number. A body keeps them out of logs. A
    number is found without case, blanks and dashes, and O is never read as 0."""
    given = {
        QueryKind.MEMBER_ID: body.member_number,
        QueryKind.EMAIL: body.email,
        QueryKind.PHONE: body.phone,
    }
    queries = [MemberQuery(kind=kind, value=value) for kind, value in given.items() if value]
    if len(queries) != 1:
        raise wrong_field("member_number", "give exactly one of member_number, email and phone")
    found = members.find(caller_of(request).program, queries[0])
    return Found(members=[profile_of(member) for member in found])


@router.post("/members", response=MemberRef, summary="Enrol a member", **scoped(Scope.MEMBERS_WRITE))
def enrol(request: HttpRequest, body: Enrolment) -> MemberRef:
    """Return the member with this e-mail address, else with this phone number, else a new one. The profile
    of a member who exists does not change, and is not shown."""
    caller = caller_of(request)
    profile = _profile_of(body, caller.house.enrolment_fields())
    try:
        enrolled = caller.house.enrol(profile, _consents_of(body.consents))
    except Rejected as rejected:
        if rejected.text and body.referral_code:
            raise wrong_field("referral_code", rejected.text) from rejected
        raise
    return ref_of(members.get(caller.program, enrolled.ref))


@router.get("/members/{member}", response=Profile, summary="Read a profile", **scoped(Scope.MEMBERS_READ))
def read_profile(request: HttpRequest, member: MemberId) -> Profile:
    """Read the member's profile and consents."""
    return profile_of(member_of(request, member))


@router.patch(
    "/members/{member}/consents",
    response=Consents,
    summary="Change consents",
    **scoped(Scope.MEMBERS_WRITE),
)
def change_consents(request: HttpRequest, member: MemberId, body: ConsentAnswers) -> Consents:
    """Store the member's new answers. An answer about an address that the member does not have is not
    stored."""
    found = member_of(request, member)
    caller_of(request).house.change_consents(found.member_id, _consents_of(body))
    return profile_of(member_of(request, member)).consents


@router.get(
    "/members/{member}/balance", response=Balance, summary="Read the balance", **scoped(Scope.POINTS_READ)
)
def read_balance(request: HttpRequest, member: MemberId) -> Balance:
    """Read points, tier, and the points that expire."""
    found = caller_of(request).house.get_member(member_of(request, member).member_id)
    return Balance(
        spendable=found.balance.spendable,
        reserved=found.balance.reserved,
        expiring=[Expiring(points=each.points, at=each.at) for each in found.balance.expiring],
        tier=_tier_of(found.tier),
    )


@router.get(
    "/members/{member}/rewards", response=Rewards, summary="List rewards", **scoped(Scope.POINTS_READ)
)
def list_rewards(request: HttpRequest, member: MemberId) -> Rewards:
    """List the rewards, cheapest first, with the reason where the member cannot take one now."""
    rewards = catalogue.list_rewards(member_of(request, member), caller_of(request).currency, is_online=True)
    return Rewards(rewards=[_reward_of(reward) for reward in rewards])


@router.get(
    "/members/{member}/vouchers", response=Vouchers, summary="List vouchers", **scoped(Scope.POINTS_READ)
)
def list_vouchers(request: HttpRequest, member: MemberId) -> Vouchers:
    """List the member's open vouchers, those that expire soonest first."""
    found = catalogue.list_vouchers(member_of(request, member), caller_of(request).currency, is_online=True)
    return Vouchers(vouchers=[_voucher_of(voucher) for voucher in found])


@router.post(
    "/members/{member}/vouchers/search",
    response=Voucher,
    summary="Find a voucher by its code",
    **scoped(Scope.POINTS_READ),
)
def find_voucher(request: HttpRequest, member: MemberId, body: CodeIn) -> Voucher:
    """Find the voucher that a typed code stands for: one of the member's, or one of a campaign. Uses
    nothing. Reserve it by its `voucher_id`."""
    found = caller_of(request).house.find_voucher(member_of(request, member).member_id, body.code)
    if found.lock and found.lock.reason is not types.LockReason.ONLINE_ONLY:
        raise Problem("not_allowed")
    return _voucher_of(found)


@router.get(
    "/members/{member}/history", response=History, summary="List movements", **scoped(Scope.POINTS_READ)
)
def list_history(request: HttpRequest, member: MemberId) -> History:
    """List the newest 50 movements, newest first. The texts are in the language of Accept-Language."""
    movements = caller_of(request).house.get_history(member_of(request, member).member_id).movements
    return History(movements=[Movement(at=each.at, points=each.points, text=each.text) for each in movements])


def _profile_of(body: Enrolment, asked: frozenset[EnrolmentField]) -> types.MemberProfile:
    """Return the profile; raise Problem for what the program does not ask for."""
    if not body.email and not body.phone:
        raise wrong_field("email", "give an e-mail address or a phone number")
    for field in EnrolmentField:
        if getattr(body, field.value) and field not in asked:
            raise wrong_field(field.value, "the program does not ask for it")
    return types.MemberProfile(
        email=body.email or "",
        phone=body.phone or "",
        first_name=body.first_name,
        last_name=body.last_name,
        birthday=body.birthday,
        referral_code=body.referral_code or "",
    )


def _consents_of(body: ConsentAnswers) -> types.Consents:
    return types.Consents(
        email=Consent(body.email or Consent.NOT_ASKED), sms=Consent(body.sms or Consent.NOT_ASKED)
    )


def _voucher_of(voucher: types.Voucher) -> Voucher:
    return Voucher(
        voucher_id=voucher.voucher_id,
        title=voucher.title,
        description=voucher.description,
        terms=voucher.terms,
        code=voucher.code,
        discount=discount_of(voucher.discount),
        expires_at=voucher.expires_at,
    )


def _tier_of(tier: types.Tier | None) -> Tier | None:
    if tier is None:
        return None
    return Tier(
        name=tier.name,
        benefits=tier.benefits,
        points=int(tier.progress),
        next_name=tier.next_name or None,
        next_from=int(tier.next_threshold) if tier.next_name else None,
    )


def _reward_of(reward: types.Reward) -> Reward:
    lock = reward.lock
    return Reward(
        reward_id=reward.reward_id,
        title=reward.title,
        description=reward.description,
        terms=reward.terms,
        image=reward.image,
        points=reward.points,
        discount=discount_of(reward.discount),
        points_range=_range_of(reward.points_range),
        lock=Lock(reason=lock.reason.value, points_gap=lock.points_gap, tier=lock.tier) if lock else None,
    )


def _range_of(span: types.PointsRange | None) -> PointsRange | None:
    if span is None:
        return None
    value = format(span.value_per_point.amount.normalize(), "f")
    return PointsRange(minimum=span.minimum, maximum=span.maximum, step=span.step, value_per_point=value)
