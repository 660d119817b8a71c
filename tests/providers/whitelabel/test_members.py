"""Who is found, how they are described, and how they enrol."""

from decimal import Decimal

import pytest

from loyaltyview.sandbox.vendors.whitelabel.server import WhiteLabel
from providers.errors import OutcomeUnknown, Rejected, RejectReason
from providers.types import Consent, Consents, MemberProfile, MemberQuery, QueryKind
from providers.whitelabel.provider import WhiteLabelProvider
from tests.providers.whitelabel.conftest import LoseAnswers


def find(provider: WhiteLabelProvider, kind: QueryKind, value: str) -> list[str]:
    return [member.member_id for member in provider.find_members(MemberQuery(kind=kind, value=value))]


@pytest.mark.parametrize("kind", [QueryKind.MEMBER_ID, QueryKind.CODE])
def test_id_account_number_and_login_all_name_the_member(
    provider: WhiteLabelProvider, mia: str, kind: QueryKind
) -> None:
    for value in (mia, mia.upper(), "1000101", "auth0|mia"):
        assert find(provider, kind, value) == ["1000101"]


@pytest.mark.parametrize("value", ["AUTH0|Mia", " auth0|mia\u200b", "100 0101", "100-0101"])
def test_a_member_is_found_in_other_spellings(provider: WhiteLabelProvider, value: str) -> None:
    assert find(provider, QueryKind.MEMBER_ID, value) == ["1000101"]


def test_two_members_whose_logins_differ_by_case_are_a_choice(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, ana: str
) -> None:
    vendor.state.users[mia]["authIdentifier"] = "FAMILY-1"
    vendor.state.users[ana]["authIdentifier"] = "family-1"
    assert find(provider, QueryKind.CODE, "family-1") != find(provider, QueryKind.CODE, "FAMILY-1")
    assert len(find(provider, QueryKind.CODE, "Family-1")) == 2


@pytest.mark.parametrize("word", ["me", "summary", "..", "auth0|mi", "100010"])
def test_a_word_that_is_another_address_of_the_vendor_finds_nobody(
    provider: WhiteLabelProvider, word: str
) -> None:
    assert find(provider, QueryKind.MEMBER_ID, word) == []


def test_a_phone_is_found_however_it_was_typed_into_the_profile(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    for spelled in ("+16175550100", "16175550100", "+1 617-555-0100", "(617) 555-0100"):
        vendor.state.users[mia]["profile"]["telephoneNumber"] = spelled
        assert find(provider, QueryKind.PHONE, "+16175550100") == ["1000101"]


def test_people_who_share_an_address_are_all_found(provider: WhiteLabelProvider, vendor: WhiteLabel) -> None:
    for user in vendor.state.users.values():
        user["profile"]["emailAddress"] = "Family@Example.test"
    assert len(find(provider, QueryKind.EMAIL, "family@example.test")) == 3


def test_the_tier_says_how_far_the_next_one_is(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    tier = provider.get_member(mia).tier
    assert tier is not None
    assert (tier.name, tier.next_name) == ("Silver", "Gold")
    assert (tier.threshold, tier.progress, tier.next_threshold) == (500, 820, 2000)
    vendor.state.lifetime[mia] = 2400
    tier = provider.get_member(mia).tier
    assert tier is not None
    assert (tier.name, tier.next_name, tier.progress) == ("Gold", "", Decimal(2000))


def test_a_balance_below_zero_is_shown_as_it_is(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    vendor.state.points[mia] = -40
    assert provider.get_member(mia).balance.spendable == -40


def test_enrolling_without_name_or_address_leaves_both_empty(
    provider: WhiteLabelProvider, vendor: WhiteLabel
) -> None:
    member = provider.enrol(MemberProfile(phone="+16175550103"), Consents())
    assert (member.first_name, member.last_name, member.email) == ("", "", "")
    stored = vendor.state.users[member.ref]["profile"]
    assert stored["givenName"] == "UNKNOWN"
    assert stored["emailAddress"].endswith(".example.com")
    assert member.consents == Consents(email=Consent.NOT_ASKED, sms=Consent.NOT_ASKED)


def test_a_repeated_enrolment_after_a_lost_answer_makes_no_second_member(
    provider: WhiteLabelProvider, vendor: WhiteLabel, lose_answers: LoseAnswers
) -> None:
    profile = MemberProfile(email="noor@example.test", first_name="Noor")
    with lose_answers(), pytest.raises(OutcomeUnknown):
        provider.enrol(profile, Consents(email=Consent.YES))
    member = provider.enrol(profile, Consents(email=Consent.YES))
    assert len(vendor.state.users) == 4
    assert member.consents == Consents(email=Consent.YES)


def test_a_second_enrolment_changes_the_consents_that_were_asked(
    provider: WhiteLabelProvider, vendor: WhiteLabel
) -> None:
    profile = MemberProfile(email="mia@example.test")
    assert provider.enrol(profile, Consents(sms=Consent.YES)).consents == Consents(sms=Consent.YES)
    assert provider.enrol(profile, Consents(email=Consent.YES)).consents == Consents(
        email=Consent.YES, sms=Consent.YES
    )
    assert provider.enrol(profile, Consents(sms=Consent.NO)).consents == Consents(
        email=Consent.YES, sms=Consent.NO
    )
    assert len(vendor.state.consents) == 2


def test_a_profile_that_the_vendor_refuses_is_invalid_input(provider: WhiteLabelProvider) -> None:
    with pytest.raises(Rejected) as caught:
        provider.enrol(MemberProfile(email="not-an-address"), Consents())
    assert caught.value.reason is RejectReason.INVALID_INPUT


def test_the_phone_of_somebody_else_with_another_address_is_not_enrolled_twice(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    member = provider.enrol(MemberProfile(email="new@example.test", phone="+16175550100"), Consents())
    assert member.ref == mia
    assert len(vendor.state.users) == 3
