"""A customer is enrolled with the order that they pay: once, with both consents, whatever happens between."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from loyaltyview.sandbox.vendors.pongo.state import Customer
from providers.base import Capability
from providers.errors import OutcomeUnknown, Rejected, Unavailable
from providers.journal.models import Write
from providers.pongo.provider import PongoProvider
from providers.types import Consent, Consents, MemberProfile
from tests.providers.pongo.conftest import MIA, Connect, LoseAnswers, Served
from tests.providers.pongo.intents import an_order

NOOR = MemberProfile(email="noor@example.test", phone="+16175550103", first_name="Noor", last_name="Haddad")
ANSWERS = Consents(email=Consent.YES, sms=Consent.NO)
ORDER = an_order(ref="")


def noor(vendor: Served) -> Customer:
    (found,) = [each for each in vendor.book.customers.values() if each.phone == "16175550103"]
    return found


def enlist(provider: PongoProvider, profile: MemberProfile = NOOR) -> str:
    return provider.enrol_with_order(ORDER, profile, ANSWERS).ref


def test_the_setting_says_whether_customers_are_enrolled_with_their_order(connect: Connect) -> None:
    assert Capability.ENROL_WITH_ORDER not in connect().capabilities
    assert Capability.ENROL_WITH_ORDER in connect(enrol_with_order=True).capabilities


def test_one_call_enrols_the_customer_and_gives_the_points(provider: PongoProvider, vendor: Served) -> None:
    ref = enlist(provider)
    customer = noor(vendor)
    assert (customer.customer_id, customer.points) == (ref, 148)
    assert (customer.first_name, customer.mail, customer.sms) == ("Noor", True, False)
    assert vendor.count("POST", "/v1/customers") == 0
    (body,) = vendor.bodies("POST", "/v1/orders")
    assert body["customer"] == {
        "international_phone_number": "16175550103",
        "email": "noor@example.test",
        "first_name": "Noor",
        "last_name": "Haddad",
        "has_optin_sms": False,
        "has_optin_email": True,
    }
    assert provider.record_order(an_order(ref=ref)).points == 148
    assert vendor.count("POST", "/v1/orders") == 1
    assert Write.objects.get().member_ref == ref


def test_a_repetition_enrols_nobody_else(provider: PongoProvider, vendor: Served) -> None:
    assert enlist(provider) == enlist(provider)
    assert noor(vendor).points == 148


def test_a_customer_who_exists_is_returned_and_the_order_is_not_sent(
    provider: PongoProvider, vendor: Served
) -> None:
    mia = MemberProfile(email="mia@example.test", phone="+16175550100")
    assert enlist(provider, mia) == MIA
    assert vendor.count("POST", "/v1/orders") == 0
    assert vendor.book.customers[MIA].sms is False


def test_a_lost_answer_ends_with_one_customer_and_their_points(
    provider: PongoProvider, vendor: Served, lose_answers: LoseAnswers
) -> None:
    with lose_answers("/v1/orders"), pytest.raises(OutcomeUnknown):
        enlist(provider)
    ref = enlist(provider)
    assert (noor(vendor).customer_id, noor(vendor).points) == (ref, 148)


def test_where_pongo_takes_no_customer_from_an_order_they_are_enrolled_later(
    provider: PongoProvider, vendor: Served
) -> None:
    vendor.orders.enlists = False
    with pytest.raises(Unavailable):
        enlist(provider)
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=90)):
        ref = enlist(provider)
    assert (noor(vendor).customer_id, noor(vendor).mail) == (ref, True)
    assert Write.objects.get().member_ref == ref


def test_a_cancelled_order_takes_the_points_of_a_newcomer_back(
    provider: PongoProvider, vendor: Served
) -> None:
    enlist(provider)
    provider.cancel_order(ORDER)
    assert noor(vendor).points == 0


def test_a_store_that_is_not_mapped_enrols_nobody(provider: PongoProvider, vendor: Served) -> None:
    with pytest.raises(Rejected):
        provider.enrol_with_order(an_order(ref="", store=""), NOOR, ANSWERS)
    assert vendor.count("POST", "/v1/orders") == 0
