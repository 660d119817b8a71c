"""Name and contact are in no page before an associate presses for them."""

import re
from dataclasses import replace

import pytest
from django.test import Client
from structlog.testing import capture_logs

from loyaltyview.webview.models import Launch
from providers.errors import Unavailable

from .conftest import Open
from .fakes import MIA, Vendor

CLEAR = "<bdi>Mia Stone</bdi>, <bdi>mia@example.test</bdi>"
OF_HTMX = {"headers": {"HX-Request": "true"}}


def test_a_press_brings_name_and_contact(client: Client, page: str) -> None:
    client.get(page)
    fragment = client.post(page + "reveal/", **OF_HTMX)

    assert fragment.content.decode().strip() == CLEAR
    assert fragment["Cache-Control"] == "no-store"


def test_without_a_script_a_page_shows_them_and_goes_back_by_itself(client: Client, page: str) -> None:
    client.get(page)
    html = client.post(page + "reveal/").content.decode()

    assert CLEAR in html
    assert f'<meta http-equiv="refresh" content="6;url={page}">' in html


def test_the_log_says_who_looked_and_not_at_what(client: Client, page: str) -> None:
    client.get(page)
    with capture_logs() as lines:
        client.post(page + "reveal/")
    (line,) = [each for each in lines if each["event"] == "contact_revealed"]

    assert (line["program"], line["associate"], line["store"]) == ("acme", "a-17", "US_BOSTON_01")
    assert "mia" not in str(line).lower()
    assert "stone" not in str(line).lower()


def test_another_member_chosen_meanwhile_is_not_revealed(client: Client, page: str) -> None:
    client.get(page)
    response = client.post(page + "reveal/", {"member": "0123456789abcdef"})

    assert response.status_code == 409
    assert "mia@example.test" not in response.content.decode()


def test_a_program_that_does_not_answer_is_reported(client: Client, page: str, vendor: Vendor) -> None:
    client.get(page)
    vendor.errors["get_member"] = Unavailable("timeout")
    response = client.post(page + "reveal/", **OF_HTMX)

    assert response.status_code == 503
    assert "data-error=" in response.content.decode()


def test_contacts_are_not_revealed_by_a_link(client: Client, page: str) -> None:
    assert client.get(page + "reveal/").status_code == 405


def test_without_an_associate_nothing_is_revealed(client: Client, page: str) -> None:
    client.get(page)
    Launch.objects.update(associate_id="")
    response = client.post(page + "reveal/")

    assert response.status_code == 403
    assert "mia@example.test" not in response.content.decode()


def test_the_email_of_the_cart_enrols_without_standing_in_the_form(
    client: Client, open_page: Open, vendor: Vendor
) -> None:
    address = open_page(customerEmail="new@example.test")
    html = client.get(address + "enrol/").content.decode()
    assert "new@example.test" not in html

    refused = client.post(address + "enrol/", FORM | {"from_cart": "1", "phone": "12"})
    assert "new@example.test" not in refused.content.decode()
    client.post(address + "enrol/", FORM | {"from_cart": "1"})
    assert vendor.enrolled[0][0].email == "new@example.test"


def test_a_typed_email_counts_before_that_of_the_cart(
    client: Client, open_page: Open, vendor: Vendor
) -> None:
    address = open_page(customerEmail="new@example.test")
    client.post(address + "enrol/", FORM | {"from_cart": "1", "email": "typed@example.test"})

    assert vendor.enrolled[0][0].email == "typed@example.test"


FORM = {"email": "", "phone": "", "first_name": "", "last_name": ""}


@pytest.mark.parametrize(
    ("first", "last"), [("Mia", "Stone"), ("Mia Stone", ""), ("mia@example.test", "Stone")]
)
def test_no_page_carries_name_or_contact(
    client: Client, page: str, vendor: Vendor, first: str, last: str
) -> None:
    vendor.members[MIA.ref] = replace(MIA, first_name=first, last_name=last)
    client.get(page)
    for path in ("", "card/", "consents/", "enrol/", "find/", "shift/", "history/"):
        html = client.get(page + path, follow=True).content.decode()

        assert "Stone" not in html, path
        assert "mia@example.test" not in html, path
        assert not re.search(r"617\D{0,3}555\D?0100", html), path
