"""Look-up and enrolment in the house program."""

import re

import pytest

from providers.errors import Rejected, RejectReason
from providers.house.models import Member
from providers.house.provider import HouseProvider
from providers.types import Consent, Consents, MemberProfile, MemberQuery, QueryKind
from tests.providers.house import REF

NOOR = MemberProfile(email="Noor@Example.test", phone="+16175550104", first_name="Noor")
YES = Consents(email=Consent.YES, sms=Consent.YES)


def test_a_new_member_gets_an_id_for_her_card(house: HouseProvider) -> None:
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


def test_ids_are_found_whatever_their_case(house: HouseProvider, member: Member) -> None:
    (hit,) = house.find_members(MemberQuery(kind=QueryKind.MEMBER_ID, value=REF.lower()))
    assert hit.ref == REF


def test_enrolling_a_member_leaves_her_profile_alone(house: HouseProvider) -> None:
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


def test_somebody_without_any_address_cannot_enrol(house: HouseProvider) -> None:
    with pytest.raises(Rejected) as caught:
        house.enrol(MemberProfile(first_name="Noor"), Consents())
    assert caught.value.reason is RejectReason.INVALID_INPUT
