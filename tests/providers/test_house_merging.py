"""Two cards of one person: after a merge everything works with either number, and no point is lost."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum

from providers import merged
from providers.errors import Rejected, RejectReason
from providers.house.expiry import expire_all, expire_points
from providers.house.ledger import post
from providers.house.merging import merge_members
from providers.house.models import (
    BirthdayGift,
    Entry,
    EntryKind,
    Hold,
    Member,
    Merge,
    Referral,
    ReferralRule,
    Voucher,
)
from providers.house.provider import HouseProvider
from providers.sales import Finding, SpendKind
from providers.types import Consent, MemberQuery, QueryKind
from tests.providers.house import (
    REF,
    build_campaign,
    build_intent,
    build_member,
    build_order,
    build_return,
    use_code,
)

OLD = "ACME-000777"


@pytest.fixture
def old(house: HouseProvider, member: Member) -> Member:
    """Mia's other card, with 300 points. Mia has 250 on the card that survives."""
    return build_member(OLD, points=300, tier_points=300)


def merge(reason: str = "Enrolled twice") -> Merge:
    return merge_members("acme", REF, OLD, actor="ada", reason=reason)


def balance(ref: str = REF) -> tuple[int, int, int]:
    member = Member.objects.get(member_id=ref)
    sums = member.entries.aggregate(points=Sum("points"), tier=Sum("tier_points"))
    assert (sums["points"] or 0) == member.spendable + member.reserved
    assert (sums["tier"] or 0) == member.lifetime_points
    return member.spendable, member.reserved, member.lifetime_points


def test_points_move_by_new_lines_and_both_numbers_find_the_survivor(
    house: HouseProvider, old: Member
) -> None:
    before = Entry.objects.count()
    row = merge()
    assert balance() == (550, 0, 300)
    assert balance(OLD) == (0, 0, 0)
    assert Entry.objects.count() == before + 2
    assert house.get_member(OLD).ref == REF
    for typed in (OLD, "acme 000777"):
        (found,) = house.find_members(MemberQuery(kind=QueryKind.MEMBER_ID, value=typed))
        assert found.ref == REF
    assert (row.actor, row.reason, row.numbers["spendable"]) == ("ada", "Enrolled twice", 300)


def test_history_is_that_of_both_cards(house: HouseProvider, old: Member) -> None:
    merge()
    assert sorted(movement.points for movement in house.get_history(REF).movements) == [250, 300]


def test_a_hold_of_the_old_card_is_found_confirmed_and_released(house: HouseProvider, old: Member) -> None:
    intents = [build_intent(f"key-{number}", ref=OLD) for number in range(3)]
    spends = [house.spend(intent) for intent in intents]
    merge()
    assert balance() == (250, 300, 300)
    assert house.find_spend(intents[0]).finding is Finding.HAPPENED
    assert house.spend(intents[0]).provider_ref == spends[0].provider_ref
    house.confirm(spends[0], build_order(ref=OLD))
    house.confirm(spends[0], build_order(ref=REF))
    house.release(spends[1])
    house.confirm(spends[2], build_order("order-2", ref=OLD))
    house.release_part(spends[2], 40, "part-1")
    house.release(spends[2])
    assert balance() == (450, 0, 300)


def test_a_spend_by_the_old_number_takes_the_survivors_points(house: HouseProvider, old: Member) -> None:
    merge()
    assert house.spend(build_intent(ref=OLD)).member_ref == REF
    assert balance()[:2] == (450, 100)


def test_orders_and_returns_that_name_the_old_card_are_the_survivors(
    house: HouseProvider, old: Member
) -> None:
    house.record_order(build_order("before", ref=OLD))
    merge()
    house.record_order(build_order("after", ref=OLD))
    assert house.record_order(build_order("before", ref=OLD)).points == 80
    assert balance() == (710, 0, 460)
    house.record_return(replace(build_return("40.00", order_id="before"), member_ref=OLD))
    house.record_return(replace(build_return("40.00", "return-2", "before"), member_ref=OLD))
    house.cancel_order(build_order("after", ref=OLD))
    assert balance() == (550, 0, 300)


