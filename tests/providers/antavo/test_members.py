"""Members: found in Antavo's order, read in its shapes, enrolled once."""

import pytest
from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.vendors.antavo import server
from providers.antavo.provider import AntavoProvider
from providers.errors import Rejected, RejectReason
from providers.types import Consent, Consents, MemberProfile, MemberQuery, QueryKind
from tests.providers.antavo.conftest import ANA, MIA, Connect, Served

NOOR = MemberProfile(email="noor@example.test", phone="+16175550103", first_name="Noor", last_name="Haddad")


def find(provider: AntavoProvider, kind: QueryKind, value: str) -> list[str]:
    return [member.ref for member in provider.find_members(MemberQuery(kind=kind, value=value))]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (QueryKind.EMAIL, "mia@example.test"),
        (QueryKind.PHONE, "+16175550100"),
        (QueryKind.MEMBER_ID, MIA),
        (QueryKind.MEMBER_ID, "ACME-000101"),
        (QueryKind.CODE, MIA),
        (QueryKind.CODE, "ACME-000101"),
    ],
)
def test_a_member_is_found_by_every_code_on_the_card(
    provider: AntavoProvider, kind: QueryKind, value: str
) -> None:
    assert find(provider, kind, value) == [MIA]


@pytest.mark.parametrize("kind", [QueryKind.MEMBER_ID, QueryKind.CODE])
@pytest.mark.parametrize(
    "value", ["acme-000101", "ACME- 000101", "ACME000101", "Acme\u2011000101", "\u2068acme-000101\u2069"]
)
def test_a_member_is_found_in_other_spellings(provider: AntavoProvider, kind: QueryKind, value: str) -> None:
    assert find(provider, kind, value) == [MIA]


def test_two_members_whose_cards_differ_by_case_are_a_choice(
    provider: AntavoProvider, vendor: Served
) -> None:
    vendor.mia.cards[:] = ["FAMILY-1"]
    vendor.workspace.customers[ANA].cards[:] = ["family-1"]
    assert find(provider, QueryKind.CODE, "FAMILY-1") == [MIA]
    assert find(provider, QueryKind.CODE, "family-1") == [ANA]
    assert sorted(find(provider, QueryKind.CODE, "Family-1")) == sorted([MIA, ANA])


def test_an_unknown_number_costs_few_calls(provider: AntavoProvider, vendor: Served) -> None:
    assert find(provider, QueryKind.MEMBER_ID, "4006381333931") == []
    assert len(vendor.asked) == 2, "digits have no other spelling"
    vendor.asked.clear()
    assert find(provider, QueryKind.MEMBER_ID, "nobody-1") == []
    assert len(vendor.asked) == 6, "small letters, capitals, without dashes: two calls each"


def test_a_tagged_e_mail_is_signed_right(provider: AntavoProvider, vendor: Served) -> None:
    vendor.mia.profile["email"] = "mia+shop@example.test"
    assert find(provider, QueryKind.EMAIL, "mia+shop@example.test") == [MIA]


@pytest.mark.parametrize("code", ["-", ".", "..", "a/b", "a:b", "x/./y", "%2F", "mia@example.test"])
def test_a_code_with_path_characters_finds_no_member(provider: AntavoProvider, code: str) -> None:
    assert find(provider, QueryKind.CODE, code) == []


def test_a_card_with_an_external_id_is_found_when_the_program_names_its_field(
    vendor: Served, connect: Connect
) -> None:
    vendor.mia.profile["loyalty_barcode"] = "1234567890123"
    assert find(connect(), QueryKind.CODE, "1234567890123") == []
    assert find(connect(card_fields="loyalty_barcode"), QueryKind.CODE, "1234567890123") == [MIA]


@pytest.mark.parametrize("shape", ["data", "list", "object"])
def test_a_search_is_read_in_each_of_its_three_shapes(
    provider: AntavoProvider, vendor: Served, shape: str
) -> None:
    vendor.workspace.search_shape = shape
    assert find(provider, QueryKind.EMAIL, "mia@example.test") == [MIA]


