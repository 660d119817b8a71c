"""Look-up of customers by phone, pass, and e-mail where Pongo filters by it; enrolment and both consents."""

import pytest

from loyaltyview.sandbox.vendors.pongo.validation import not_found
from providers.base import Capability
from providers.errors import OutcomeUnknown, Rejected, RejectReason, Unsupported
from providers.pongo.models import PassCode
from providers.pongo.provider import PongoProvider
from providers.types import Consent, Consents, MemberProfile, MemberQuery, QueryKind
from tests.providers.pongo.conftest import ANA, MIA, Connect, LoseAnswers, Served

CUSTOMERS = "/v1/customers"
NOOR = MemberProfile(email="noor@example.test", phone="+16175550103", first_name="Noor", store="boston-1")


def refs(provider: PongoProvider, kind: QueryKind, value: str) -> list[str]:
    return [member.ref for member in provider.find_members(MemberQuery(kind=kind, value=value))]


def test_a_phone_goes_out_without_its_plus(provider: PongoProvider, vendor: Served) -> None:
    assert refs(provider, QueryKind.PHONE, "+16175550100") == [MIA]
    assert [path for _method, path, _body in vendor.asked] == ["/v1/customers/phone/16175550100"]


@pytest.mark.parametrize("kept", ["+1 617 555 0100", "+16175550100", "16175550100"])
def test_a_phone_is_read_in_every_format_of_pongo(provider: PongoProvider, vendor: Served, kept: str) -> None:
    vendor.book.customers[MIA].phone = kept

    assert provider.get_member(MIA).phone == "+16175550100"


def test_an_ignored_filter_finds_no_stranger(provider: PongoProvider, vendor: Served) -> None:
    vendor.customers.ignores_filters = True

    assert refs(provider, QueryKind.EMAIL, "mia@example.test") == [MIA]
    assert refs(provider, QueryKind.EMAIL, "nobody@example.test") == []


def test_the_look_up_by_email_can_be_switched_off(connect: Connect, vendor: Served) -> None:
    provider = connect(email_lookup=False)

    assert Capability.EMAIL_LOOKUP not in provider.capabilities
    assert Capability.EMAIL_LOOKUP in PongoProvider.capabilities
    with pytest.raises(Unsupported):
        refs(provider, QueryKind.EMAIL, "mia@example.test")
    assert vendor.asked == []


@pytest.mark.parametrize("kind", [QueryKind.CODE, QueryKind.MEMBER_ID])
def test_a_scanned_pass_is_its_customer(provider: PongoProvider, kind: QueryKind) -> None:
    assert refs(provider, kind, MIA) == [MIA]


@pytest.mark.parametrize("typed", [MIA.upper(), f"Cust_{MIA[5:]}", f" {MIA[:9]} {MIA[9:]}"])
def test_a_pass_that_was_typed_by_hand_is_its_customer(provider: PongoProvider, typed: str) -> None:
    assert refs(provider, QueryKind.CODE, typed) == [MIA]


@pytest.mark.parametrize("code", ["12345678", "cust_", "cust_a|b", "rew_0000000501", f"{MIA}/rewards"])
def test_a_code_that_cannot_be_a_pass_makes_no_call(
    provider: PongoProvider, vendor: Served, code: str
) -> None:
    assert refs(provider, QueryKind.CODE, code) == []
    assert vendor.asked == []


def test_a_pass_is_found_by_the_phone_of_a_delivery(connect: Connect, vendor: Served) -> None:
    connect().note_member(MIA)
    elsewhere = connect(names={"path.customer": "/v1/clients/{customer}"})  # an assumed path, and wrong

    assert refs(elsewhere, QueryKind.CODE, MIA) == [MIA]
    assert refs(elsewhere, QueryKind.CODE, ANA) == []
    assert "6175550100" not in PassCode.objects.get().sealed_phone


def test_a_deleted_customer_is_removed_from_the_index(provider: PongoProvider, vendor: Served) -> None:
    provider.note_member(MIA)
    del vendor.book.customers[MIA]

    provider.note_member(MIA)

    assert not PassCode.objects.exists()


# --- Enrolment --------------------------------------------------------------------------------------


