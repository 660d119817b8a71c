"""Referral by code: who may refer whom, and what both get once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from providers import clock
from providers.errors import Rejected, RejectReason
from providers.house.campaigns import Zone
from providers.house.models import EarnRule, Entry, Member, Referral, ReferralRule, ReferralState
from providers.house.provider import HouseProvider
from providers.house.referral import settle
from providers.sales import SpendKind
from providers.types import Consents, MemberProfile
from tests.providers.house import (
    REF,
    build_campaign,
    build_intent,
    build_member,
    build_order,
    build_return,
)


@pytest.fixture
def rule(house: HouseProvider, member: Member) -> ReferralRule:
    """50 points for Mia, who refers, and 20 for the friend, from an order of $40."""
    return ReferralRule.objects.create(program="acme", minimum=40, referrer_points=50, friend_points=20)


def code_of(house: HouseProvider, ref: str = REF) -> str:
    referral = house.get_member(ref).referral
    assert referral
    return referral.code


def join(house: HouseProvider, code: str = "", **fields: Any) -> str:
    """Enrol Noor with the code, Mia's unless given; return Noor's ref."""
    profile = MemberProfile(email="noor@example.test", referral_code=code or code_of(house))
    return house.enrol(replace(profile, **fields), Consents()).ref


def why_not(house: HouseProvider, **fields: Any) -> str:
    with pytest.raises(Rejected) as caught:
        join(house, **fields)
    assert caught.value.reason is RejectReason.INVALID_INPUT
    return caught.value.text


def points(ref: str) -> int:
    """Return what referrals gave this member."""
    rows = Entry.objects.filter(member__member_id=ref, reference__startswith="referral")
    return sum(rows.values_list("points", flat=True))


def test_a_member_has_one_code_from_when_it_is_first_asked_for(
    house: HouseProvider, rule: ReferralRule
) -> None:
    code = code_of(house)
    assert code == code_of(house)
    assert len(code.replace("-", "")) == 8
    rule.delete()
    assert house.get_member(REF).referral is None


def test_both_are_rewarded_once_at_the_first_order_above_the_minimum(
    house: HouseProvider, rule: ReferralRule
) -> None:
    noor = join(house, code_of(house).lower().replace("-", " "))
    house.record_order(build_order("small", base="39.99", ref=noor))
    assert (points(REF), points(noor)) == (0, 0)
    for order_id in ("first", "first", "second"):
        house.record_order(build_order(order_id, base="40.00", ref=noor))
    assert (points(REF), points(noor)) == (50, 20)
    assert house.get_history(REF).movements[0].text == "Referral reward"


def test_a_referral_may_give_vouchers(house: HouseProvider, rule: ReferralRule) -> None:
    rule.referrer_campaign = rule.friend_campaign = build_campaign(campaign_id="friends", title="Thanks")
    rule.save()
    noor = join(house)
    house.record_order(build_order(ref=noor))
    assert [voucher.title for voucher in house.list_vouchers(REF)] == ["Thanks"]
    assert [voucher.title for voucher in house.list_vouchers(noor)] == ["Thanks"]


def test_a_code_that_is_not_taken_enrols_nobody_and_says_why(
    house: HouseProvider, rule: ReferralRule
) -> None:
    Member.objects.update(email="mia.stone@example.test")
    assert why_not(house, code="ZZZZ-ZZZZ") == "No member has this referral code."
    assert why_not(house, email="miastone+2@example.test") == "Nobody can refer themselves."
    assert Member.objects.count() == 1


def test_who_is_a_member_already_is_not_referred(house: HouseProvider, rule: ReferralRule) -> None:
    leo = build_member("ACME-000102")
    assert join(house, email=leo.email) == "ACME-000102"
    assert not Referral.objects.exists()


def test_a_code_can_be_entered_later_before_the_first_order(house: HouseProvider, rule: ReferralRule) -> None:
    leo, code = build_member("ACME-000102"), code_of(house)
    referral = house.get_member(leo.member_id).referral
    assert referral
    assert referral.can_enter
    house.enter_referral(leo.member_id, code)
    assert Referral.objects.get().referrer.member_id == REF
    for ref in (leo.member_id, REF):
        with pytest.raises(Rejected) as caught:
            house.enter_referral(ref, code_of(house, leo.member_id))
        assert caught.value.text


def test_a_code_cannot_be_entered_late(house: HouseProvider, rule: ReferralRule) -> None:
    leo, code = build_member("ACME-000102"), code_of(house)
    house.record_order(build_order(ref=leo.member_id))
    with pytest.raises(Rejected) as caught:
        house.enter_referral(leo.member_id, code)
    assert caught.value.text == "A referral code can be entered only before the first order."
    ana = build_member("ACME-000103")
    Member.objects.filter(pk=ana.pk).update(joined_at=ana.joined_at - timedelta(days=15))
    with pytest.raises(Rejected) as caught:
        house.enter_referral(ana.member_id, code)
    assert caught.value.text == "A referral code can be entered only soon after joining."


def test_a_referrer_above_the_limit_gets_nothing_and_the_friend_does(
    house: HouseProvider, rule: ReferralRule
) -> None:
    ReferralRule.objects.update(per_year=1)
    friends = [join(house, email=f"friend{number}@example.test") for number in range(2)]
    for friend in friends:
        house.record_order(build_order(f"order-{friend}", ref=friend))
    assert points(REF) == 50
    assert [points(friend) for friend in friends] == [20, 20]


def test_the_limit_counts_years_of_the_programs_time_zone(
    house: HouseProvider, rule: ReferralRule, monkeypatch: pytest.MonkeyPatch
) -> None:
    ReferralRule.objects.update(per_year=1)
    house = HouseProvider(replace(house.config, time_zone="America/Los_Angeles"))
    friends = [join(house, email=f"friend{number}@example.test") for number in range(2)]
    # Still 31 December in Los Angeles.
    monkeypatch.setattr(clock, "now", lambda: datetime(2027, 1, 1, 3, tzinfo=UTC))
    for friend in friends:
        house.record_order(build_order(f"order-{friend}", ref=friend))
    assert points(REF) == 50


@pytest.mark.parametrize("way", ["return", "complete", "cancel"])
def test_an_order_that_is_back_takes_both_rewards_back_for_good(
    house: HouseProvider, rule: ReferralRule, way: str
) -> None:
    rule.friend_campaign = build_campaign(campaign_id="friends")
    rule.save()
    noor = join(house)
    house.record_order(build_order(ref=noor))
    if way == "cancel":
        house.cancel_order(build_order(ref=noor))
    elif way == "complete":
        house.record_return(replace(build_return("10.00"), is_complete=True))
    else:
        house.record_return(build_return("30.00"))
        assert points(REF) == 50
        house.record_return(build_return("50.00", "return-2"))
    assert (points(REF), points(noor)) == (0, 0)
    assert house.list_vouchers(noor) == ()
    house.record_order(build_order("order-2", ref=noor))
    assert (points(REF), points(noor)) == (0, 0)
    assert Referral.objects.get().state == ReferralState.TAKEN_BACK


def test_only_points_that_can_be_spent_are_taken_back(house: HouseProvider, rule: ReferralRule) -> None:
    noor = join(house)
    house.record_order(build_order(ref=noor))
    house.spend(build_intent(points=100))
    house.spend(build_intent("key-2", points=100))
    house.spend(build_intent("key-3", points=100))
    house.cancel_order(build_order(ref=noor))
    assert points(REF) == 50
    assert Member.objects.get(member_id=REF).spendable == 0


def test_a_voucher_in_a_cart_is_taken_back_when_it_leaves_the_cart(
    house: HouseProvider, rule: ReferralRule
) -> None:
    rule.friend_campaign = build_campaign(campaign_id="friends")
    rule.save()
    noor = join(house)
    house.record_order(build_order(ref=noor))
    (voucher,) = house.list_vouchers(noor)
    intent = build_intent(points=0, item_id=voucher.voucher_id, kind=SpendKind.VOUCHER, ref=noor)
    spend = house.spend(intent)
    house.cancel_order(build_order(ref=noor))
    house.release(spend)
    assert house.list_vouchers(noor) == ()


@pytest.mark.parametrize("base", ["0.00", "80.00"])
def test_an_order_of_nothing_and_one_that_is_back_before_it_is_known_reward_nobody(
    house: HouseProvider, rule: ReferralRule, base: str
) -> None:
    ReferralRule.objects.update(minimum=0)
    EarnRule.objects.update(points_per_unit=0)
    noor = join(house)
    if base != "0.00":
        house.record_return(replace(build_return(base), member_ref=noor))
    house.record_order(build_order(base=base, ref=noor))
    assert (points(REF), points(noor)) == (0, 0)


def test_an_order_that_was_cancelled_first_rewards_nobody(house: HouseProvider, rule: ReferralRule) -> None:
    noor = join(house)
    house.cancel_order(build_order(ref=noor))
    house.record_order(build_order(ref=noor))
    assert (points(REF), points(noor)) == (0, 0)


def test_a_reward_that_was_interrupted_is_completed_by_the_worker(
    house: HouseProvider, rule: ReferralRule, monkeypatch: pytest.MonkeyPatch
) -> None:
    noor = join(house)
    monkeypatch.setattr("providers.house.earning.settle", lambda *args: None)
    house.record_order(build_order(ref=noor))
    assert Referral.objects.get().state == ReferralState.DUE
    monkeypatch.undo()
    for _ in range(2):
        settle("acme", Zone())
    assert (points(REF), points(noor)) == (50, 20)
