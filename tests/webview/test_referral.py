"""The member's referral code on the page, and the code that the member joined with."""

from dataclasses import replace

import pytest
from django.test import Client

from loyaltyview.webview.models import Launch
from providers.errors import Rejected, RejectReason
from providers.types import Referral

from .conftest import words
from .fakes import MIA, Vendor


@pytest.fixture
def referring(vendor: Vendor) -> Vendor:
    vendor.members[MIA.ref] = replace(MIA, referral=Referral(code="K7MQ-4XTD", can_enter=True))
    return vendor


def test_the_page_shows_the_code_as_text(client: Client, page: str, referring: Vendor) -> None:
    html = client.get(page, follow=True).content.decode()
    assert "K7MQ-4XTD" in html
    assert 'action="' + page + 'referral/"' in html
    referring.members[MIA.ref] = replace(MIA, referral=Referral(code="K7MQ-4XTD"))
    html = client.get(page, follow=True).content.decode()
    assert "K7MQ-4XTD" in html
    assert "referral/" not in html


def test_a_program_without_referrals_shows_nothing(client: Client, page: str, vendor: Vendor) -> None:
    assert "Referral code" not in client.get(page, follow=True).content.decode()


def test_a_code_is_entered_for_the_member_on_the_page(client: Client, page: str, referring: Vendor) -> None:
    client.get(page)
    html = client.post(page + "referral/", {"referral_code": " wxyz 7q2m "}, follow=True).content.decode()
    assert "The referral code is noted" in html
    assert referring.referrals == [(MIA.ref, "wxyz 7q2m")]


def test_a_refused_code_says_why(client: Client, page: str, referring: Vendor) -> None:
    client.get(page)
    referring.errors["enter_referral"] = Rejected(
        RejectReason.INVALID_INPUT, text="No member has this referral code."
    )
    response = client.post(page + "referral/", {"referral_code": "nonsense"})
    assert response.status_code == 422
    assert "No member has this referral code." in response.content.decode()


def test_a_form_of_another_member_enters_nothing(client: Client, page: str, referring: Vendor) -> None:
    client.get(page)
    client.post(page + "referral/", {"referral_code": "WXYZ7Q2M", "member": "of-another"})
    assert referring.referrals == []


def test_no_code_is_entered_for_a_member_who_is_another_customer_now(
    client: Client, page: str, referring: Vendor
) -> None:
    client.get(page)
    Launch.objects.update(is_member_assumed=True)
    referring.members[MIA.ref] = replace(referring.members[MIA.ref], email="new@example.test")
    client.post(page + "referral/", {"referral_code": "WXYZ7Q2M"})
    assert referring.referrals == []


def test_only_an_associate_enters_a_code(client: Client, page: str, referring: Vendor) -> None:
    client.get(page)
    Launch.objects.update(associate_id="", is_customer=True)
    assert "K7MQ" not in words(client.get(page, follow=True).content.decode())
    assert client.post(page + "referral/", {"referral_code": "WXYZ7Q2M"}).status_code == 403
    assert referring.referrals == []