def test_both_consents_are_asked_and_kept_apart(provider: PongoProvider, vendor: Served) -> None:
    member = provider.enrol(NOOR, Consents(email=Consent.YES, sms=Consent.NO))

    assert member.consents == Consents(email=Consent.YES, sms=Consent.NO)
    (body,) = vendor.bodies("POST", CUSTOMERS)
    assert body == {
        "international_phone_number": "16175550103",
        "reference_store_slug": "boston-1",
        "email": "noor@example.test",
        "first_name": "Noor",
        "last_name": None,
        "has_optin_sms": False,
        "has_optin_email": True,
    }


def test_a_consent_that_was_not_asked_is_not_a_no(provider: PongoProvider, vendor: Served) -> None:
    member = provider.enrol(NOOR, Consents())

    assert member.consents == Consents()
    assert not any(name.startswith("has_optin") for name in vendor.bodies("POST", CUSTOMERS)[0])


def test_enrolling_a_customer_again_never_takes_a_consent_away(
    provider: PongoProvider, vendor: Served
) -> None:
    provider.enrol(NOOR, Consents(email=Consent.YES, sms=Consent.NO))

    member = provider.enrol(NOOR, Consents(email=Consent.NO, sms=Consent.YES))

    assert member.consents == Consents(email=Consent.YES, sms=Consent.YES)
    assert vendor.bodies("PUT", f"{CUSTOMERS}/{member.ref}") == [{"has_optin_sms": True}]


def test_a_consent_counts_for_the_address_that_the_customer_has(provider: PongoProvider) -> None:
    provider.enrol(NOOR, Consents())
    other = MemberProfile(email="other@example.test", phone=NOOR.phone, store="boston-1")

    assert provider.enrol(other, Consents(email=Consent.YES)).consents.email is Consent.NOT_ASKED


def test_consents_can_be_changed_later_and_withdrawn(provider: PongoProvider) -> None:
    member = provider.change_consents(MIA, Consents(email=Consent.NO))
    assert member.consents == Consents(email=Consent.NO, sms=Consent.NOT_ASKED)

    assert provider.change_consents(MIA, Consents()).consents == member.consents


def test_the_update_can_be_a_patch(connect: Connect, vendor: Served) -> None:
    connect(names={"verb.update_customer": "PATCH"}).change_consents(MIA, Consents(sms=Consent.YES))

    assert vendor.bodies("PATCH", f"{CUSTOMERS}/{MIA}") == [{"has_optin_sms": True}]


def test_two_simultaneous_tills_enrol_one_customer(
    provider: PongoProvider, vendor: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = vendor.customers.read_by_phone
    calls: list[str] = []

    def too_early(request: object, phone: str) -> object:
        calls.append(phone)
        if len(calls) == 1:
            vendor.book.add_customer("16175550103")  # the other till, right after we looked
            raise not_found()
        return real(request, phone)  # type: ignore[arg-type]

    monkeypatch.setattr(vendor.customers, "read_by_phone", too_early)
    vendor._routes = vendor._build_routes()

    member = provider.enrol(NOOR, Consents())

    assert member.phone == NOOR.phone
    assert sum(customer.phone == "16175550103" for customer in vendor.book.customers.values()) == 1


def test_a_lost_enrolment_is_found_by_its_phone(
    provider: PongoProvider, vendor: Served, lose_answers: LoseAnswers
) -> None:
    with lose_answers(CUSTOMERS):
        vendor.is_read = lambda request: request.method == "GET"  # type: ignore[method-assign]
        member = provider.enrol(NOOR, Consents(sms=Consent.YES))

    assert member.consents.sms is Consent.YES


def test_an_enrolment_that_is_not_found_is_unknown(provider: PongoProvider, vendor: Served) -> None:
    vendor.faults.is_down = vendor.faults.writes_only = True

    with pytest.raises(OutcomeUnknown):
        provider.enrol(NOOR, Consents())


def test_an_enrolment_without_a_phone_is_refused(provider: PongoProvider) -> None:
    assert provider.enrol(MemberProfile(email="mia@example.test"), Consents()).ref == MIA

    with pytest.raises(Rejected) as caught:
        provider.enrol(MemberProfile(email="noor@example.test"), Consents())
    assert caught.value.reason is RejectReason.INVALID_INPUT
    assert "phone" in caught.value.text


def test_an_enrolment_in_an_unmapped_store_is_refused(provider: PongoProvider, vendor: Served) -> None:
    with pytest.raises(Rejected):
        provider.enrol(MemberProfile(phone="+16175550103"), Consents())
    assert vendor.count("POST", CUSTOMERS) == 0
