"""The enrolment form takes phone and name from NewStore's customer profile, and shows them masked."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from loyaltyview.newstore.answers import Profile
from loyaltyview.newstore.client import NewStoreClient
from loyaltyview.newstore.errors import NewStoreError, NewStoreRejected, NewStoreUnavailable
from loyaltyview.programs.models import Identity, Program
from loyaltyview.webview.models import Launch

from .conftest import Open, words
from .fakes import Vendor

EMAIL = "new@example.test"
SEALED = re.compile(r'name="profile" value="([^"]+)"')


class Customers:
    """NewStore's profile of the cart's customer, or the error that it answers with."""

    def __init__(self) -> None:
        self.error: NewStoreError | None = None
        self.fields = {"email": EMAIL, "first_name": "Ada", "last_name": "King", "full_name": "Ada King"}
        self.fields["phone"] = "(617) 555-0177"

    def get_profile(self, profile_id: str) -> Profile:
        if self.error:
            raise self.error
        return Profile(profile_id=profile_id, display_id="C-1", store_id="", updated_at="now", **self.fields)


@pytest.fixture
def customers(monkeypatch: pytest.MonkeyPatch) -> Customers:
    customers = Customers()
    monkeypatch.setattr(NewStoreClient, "get_profile", lambda self, key: customers.get_profile(key))
    return customers


@pytest.fixture
def form_page(open_page: Open, vendor: Vendor, customers: Customers) -> str:
    """The address of the form for a cart whose customer is no member."""
    page = open_page(customerEmail=EMAIL)
    Launch.objects.update(profile_id="NS-1")
    return page + "enrol/"


def sealed_in(client: Client, form_page: str) -> str:
    found = SEALED.search(client.get(form_page).content.decode())
    return found[1] if found else ""


def test_the_profile_is_shown_masked_and_not_readable(client: Client, form_page: str) -> None:
    html = client.get(form_page).content.decode()
    assert 'placeholder="••• 0177"' in html
    assert 'placeholder="Ada"' in html
    assert 'placeholder="K."' in html
    assert not any(text in html for text in ("King", "555", EMAIL))


def test_empty_fields_take_what_the_profile_says(client: Client, form_page: str, vendor: Vendor) -> None:
    data = {"email": "", "from_cart": "1", "phone": "", "first_name": "", "last_name": " "}
    client.post(form_page, data | {"profile": sealed_in(client, form_page)})
    profile, _consents = vendor.enrolled[0]
    assert (profile.email, profile.phone) == (EMAIL, "+16175550177")
    assert (profile.first_name, profile.last_name) == ("Ada", "King")


def test_what_is_typed_replaces_the_profile(client: Client, form_page: str, vendor: Vendor) -> None:
    data = {"email": "", "from_cart": "1", "phone": "617 555 0123", "first_name": "", "last_name": "Byron"}
    client.post(form_page, data | {"profile": sealed_in(client, form_page)})
    profile, _consents = vendor.enrolled[0]
    assert (profile.phone, profile.first_name, profile.last_name) == ("+16175550123", "Ada", "Byron")


def test_after_an_error_the_profile_is_still_masked(client: Client, form_page: str, vendor: Vendor) -> None:
    data = {"email": "nonsense", "phone": "", "first_name": "", "last_name": ""}
    response = client.post(form_page, data | {"profile": sealed_in(client, form_page)})
    html = response.content.decode()
    assert response.status_code == 422
    assert 'value="nonsense"' in html
    assert 'placeholder="••• 0177"' in html
    assert not any(text in html for text in ("King", "555"))
    assert vendor.enrolled == []


@pytest.mark.parametrize("phone", ["12", "call me", "+1 000 000 0000"])
def test_an_unreadable_phone_is_left_out(
    client: Client, form_page: str, customers: Customers, phone: str
) -> None:
    customers.fields["phone"] = phone
    html = client.get(form_page).content.decode()
    assert "•••" in html  # of the e-mail
    assert "••• " not in html
    assert 'placeholder="Ada"' in html


@pytest.mark.parametrize("name", [EMAIL, f"Ada {EMAIL}", "(617) 555-0177"])
def test_a_contact_that_stands_in_the_place_of_a_name_is_not_shown(
    client: Client, form_page: str, customers: Customers, name: str
) -> None:
    customers.fields |= {"first_name": "", "last_name": "", "full_name": name}
    html = client.get(form_page).content.decode()
    assert 'placeholder="••• 0177"' in html
    assert not any(text in html for text in (EMAIL, "555"))


@pytest.mark.parametrize("error", [NewStoreUnavailable("timeout"), NewStoreRejected("gone", status=404)])
def test_without_the_profile_the_form_is_empty(
    client: Client, form_page: str, customers: Customers, error: NewStoreError
) -> None:
    customers.error = error
    response = client.get(form_page)
    assert response.status_code == 200
    assert SEALED.search(response.content.decode()) is None


def test_the_profile_of_another_customer_is_not_used(
    client: Client, form_page: str, customers: Customers
) -> None:
    customers.fields["email"] = "other@example.test"
    assert not sealed_in(client, form_page)


def test_a_profile_launch_without_an_email_takes_that_of_the_profile(
    client: Client, form_page: str, vendor: Vendor
) -> None:
    Launch.objects.update(customer_email="")
    html = client.get(form_page).content.decode()
    assert 'placeholder="n•••@example.test"' in html
    assert EMAIL not in html
    empty = dict.fromkeys(("email", "phone", "first_name", "last_name"), "")
    client.post(form_page, empty | {"profile": sealed_in(client, form_page)})
    assert vendor.enrolled[0][0].email == EMAIL


def test_the_associate_can_leave_the_profile_out(client: Client, form_page: str) -> None:
    html = client.get(form_page + "?empty=1").content.decode()
    assert "Ada" not in words(html)
    assert SEALED.search(html) is None


def test_another_launch_cannot_read_what_a_form_carries(
    client: Client, form_page: str, open_page: Callable[..., str], vendor: Vendor
) -> None:
    sealed = sealed_in(client, form_page)
    other = open_page(customerEmail="else@example.test", cartId="5f0c1d3e-cart-2")
    data = {"email": "else@example.test", "phone": "", "first_name": "", "last_name": ""}
    client.post(other + "enrol/", data | {"profile": sealed})
    assert vendor.enrolled[0][0].phone == ""


def test_without_an_associate_nothing_of_the_profile_is_used(
    client: Client, form_page: str, vendor: Vendor
) -> None:
    sealed = sealed_in(client, form_page)
    Program.objects.update(identity=Identity.CART)
    Launch.objects.update(associate_id="")
    html = client.get(form_page).content.decode()
    assert "Ada" not in words(html)
    assert SEALED.search(html) is None
    data = {"email": "", "phone": "", "first_name": "", "last_name": "", "profile": sealed}
    client.post(form_page, data)
    assert [(each.phone, each.first_name) for each, _consents in vendor.enrolled] == [("", "")]
