"""Enrolling: few fields, nothing is ticked beforehand, no customer is enrolled twice."""

import pytest
from django.conf import settings
from django.test import Client

from loyaltyview.webview.models import ConsentChange, Launch
from providers.base import Capability
from providers.errors import OutcomeUnknown, Rejected, RejectReason
from providers.types import Birthday, Consent, Consents, EnrolmentField

from .fakes import Vendor

NEW = {"email": "New@Example.test", "phone": "617 555 0177", "first_name": "Ada", "last_name": "King"}


def test_a_new_member_is_enrolled_and_shown(client: Client, page: str, vendor: Vendor) -> None:
    html = client.post(page + "enrol/", NEW | {"consent_email": "on"}, follow=True).content.decode()
    assert "Ada K." in html
    assert "The customer is a member now" in html
    profile, consents = vendor.enrolled[0]
    assert (profile.email, profile.phone) == ("new@example.test", "+16175550177")
    assert profile.store == "boston-1"
    assert consents == Consents(email=Consent.YES, sms=Consent.NO)
    lines = ConsentChange.objects.order_by("consent").values_list("consent", "answer", "result", "way")
    assert list(lines) == [("email", "yes", "taken", "enrolment"), ("sms", "no", "taken", "enrolment")]
    assert set(ConsentChange.objects.values_list("member_ref", "actor")) == {("L-NEW", "a-17")}


def test_a_consent_that_is_not_asked_is_not_a_no(client: Client, page: str, vendor: Vendor) -> None:
    vendor.capabilities = vendor.capabilities - {Capability.CONSENT_SMS}
    assert "consent_sms" not in client.get(page + "enrol/").content.decode()
    client.post(page + "enrol/", NEW)
    assert vendor.enrolled[0][1] == Consents(email=Consent.NO, sms=Consent.NOT_ASKED)


def test_the_consents_are_apart_and_unticked(client: Client, page: str) -> None:
    html = client.get(page + "enrol/").content.decode()
    assert 'name="consent_email"' in html
    assert 'name="consent_sms"' in html
    assert "checked" not in html


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "nonsense"}, "EMAIL"),
        ({"phone": "12"}, "PHONE"),
        ({"email": "", "phone": ""}, "EMAIL"),
    ],
)
def test_an_error_is_shown_at_its_field(
    client: Client, page: str, vendor: Vendor, changes: dict[str, str], field: str
) -> None:
    response = client.post(page + "enrol/", NEW | changes)
    html = response.content.decode()
    assert response.status_code == 422
    assert f'data-error="{field}"' in html
    assert 'aria-invalid="true"' in html
    assert 'value="Ada"' in html
    assert vendor.enrolled == []


def test_a_customer_who_is_a_member_already_is_shown(client: Client, page: str, vendor: Vendor) -> None:
    html = client.post(page + "enrol/", NEW | {"email": "mia@example.test"}, follow=True).content.decode()
    assert "Mia S." in html
    assert Launch.objects.get().is_customer


def test_a_code_of_a_customer_who_is_a_member_already_is_not_passed_over_in_silence(
    client: Client, page: str, vendor: Vendor
) -> None:
    vendor.enrolment_fields = frozenset(EnrolmentField)
    form = NEW | {"email": "mia@example.test", "referral_code": "K7MQ-4XTD"}
    html = client.post(page + "enrol/", form, follow=True).content.decode()
    assert "A referral code counts only for a new member." in html
    assert "is a member now" not in html
    html = client.post(page + "enrol/", NEW | {"referral_code": "K7MQ-4XTD"}, follow=True).content.decode()
    assert "is a member now" in html


def test_a_refusal_says_what_to_do(client: Client, page: str, vendor: Vendor) -> None:
    vendor.errors["enrol"] = Rejected(RejectReason.INVALID_INPUT)
    response = client.post(page + "enrol/", NEW)
    assert response.status_code == 422
    assert 'data-error="INVALID_INPUT"' in response.content.decode()


def test_an_unknown_outcome_may_be_repeated(client: Client, page: str, vendor: Vendor) -> None:
    vendor.errors["enrol"] = OutcomeUnknown("timeout")
    response = client.post(page + "enrol/", NEW)
    assert response.status_code == 503
    assert "the customer is enrolled only once" in response.content.decode()


def test_enrolments_are_limited(
    client: Client, page: str, clock_stands: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "ENROLMENTS_PER_HOUR", 1)
    assert client.post(page + "enrol/", NEW).status_code == 303
    assert client.post(page + "enrol/", NEW).status_code == 429


def test_a_vendor_that_cannot_enrol_shows_the_search(client: Client, page: str, vendor: Vendor) -> None:
    vendor.capabilities = vendor.capabilities - {Capability.ENROL}
    assert 'data-page="find"' in client.get(page + "enrol/", follow=True).content.decode()


def test_a_birthday_is_asked_only_where_the_program_has_a_use_for_it(
    client: Client, page: str, vendor: Vendor
) -> None:
    birthday = {"birth_day": "29", "birth_month": "2", "birth_year": ""}
    assert "birth_day" not in client.get(page + "enrol/").content.decode()
    client.post(page + "enrol/", NEW | birthday)
    vendor.enrolment_fields = frozenset(EnrolmentField)
    html = client.get(page + "enrol/").content.decode()
    assert "February" in html
    assert 'name="referral_code"' in html
    client.post(page + "enrol/", NEW | birthday | {"referral_code": " k7mq-4xtd "})
    profiles = [profile for profile, _consents in vendor.enrolled]
    assert [(profile.birthday, profile.referral_code) for profile in profiles] == [
        (None, ""),
        (Birthday(month=2, day=29), "k7mq-4xtd"),
    ]


@pytest.mark.parametrize(
    "birthday",
    [
        {"birth_day": "31", "birth_month": "4"},
        {"birth_day": "29", "birth_month": "2", "birth_year": "2001"},
        {"birth_day": "1", "birth_month": "1", "birth_year": "2999"},
        {"birth_day": "12"},
        {"birth_day": "x", "birth_month": "4"},
    ],
)
def test_a_day_that_is_no_birthday_is_refused_at_its_field(
    client: Client, page: str, vendor: Vendor, birthday: dict[str, str]
) -> None:
    vendor.enrolment_fields = frozenset({EnrolmentField.BIRTHDAY})
    response = client.post(page + "enrol/", NEW | birthday)
    assert response.status_code == 422
    assert 'data-error="BIRTHDAY"' in response.content.decode()
    assert vendor.enrolled == []
