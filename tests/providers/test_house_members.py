"""Look-up and enrolment in the house program."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyaltyview.webview.member_data import look_up
from loyaltyview.webview.search_input import read_query
from providers.errors import Rejected, RejectReason
from providers.house.ledger import cards_of
from providers.house.models import Member
from providers.house.provider import HouseProvider
from providers.types import Consent, Consents, MemberProfile, MemberQuery, QueryKind
from tests.plans import analyze, plan_of
from tests.providers.house import REF, build_member

NOOR = MemberProfile(email="Noor@Example.test", phone="+16175550104", first_name="Noor")
YES = Consents(email=Consent.YES, sms=Consent.YES)


def test_a_new_member_gets_an_id_for_the_card(house: HouseProvider) -> None:
    noor = house.enrol(NOOR, Consents())
    assert re.fullmatch(r"ACME-\d{8}", noor.member_id)
    assert (noor.email, noor.balance.spendable) == ("noor@example.test", 0)
    assert noor.consents == Consents()


def test_a_member_of_another_program_is_a_stranger(house: HouseProvider) -> None:
    Member.objects.create(program="other", member_id="OTHER-1", email="noor@example.test")
    assert house.find_members(MemberQuery(kind=QueryKind.EMAIL, value="noor@example.test")) == ()
    assert house.enrol(NOOR, Consents()).ref != "OTHER-1"
    with pytest.raises(Rejected):
        house.get_member("OTHER-1")


def test_ids_are_found_in_any_case(house: HouseProvider, member: Member) -> None:
    (hit,) = house.find_members(MemberQuery(kind=QueryKind.MEMBER_ID, value=REF.lower()))
    assert hit.ref == REF


@pytest.mark.parametrize("typed", ["acme000001", "ACME 000001", "acme\u2011000001", "\u2068ACME-000001"])
@pytest.mark.parametrize("kind", [QueryKind.MEMBER_ID, QueryKind.CODE])
def test_ids_are_found_without_blanks_and_dashes(
    house: HouseProvider, member: Member, kind: QueryKind, typed: str
) -> None:
    assert [hit.ref for hit in house.find_members(MemberQuery(kind=kind, value=typed))] == [REF]


def test_two_members_whose_ids_differ_by_a_dash_are_a_choice(house: HouseProvider, member: Member) -> None:
    build_member("ACME000001")
    for exact in ("ACME000001", REF):
        (hit,) = house.find_members(MemberQuery(kind=QueryKind.MEMBER_ID, value=exact))
        assert hit.ref == exact
    found = house.find_members(MemberQuery(kind=QueryKind.MEMBER_ID, value="acme-0000-01"))
    assert [hit.ref for hit in found] == ["ACME-000001", "ACME000001"]


@pytest.mark.parametrize(
    ("stored", "scanned"), [("123456789012", "0123456789012"), ("0123456789012", "123456789012")]
)
def test_a_card_with_a_upc_code_is_found_by_both_of_its_readings(
    house: HouseProvider, stored: str, scanned: str
) -> None:
    build_member(stored)
    assert [hit.ref for hit in look_up(house, read_query(scanned, "US"))] == [stored]


@pytest.fixture
def many(db: None) -> None:
    """So many members that PostgreSQL prefers the right index to any other."""
    Member.objects.bulk_create(
        Member(program="acme", member_id=f"ACME-{number:06}") for number in range(1000, 1300)
    )
    analyze("house_member")


@pytest.mark.parametrize(
    ("kind", "value"), [(QueryKind.EMAIL, "mia@example.test"), (QueryKind.PHONE, "+16175550100")]
)
def test_the_look_up_by_contact_uses_an_index(house: HouseProvider, kind: QueryKind, value: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        house.find_members(MemberQuery(kind=kind, value=value))
    plan = plan_of(queries[0]["sql"])
    assert "Seq Scan" not in plan
    if connection.vendor == "sqlite":  # PostgreSQL's choice depends on how much there is
        assert f"house_one_member_per_{kind.value}" in plan


def test_the_cards_of_a_member_are_found_by_an_index(house: HouseProvider, many: None) -> None:
    member = build_member("ACME-000101")
    with CaptureQueriesContext(connection) as queries:
        assert list(cards_of(member)) == [member]
    plan = plan_of(queries[0]["sql"])
    assert "SCAN house_member" not in plan
    assert "Seq Scan" not in plan
    if connection.vendor == "sqlite":
        assert "house_member_merged" in plan


def test_the_look_up_without_dashes_uses_an_index(house: HouseProvider, many: None) -> None:
    with CaptureQueriesContext(connection) as queries:
        house.find_members(MemberQuery(kind=QueryKind.MEMBER_ID, value="acme 000001"))
    assert "house_member_bare_id" in plan_of(queries[1]["sql"])


def test_letters_that_look_like_digits_find_the_only_member_they_can_mean(
    house: HouseProvider, many: None
) -> None:
    build_member("ACME-000101")
    query = MemberQuery(kind=QueryKind.MEMBER_ID, value="acme ooo1oi", is_typed=True)
    assert house.find_members(MemberQuery(kind=QueryKind.MEMBER_ID, value=query.value)) == ()
    assert [hit.ref for hit in house.find_members(query)] == ["ACME-000101"]
    with CaptureQueriesContext(connection) as queries:
        house.find_members(MemberQuery(kind=QueryKind.MEMBER_ID, value="acme ooo1o9", is_typed=True))
    assert "house_member_look_alike_id" in plan_of(queries[-1]["sql"])
    build_member("ACME-OOO10I")
    assert house.find_members(query) == ()


def test_enrolling_a_member_again_keeps_the_profile(house: HouseProvider) -> None:
    first = house.enrol(NOOR, Consents())
    again = house.enrol(MemberProfile(email=NOOR.email, phone="+16175550199", first_name="Eve"), Consents())
    assert again == first


def test_a_consent_is_an_answer_for_the_address_it_was_asked_about(house: HouseProvider) -> None:
    house.enrol(NOOR, Consents())
    other_phone = MemberProfile(email=NOOR.email, phone="+16175550199")
    assert house.enrol(other_phone, YES).consents == Consents(email=Consent.YES)
    assert house.enrol(NOOR, YES).consents == YES
    assert house.enrol(NOOR, Consents()).consents == YES
    assert house.enrol(NOOR, Consents(email=Consent.NO)).consents.email is Consent.NO


def test_a_customer_without_email_and_phone_cannot_enrol(house: HouseProvider) -> None:
    with pytest.raises(Rejected) as caught:
        house.enrol(MemberProfile(first_name="Noor"), Consents())
    assert caught.value.reason is RejectReason.INVALID_INPUT
