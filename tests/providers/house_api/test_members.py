"""Finding, enrolling and reading members."""

from decimal import Decimal

import pytest

from providers.house.models import BirthdayRule, Member, Referral, ReferralRule, Reward, Voucher
from tests.providers.house import build_campaign, build_member
from tests.providers.house_api.conftest import Shop, mem, reservation_of


@pytest.mark.parametrize(
    "query",
    [
        {"member_number": "ACME-000001"},
        {"member_number": "acme 000001"},
        {"email": "ACME-000001@example.test"},
        {"phone": "+16175550100"},
    ],
)
def test_a_member_is_found_by_number_email_or_phone(shop: Shop, mia: Member, query: dict[str, str]) -> None:
    Member.objects.filter(pk=mia.pk).update(phone="+16175550100", first_name="Mia")
    (found,) = shop.post("members/search", query)["members"]
    assert (found["member"], found["member_number"], found["first_name"]) == (mem(mia), "ACME-000001", "Mia")
    assert found["consents"] == {"email": "not_asked", "sms": "not_asked"}
    assert shop.get(f"members/{found['member']}") == found


def test_look_alike_letters_of_a_number_find_no_other_member(shop: Shop, mia: Member) -> None:
    """A system sends the number, and no associate sees whose it is (decision 0052)."""
    assert shop.post("members/search", {"member_number": "ACME-OOOOO1"}) == {"members": []}


def test_one_way_of_finding_is_given(shop: Shop) -> None:
    for query in ({}, {"email": "x@example.test", "phone": "+16175550100"}):
        assert shop.post("members/search", query)["errors"][0]["field"] == "member_number"
        assert shop.status == 422


def test_enrolling_twice_makes_one_member_and_shows_no_profile(shop: Shop) -> None:
    body = {"email": "Mia@Example.com", "first_name": "Mia", "consents": {"email": "yes"}}
    first, second = shop.post("members", body), shop.post("members", {**body, "first_name": "Eve"})
    assert first == second
    assert set(first) == {"member", "member_number"}
    member = Member.objects.get()
    assert (member.email, member.first_name, member.consent_email) == ("mia@example.com", "Mia", "yes")


def test_an_address_is_needed_to_enrol(shop: Shop) -> None:
    assert shop.post("members", {"first_name": "Mia"})["errors"][0]["field"] == "email"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("birthday", "1990-05-04"),
        ("birthday", "02-30"),
        ("birthday", "2190-01-01"),
        ("birthday", "4 May"),
        ("referral_code", "ACDE-FGHJ"),
    ],
)
def test_what_the_program_does_not_ask_or_a_wrong_day_is_refused(shop: Shop, field: str, value: str) -> None:
    refused = shop.post("members", {"email": "mia@example.com", field: value})
    assert (shop.status, refused["errors"][0]["field"]) == (422, field)
    assert not Member.objects.exists()


def test_birthday_and_referral_code_are_taken_where_the_program_asks(shop: Shop, mia: Member) -> None:
    BirthdayRule.objects.create(program="acme", campaign=build_campaign(campaign_id="birthday"))
    ReferralRule.objects.create(program="acme", referrer_points=100, friend_points=50)
    Member.objects.filter(pk=mia.pk).update(referral_code="ACDEFGHJ")
    body = {"email": "leo@example.com", "birthday": "02-29", "referral_code": "acde fghj"}
    assert shop.post("members", body | {"referral_code": "WRONG"})["errors"][0]["field"] == "referral_code"
    leo = Member.objects.get(member_id=shop.post("members", body)["member_number"])
    assert (leo.birth_month, leo.birth_day, leo.birth_year) == (2, 29, None)
    assert Referral.objects.get().referrer == mia


def test_a_consent_is_withdrawn_and_the_other_stays(shop: Shop, mia: Member) -> None:
    Member.objects.filter(pk=mia.pk).update(phone="+16175550100", consent_sms="yes", consent_email="yes")
    changed = shop.call("PATCH", f"members/{mem(mia)}/consents", {"email": "no"})
    assert changed == {"email": "no", "sms": "yes"}


def test_the_balance_names_tier_and_the_way_to_the_next(shop: Shop, mia: Member) -> None:
    assert shop.get(f"members/{mem(mia)}/balance") == {
        "spendable": 250,
        "reserved": 0,
        "expiring": [],
        "tier": {"name": "Bronze", "benefits": "", "points": 0, "next_name": "Silver", "next_from": 500},
    }


def test_rewards_have_discount_lock_and_what_is_only_for_the_shop(shop: Shop, mia: Member) -> None:
    Reward.objects.create(
        program="acme", reward_id="ship", title="Free shipping", cost=50, kind="online_only"
    )
    Reward.objects.create(program="acme", reward_id="big", title="Big", cost=900, kind="percent", percent=20)
    Reward.objects.create(
        program="acme",
        reward_id="pay",
        title="Pay with points",
        kind="points",
        points_min=100,
        points_max=1000,
        points_step=10,
        value_per_point=Decimal("0.01"),
    )
    found = {each["reward_id"]: each for each in shop.get(f"members/{mem(mia)}/rewards")["rewards"]}
    assert found["ship"]["lock"] is None
    assert found["big"]["lock"] == {"reason": "POINTS", "points_gap": 650, "tier": ""}
    assert found["big"]["discount"]["percent"] == "20.00"
    assert found["five-off"]["discount"]["amount"] == {"amount": "5.00", "currency": "USD"}
    assert found["pay"]["points_range"] == {
        "minimum": 100,
        "maximum": 1000,
        "step": 10,
        "value_per_point": "0.01",
    }


def test_vouchers_and_history_are_listed(shop: Shop, mia: Member) -> None:
    Voucher.objects.create(
        program="acme", member=mia, voucher_id="v1", title="Ship", kind="online_only", code="SHIP-1"
    )
    (voucher,) = shop.get(f"members/{mem(mia)}/vouchers")["vouchers"]
    assert (voucher["voucher_id"], voucher["code"], voucher["discount"]["kind"]) == (
        "v1",
        "SHIP-1",
        "online_only",
    )
    (movement,) = shop.get(f"members/{mem(mia)}/history")["movements"]
    assert movement["points"] == 250


def test_a_typed_code_of_a_campaign_is_found_and_reserved(shop: Shop, mia: Member) -> None:
    build_campaign("SUMMER-7Q2M")
    found = shop.post(f"members/{mem(mia)}/vouchers/search", {"code": " summer 7q2m"})
    assert (found["code"], found["discount"]["amount"]["amount"]) == ("SUMMER-7Q2M", "10.00")
    item = {"kind": "voucher", "item_id": found["voucher_id"], "points": 0}
    reserved = shop.post("reservations", reservation_of(mia, **item))
    assert reserved["discount"] == found["discount"]
    assert shop.post(f"members/{mem(mia)}/vouchers/search", {"code": "OTHER"})["code"] == "reward_not_found"


def test_a_merged_card_stands_for_the_other_one(shop: Shop, mia: Member) -> None:
    old = build_member("ACME-000002")
    Member.objects.filter(pk=old.pk).update(merged_into=mia, email="")
    assert shop.get(f"members/{mem(old)}/balance")["spendable"] == 250
    assert shop.get(f"members/{mem(old)}")["member"] == mem(mia)