def test_points_keep_their_day_of_expiry(house: HouseProvider, old: Member) -> None:
    now = datetime.now(UTC)
    soon, late = now + timedelta(days=10), now + timedelta(days=50)
    for order_id, at in (("a", soon), ("b", late)):
        post(
            Member.objects.get(pk=old.pk),
            EntryKind.EARN,
            100,
            reference=f"earn:{order_id}",
            order_id=order_id,
            amount=Decimal(100),
            expires_at=at,
        )
    house.spend(build_intent(ref=OLD))
    house.release(house.spend(build_intent("key-2", ref=OLD)))
    merge()
    expiring = house.get_member(REF).balance.expiring
    assert [(lot.points, lot.at) for lot in expiring] == [(100, late)]
    house.release(replace(house.spend(build_intent(ref=OLD)), member_ref=OLD))
    expiring = house.get_member(REF).balance.expiring
    assert [(lot.points, lot.at) for lot in expiring] == [(100, soon), (100, late)]
    house.record_return(replace(build_return("100.00", order_id="b"), member_ref=OLD))
    assert [(lot.points, lot.at) for lot in house.get_member(REF).balance.expiring] == [(100, soon)]
    expire_points("acme", OLD, soon + timedelta(days=1))
    assert balance()[0] == 550
    # The order whose points have expired takes nothing more when it comes back.
    house.record_return(replace(build_return("100.00", "return-2", "a"), member_ref=OLD))
    assert balance()[0] == 550


def test_points_that_expire_by_inactivity_are_looked_at_in_time(house: HouseProvider, old: Member) -> None:
    ago = datetime.now(UTC) - timedelta(days=330)
    fields = {"reference": "earn:a", "order_id": "a", "amount": Decimal(100), "inactivity_months": 12}
    post(build_member("ACME-000778"), EntryKind.EARN, 100, at=ago, **fields)
    build_member("ACME-000779")
    merge_members("acme", "ACME-000779", "ACME-000778", actor="ada", reason="Enrolled twice")
    (lot,) = house.get_member("ACME-000779").balance.expiring
    expired = expire_all("acme", lot.at + timedelta(days=1))
    assert [entry.points for entry in expired] == [-100]


def test_a_shortfall_of_the_old_card_is_paid_when_its_hold_comes_back(
    house: HouseProvider, old: Member
) -> None:
    house.record_order(build_order("before", base="100.00", ref=OLD))
    spends = [house.spend(build_intent(f"key-{number}", ref=OLD)) for number in range(4)]
    house.cancel_order(build_order("before", ref=OLD))
    merge()
    house.release(spends[0])
    assert balance()[0] == 250


def test_the_profile_is_filled_up_and_the_stricter_consent_wins(house: HouseProvider, old: Member) -> None:
    Member.objects.filter(pk=old.pk).update(
        first_name="Mia",
        phone="+16175550100",
        consent_email="no",
        consent_sms="yes",
        birth_month=2,
        birth_day=29,
    )
    Member.objects.filter(member_id=REF).update(consent_email="yes", consent_sms="not_asked")
    merge()
    mia = house.get_member(REF)
    assert (mia.first_name, mia.phone, mia.email) == ("Mia", "+16175550100", f"{REF.lower()}@example.test")
    assert (mia.consents.email, mia.consents.sms) == (Consent.NO, Consent.YES)
    assert Member.objects.get(member_id=REF).birth_day == 29
    assert Member.objects.get(member_id=OLD).email == ""


