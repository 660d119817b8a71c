"""Consents after enrolment: a yes can be given and taken back, and silence is no answer."""

import re
from dataclasses import replace

import pytest
from django.test import Client

from loyaltyview.webview.models import ConsentChange, Launch
from providers.base import Capability
from providers.errors import OutcomeUnknown, ProviderError, Rejected, RejectReason, Unavailable
from providers.types import Consent, Consents

from .fakes import MIA, Vendor


@pytest.fixture
def form(client: Client, page: str, vendor: Vendor) -> str:
    """The address of the form of Mia, who said yes to e-mails and was never asked for messages."""
    vendor.members[MIA.ref] = replace(MIA, consents=Consents(email=Consent.YES))
    client.get(page)
    return page + "consents/"


def test_the_answers_are_shown_as_they_stand(client: Client, form: str) -> None:
    html = client.get(form).content.decode()
    assert 'name="consent_email" checked' in html
    assert 'name="consent_sms">' in html
    assert "Mia S." in html


def test_a_yes_is_taken_back_and_silence_is_no_answer(client: Client, form: str, vendor: Vendor) -> None:
    response = client.post(form, {}, follow=True)
    assert vendor.answers == [Consents(email=Consent.NO, sms=Consent.NOT_ASKED)]
    assert "answers are saved" in response.content.decode()


def test_a_yes_is_given(client: Client, form: str, vendor: Vendor) -> None:
    client.post(form, {"consent_email": "on", "consent_sms": "on"})
    assert vendor.answers == [Consents(email=Consent.YES, sms=Consent.YES)]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Unavailable("down"), 503, "PROVIDER_UNAVAILABLE"),
        (OutcomeUnknown("timed out"), 503, "CONSENT_UNKNOWN"),
        (Rejected(RejectReason.NOT_ALLOWED), 409, "NOT_ALLOWED"),
    ],
)
def test_errors_are_shown(
    client: Client, form: str, vendor: Vendor, error: ProviderError, status: int, code: str
) -> None:
    vendor.errors["change_consents"] = error
    response = client.post(form, {})
    assert response.status_code == status
    assert f'data-error="{code}"' in response.content.decode()


def test_a_hanging_vendor_is_given_up_at_the_pages_deadline(
    client: Client, form: str, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django.conf.settings.PAGE_DEADLINE_S", 0.05)
    vendor.hold()
    response = client.get(form)
    assert response.status_code == 503
    assert 'data-error="PROVIDER_UNAVAILABLE"' in response.content.decode()


def test_a_vendor_that_cannot_change_them_offers_nothing(
    client: Client, page: str, form: str, vendor: Vendor
) -> None:
    vendor.capabilities = vendor.capabilities - {Capability.CONSENT_CHANGE}
    assert "consents/" not in client.get(page).content.decode()
    assert client.get(form)["Location"] == page


def lines() -> list[tuple[str, ...]]:
    fields = ("consent", "before", "answer", "way", "result", "actor")
    return [tuple(line) for line in ConsentChange.objects.order_by("pk").values_list(*fields)]


def test_each_change_gets_a_line_and_what_stays_gets_none(client: Client, form: str, vendor: Vendor) -> None:
    client.post(form, {"consent_email": "on", "consent_sms": "on"})
    assert lines() == [("sms", "not_asked", "yes", "change", "taken", "a-17")]
    line = ConsentChange.objects.get()
    assert (line.member_ref, line.store_id, line.device_id) == (MIA.ref, "US_BOSTON_01", "ipad-1")
    client.post(form, {})
    assert lines()[1:] == [("email", "yes", "no", "change", "kept", "a-17")]


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (Unavailable("down"), "not_sent"),
        (OutcomeUnknown("timed out"), "unknown"),
        (Rejected(RejectReason.NOT_ALLOWED), "refused"),
        (RuntimeError("the process dies"), "asked"),
    ],
)
def test_a_change_that_was_not_taken_is_in_the_trail_as_such(
    client: Client, form: str, vendor: Vendor, error: Exception, result: str
) -> None:
    vendor.errors["change_consents"] = error  # type: ignore[assignment]  # the last one is no answer of a vendor
    client.raise_request_exception = False
    client.post(form, {})
    assert lines() == [("email", "yes", "no", "change", result, "a-17")]


@pytest.mark.parametrize("is_customer", [True, False])
def test_without_an_associate_no_answer_is_shown_or_taken(
    client: Client, page: str, form: str, vendor: Vendor, is_customer: bool
) -> None:
    Launch.objects.update(associate_id="", is_customer=is_customer)
    assert "consents/" not in client.get(page).content.decode()
    for response in (client.get(form), client.post(form, {})):
        assert response.status_code == 403
        assert 'data-error="ASSOCIATE_NEEDED"' in response.content.decode()
    assert (vendor.answers, lines()) == ([], [])


def test_administrators_read_the_trail_and_change_nothing(
    client: Client, form: str, admin_client: Client
) -> None:
    client.post(form, {})
    line = ConsentChange.objects.get()
    address = "/admin/webview/consentchange/"
    assert MIA.ref in admin_client.get(address).content.decode()
    page = admin_client.get(f"{address}{line.pk}/change/")
    assert 'name="answer"' not in page.content.decode()
    assert admin_client.post(f"{address}{line.pk}/delete/", {"post": "yes"}).status_code == 403
    assert admin_client.get(f"{address}add/").status_code == 403


def test_answers_of_one_customer_are_not_stored_for_another(
    client: Client, page: str, vendor: Vendor
) -> None:
    client.get(page)
    html = client.get(page + "consents/").content.decode()
    mark = re.findall(r'name="member" value="(\w+)"', html)
    client.post(page + "find/", {"q": "617 555 0101"})  # in another tab
    response = client.post(page + "consents/", {"member": mark, "consent_email": "on"})
    assert vendor.answers == []
    assert response.status_code == 409
    assert 'data-error="MEMBER_CHANGED"' in response.content.decode()