@pytest.mark.parametrize("status", ["opted_out", "merged"])
def test_a_member_who_has_left_is_not_found(provider: AntavoProvider, vendor: Served, status: str) -> None:
    vendor.mia.status = status
    assert find(provider, QueryKind.EMAIL, "mia@example.test") == []
    assert find(provider, QueryKind.CODE, "ACME-000101") == []
    with pytest.raises(Rejected) as caught:
        provider.get_member(MIA)
    assert caught.value.reason is RejectReason.MEMBER_NOT_FOUND


def test_a_profile_shows_points_tier_and_the_way_to_the_next(
    provider: AntavoProvider, vendor: Served
) -> None:
    vendor.mia.reservations["web-1"] = 20
    member = provider.get_member(MIA)
    assert (member.first_name, member.member_id) == ("Mia", "ACME-000101")
    assert (member.balance.spendable, member.balance.reserved) == (800, 20)
    assert [each.points for each in member.balance.expiring] == [50]
    assert member.tier is not None
    assert (member.tier.name, member.tier.next_name) == ("Silver", "Gold")
    assert (member.tier.progress, member.tier.next_threshold) == (820, 2000)
    assert member.consents == Consents()


def test_the_top_tier_has_no_next_one(provider: AntavoProvider) -> None:
    tier = provider.get_member(ANA).tier
    assert tier is not None
    assert (tier.name, tier.next_name, tier.next_threshold) == ("Gold", "", 0)


def test_the_tier_of_the_programs_own_structure_is_shown(connect: Connect) -> None:
    assert connect(tier_structure="main").get_member(MIA).tier is not None
    assert connect(tier_structure="another").get_member(MIA).tier is None


def test_the_points_are_those_of_the_programs_account(connect: Connect) -> None:
    assert connect(account="main_account").get_member(MIA).balance.spendable == 820


def test_enrolment_sends_the_profile_and_the_consents_that_were_given(
    provider: AntavoProvider, vendor: Served
) -> None:
    member = provider.enrol(NOOR, Consents(email=Consent.YES))
    assert vendor.events("opt_in") == [
        {
            "email": "noor@example.test",
            "mobile_phone": "+16175550103",
            "first_name": "Noor",
            "last_name": "Haddad",
            "email_consent": True,
        }
    ]
    assert member.ref.isalnum()
    assert member.consents == Consents(email=Consent.YES)


def test_an_enrolment_whose_answer_was_lost_is_not_repeated(provider: AntavoProvider, vendor: Served) -> None:
    first = provider.enrol(NOOR, Consents())
    # The look-up came a moment too early: the search does not find the new member yet.
    vendor.workspace.customers[first.ref].profile["email"] = "hidden"
    vendor.workspace.customers[first.ref].profile["mobile_phone"] = "hidden"
    assert provider.enrol(NOOR, Consents()).ref == first.ref


def test_an_existing_profile_keeps_its_name_and_takes_the_consent_for_its_own_address(
    provider: AntavoProvider, vendor: Served
) -> None:
    profile = MemberProfile(email="mia@example.test", phone="+16175559999", first_name="Eve")
    member = provider.enrol(profile, Consents(email=Consent.NO, sms=Consent.YES))
    assert (member.ref, member.first_name) == (MIA, "Mia")
    assert vendor.events("profile") == [{"email_consent": False}]
    assert member.consents == Consents(email=Consent.NO)


def test_undocumented_names_of_members_can_be_changed(vendor: Served, connect: Connect) -> None:
    vendor.mia.profile["newsletter"] = "yes"
    member = connect(names={"consent_email": "newsletter"}).get_member(MIA)
    assert member.consents.email is Consent.YES


def test_names_come_in_the_members_language(
    provider: AntavoProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = server.AntavoVendor.respond

    def in_german(self: server.AntavoVendor, request: Request) -> Response:
        response = plain(self, request)
        text = response.get_data(as_text=True).replace('"language": "en"', '"language": "de"')
        response.set_data(text.replace('{"en": "Silver"}', '{"en": "Silver", "de": "Silber"}'))
        return response

    monkeypatch.setattr(server.AntavoVendor, "respond", in_german)
    tier = provider.get_member(MIA).tier
    assert tier is not None
    assert tier.name == "Silber"
