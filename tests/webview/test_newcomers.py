"""A customer who joins with the order that they pay: asked at the till, and kept until then."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from loyaltyview.newstore.models import ProfileLink
from loyaltyview.programs.erasure import Person
from loyaltyview.programs.models import Program
from loyaltyview.programs.newcomers import newcomer_of
from loyaltyview.webview import erasure, newcomers
from loyaltyview.webview.models import ConsentChange, Launch, WaitingNewcomer
from providers.base import Capability
from providers.errors import Unavailable
from providers.types import Balance, Consent, Consents, Member, MemberProfile

from .fakes import Vendor

NEW = {"email": "New@Example.test", "phone": "617 555 0177", "first_name": "Ada", "last_name": "King"}
PROFILE = "NS-PROFILE-1"
ADA = Member(
    ref="L-7",
    member_id="L-7",
    balance=Balance(spendable=0),
    consents=Consents(email=Consent.YES, sms=Consent.NO),
)


@pytest.fixture(autouse=True)
def takes_newcomers(vendor: Vendor, page: str) -> None:
    vendor.capabilities |= {Capability.ENROL_WITH_ORDER}
    Launch.objects.update(profile_id=PROFILE)


def results() -> set[tuple[str, str, str]]:
    return set(ConsentChange.objects.values_list("consent", "result", "member_ref"))


def test_a_new_customer_waits_for_their_order(
    client: Client, page: str, vendor: Vendor, program: Program
) -> None:
    html = client.post(page + "enrol/", NEW | {"consent_email": "on"}, follow=True).content.decode()
    assert "The customer joins with this purchase" in html
    assert "5550177" not in re.sub(r"\W", "", html)
    assert "enrol" not in vendor.calls
    newcomer = newcomer_of(program, PROFILE)
    assert newcomer
    assert newcomer.profile == MemberProfile(
        email="new@example.test", phone="+16175550177", first_name="Ada", last_name="King", store="boston-1"
    )
    assert newcomer.consents == Consents(email=Consent.YES, sms=Consent.NO)
    assert results() == {("email", "waits", ""), ("sms", "waits", "")}


def test_a_newcomer_withdraws_before_they_pay(client: Client, page: str, program: Program) -> None:
    client.post(page + "enrol/", NEW | {"consent_email": "on"})
    html = client.post(page + "enrol/", {"withdraw": "1"}, follow=True).content.decode()
    assert "The answers are deleted. The customer is not enrolled." in html
    assert newcomer_of(program, PROFILE) is None
    assert results() == {("email", "not_sent", ""), ("sms", "not_sent", "")}


def test_what_they_said_is_encrypted(client: Client, page: str) -> None:
    client.post(page + "enrol/", NEW)
    (stored,) = WaitingNewcomer.objects.extra(select={"raw": "said"}).values_list("raw", flat=True)
    assert "5550177" not in stored


def test_a_member_is_shown_at_once(client: Client, page: str, vendor: Vendor) -> None:
    html = client.post(page + "enrol/", NEW | {"email": "mia@example.test"}, follow=True).content.decode()
    assert "Mia S." in html
    assert not WaitingNewcomer.objects.exists()


def test_without_a_phone_the_program_is_asked_at_once(client: Client, page: str, vendor: Vendor) -> None:
    client.post(page + "enrol/", NEW | {"phone": ""})
    assert "enrol" in vendor.calls


@pytest.mark.parametrize("missing", ["profile", "cart", "capability"])
def test_an_order_that_cannot_name_the_customer_enrols_nobody(
    client: Client, page: str, vendor: Vendor, missing: str
) -> None:
    if missing == "profile":
        Launch.objects.update(profile_id="")
    if missing == "cart":
        Launch.objects.update(cart_id="")
    if missing == "capability":
        vendor.capabilities -= {Capability.ENROL_WITH_ORDER}
    client.post(page + "enrol/", NEW)
    assert "enrol" in vendor.calls
    assert not WaitingNewcomer.objects.exists()


def test_a_program_that_does_not_answer_keeps_nobody_from_joining(
    client: Client, page: str, vendor: Vendor
) -> None:
    vendor.errors["find_members"] = Unavailable("down")
    html = client.post(page + "enrol/", NEW, follow=True).content.decode()
    assert "joins with this purchase" in html


def test_answers_can_be_changed_until_the_order(client: Client, page: str, program: Program) -> None:
    client.post(page + "enrol/", NEW | {"consent_email": "on"})
    assert 'name="consent_email"' in client.get(page + "enrol/?change=1").content.decode()
    client.post(page + "enrol/", NEW)
    newcomer = newcomer_of(program, PROFILE)
    assert newcomer
    assert newcomer.consents.email is Consent.NO
    assert results() == {
        ("email", "not_sent", ""),
        ("sms", "not_sent", ""),
        ("email", "waits", ""),
        ("sms", "waits", ""),
    }


def test_once_a_member_nothing_waits_and_the_trail_is_closed(
    client: Client, page: str, program: Program
) -> None:
    client.post(page + "enrol/", NEW | {"consent_email": "on"})
    newcomer = newcomer_of(program, PROFILE)
    assert newcomer
    newcomer.done(ADA)
    assert newcomer_of(program, PROFILE) is None
    assert results() == {("email", "taken", "L-7"), ("sms", "taken", "L-7")}
    link = ProfileLink.objects.get(member_id="L-7")
    assert link.profile_id == PROFILE


def test_nobody_waits_for_an_order_that_never_comes(client: Client, page: str) -> None:
    client.post(page + "enrol/", NEW)
    assert newcomers.purge_newcomers(timezone.now() - timedelta(days=7)) == 0
    assert newcomers.purge_newcomers(timezone.now() + timedelta(days=1)) == 1
    assert results() == {("email", "not_sent", ""), ("sms", "not_sent", "")}


def test_an_order_that_is_tried_again_keeps_its_customer(client: Client, page: str, program: Program) -> None:
    client.post(page + "enrol/", NEW)
    WaitingNewcomer.objects.update(kept_at=timezone.now() - timedelta(days=6))
    assert newcomer_of(program, PROFILE)
    assert newcomers.purge_newcomers(timezone.now() - timedelta(days=1)) == 0


@pytest.mark.parametrize("known", [{"profile_ids": {PROFILE}}, {"contacts": {"new@example.test"}}])
def test_an_erasure_deletes_what_they_said(
    client: Client, page: str, program: Program, known: dict[str, set[str]]
) -> None:
    client.post(page + "enrol/", NEW)
    erasure.erase(Person(program=program, ref="L-7", pseudonym="ERASED-1", **known))  # type: ignore[arg-type]
    assert not WaitingNewcomer.objects.exists()