def test_vouchers_codes_and_gifts_move(house: HouseProvider, old: Member) -> None:
    build_campaign("SUMMER-1")
    spend = use_code(house, "key-1", "SUMMER-1", OLD)
    voucher = Voucher.objects.create(program="acme", member=old, title="$5", kind="fixed", amount=5)
    BirthdayGift.objects.create(member=old, year=2026, birthday=datetime.now(UTC).date(), voucher=voucher)
    merge()
    assert [found.title for found in house.list_vouchers(OLD)] == ["$5"]
    assert BirthdayGift.objects.get().member.member_id == REF
    house.confirm(spend, build_order(ref=OLD))
    house.release(spend)
    assert {found.code for found in house.list_vouchers(REF)} == {"", "SUMMER-1"}
    intent = build_intent("key-9", points=0, item_id=voucher.voucher_id, kind=SpendKind.VOUCHER, ref=OLD)
    assert house.spend(intent).is_held


def test_referrals_follow_and_nobody_refers_themself(house: HouseProvider, old: Member) -> None:
    member, noor = Member.objects.get(member_id=REF), build_member("ACME-000104")
    Referral.objects.create(program="acme", friend=member, referrer=old)
    Referral.objects.create(program="acme", friend=noor, referrer=old)
    merge()
    row = Referral.objects.get()
    assert (row.friend, row.referrer) == (noor, member)


@pytest.mark.parametrize("buys_first", [True, False])
def test_who_bought_before_they_were_referred_is_no_new_friend(
    house: HouseProvider, member: Member, buys_first: bool
) -> None:
    ReferralRule.objects.create(program="acme", friend_points=20)
    first, second = build_member("ACME-1"), build_member("ACME-2")
    if buys_first:
        house.record_order(build_order("order-1", ref="ACME-1"))
    Referral.objects.create(program="acme", friend=second, referrer=member)
    merge_members("acme", first.member_id, second.member_id, actor="ada", reason="Enrolled twice")
    house.record_order(build_order("order-2", ref="ACME-2"))
    gifts = Entry.objects.filter(reference__startswith="referral")
    assert gifts.exists() is not buys_first


def test_three_cards_become_one(house: HouseProvider, old: Member) -> None:
    build_member("ACME-000778", points=10)
    merge_members("acme", OLD, "ACME-000778", actor="ada", reason="Enrolled twice")
    merge()
    assert house.get_member("ACME-000778").ref == REF
    assert balance()[0] == 560
    assert house.former_refs(REF) == (OLD, "ACME-000778")
    house.erase_member(REF, "ERASED-1")
    assert set(Merge.objects.values_list("reason", flat=True)) == {"-"}


@pytest.mark.parametrize("pair", [(REF, REF), (REF, "ACME-404"), (REF, "ACME-000778")])
def test_what_cannot_be_merged_is_refused(house: HouseProvider, old: Member, pair: tuple[str, str]) -> None:
    build_member("ACME-000778")
    merge_members("acme", OLD, "ACME-000778", actor="ada", reason="x")
    with pytest.raises(Rejected) as caught:
        merge_members("acme", *pair, actor="ada", reason="x")
    assert caught.value.reason is RejectReason.INVALID_INPUT


def test_a_merge_needs_a_reason(old: Member) -> None:
    with pytest.raises(Rejected):
        merge(reason=" ")
    assert Member.objects.filter(merged_into=None).count() == 2


def test_an_erasure_by_either_number_erases_both_cards(house: HouseProvider, old: Member) -> None:
    merge()
    house.erase_member(OLD, "ERASED-1")
    numbers = set(Member.objects.values_list("member_id", flat=True))
    assert numbers == {"ERASED-1", "ERASED-1-1"}
    assert Merge.objects.get().reason == "-"
    with pytest.raises(Rejected):
        house.get_member(OLD)


def test_the_project_is_told_within_the_transaction(old: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, str, str]] = []
    monkeypatch.setattr(merged, "_listeners", [lambda *refs: told.append(refs)])
    merge()
    assert told == [("acme", OLD, REF)]
    assert not Hold.objects.exists()
