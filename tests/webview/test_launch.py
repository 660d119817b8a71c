"""The launch: what opens a session, and what is refused with which sentence."""

import base64
import json
import re

import pytest
import time_machine
from django.test import Client

from loyaltyview.newstore.answers import HostCart, Profile
from loyaltyview.newstore.client import NewStoreClient
from loyaltyview.newstore.errors import NewStoreRejected, NewStoreUnavailable
from loyaltyview.programs.models import Identity, Program
from loyaltyview.redemptions.models import Redemption, Transition
from loyaltyview.webview.models import Launch
from providers.types import Consents

from .conftest import Mint, Open, cart_json, launch_params, words
from .fakes import Vendor


def test_a_launch_becomes_a_session_with_a_cookie_for_its_own_path(client: Client, page: str) -> None:
    cookie = client.cookies["launch"]
    assert page.startswith("/l/")
    assert cookie["path"] == page
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie.value not in str(Launch.objects.values().get())


def test_no_personal_data_is_in_the_address(page: str) -> None:
    assert "mia" not in words(page)
    assert "0f3a9c5be1d2" not in page


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"cart": cart_json()}, "TOKEN_MISSING"),
        ({"token": "abc", "cart": cart_json(cartTotal="free")}, "TOTAL_MALFORMED"),
    ],
)
def test_a_malformed_launch_says_what_is_wrong(
    client: Client, program: Program, params: dict[str, str], code: str
) -> None:
    response = client.get("/launch/acme/", params)
    assert response.status_code == 400
    assert f'data-error="{code}"' in response.content.decode()
    assert not Launch.objects.exists()


@pytest.mark.parametrize("identity", ["", "forged", "gAAAAABforged"])
def test_without_a_valid_identity_there_is_no_customer_data(
    client: Client, program: Program, vendor: Vendor, identity: str
) -> None:
    params = launch_params(program) | {"externalIdentity": identity}
    response = client.get("/launch/acme/", params)
    html = response.content.decode()
    assert response.status_code == 403
    assert 'data-page="refused"' in html
    assert "Log out of the app and in again" in html
    assert "Mia" not in words(html)
    assert "mia@" not in html
    assert not Launch.objects.exists()
    assert vendor.calls == []


def test_an_old_identity_is_refused(client: Client, program: Program) -> None:
    with time_machine.travel("2026-03-04T09:00:00Z", tick=False):
        params = launch_params(program)
    with time_machine.travel("2026-03-04T12:30:00Z", tick=False):
        response = client.get("/launch/acme/", params)
    assert response.status_code == 403
    assert 'data-error="IDENTITY_EXPIRED"' in response.content.decode()


def test_an_unknown_and_an_inactive_program_look_the_same(client: Client, program: Program) -> None:
    Program.objects.update(is_active=False)
    inactive = client.get("/launch/acme/", launch_params(program))
    unknown = client.get("/launch/nobody/")
    assert inactive.status_code == unknown.status_code == 404
    assert "Acme" not in words(inactive.content.decode())


@pytest.mark.parametrize("params", [{}, {"token": "abc", "externalIdentity": "x"}])
def test_without_a_cart_in_the_address_the_page_reads_the_fragment(
    client: Client, program: Program, params: dict[str, str]
) -> None:
    html = client.get("/launch/acme/", params).content.decode()
    assert 'data-page="launch"' in html
    assert "js/launch.js" in html
    assert 'name="context"' in html
    assert "Redeem Loyalty Rewards" in html
    # Without a script, or when nothing comes: from the app it is another message than from a laptop.
    assert ('data-error="CART_MISSING"' in html) == bool(params)
    assert ("outside the app" in html) == (not params)


def test_the_posted_context_opens_the_same_session(client: Client, program: Program, vendor: Vendor) -> None:
    params = launch_params(program)
    context = {
        "securityToken": params["token"],
        "externalIdentity": params["externalIdentity"],
        "contextProps": {"cart": json.loads(params["cart"])},
    }
    response = client.post("/launch/acme/", {"context": json.dumps(context)})
    assert response.status_code == 302
    assert 'data-points="820"' in client.get(response["Location"]).content.decode()


def test_a_posted_context_needs_the_csrf_token(program: Program) -> None:
    response = Client(enforce_csrf_checks=True).post("/launch/acme/", {"context": "{}"})
    assert response.status_code == 403
    assert 'data-error="CSRF"' in response.content.decode()


@pytest.fixture
def by_cart(program: Program, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A program in which the cart's customer decides; NewStore knows the customer as family or Mia."""
    Program.objects.update(identity=Identity.CART)
    known = {"email": "mia@example.test", "customer_id": "profile-1"}

    def get_cart(self: NewStoreClient, cart_id: str) -> HostCart:
        return HostCart(
            cart_id=cart_id,
            store_id="US_BOSTON_01",
            associate_id=known.get("associate_id", ""),
            customer_id=known["customer_id"],
            currency="USD",
            channel_type="STORE",
            state="open",
        )

    def get_profile(self: NewStoreClient, profile_id: str) -> Profile:
        return Profile(
            profile_id=profile_id,
            display_id="C-1",
            email=known["email"],
            first_name="",
            last_name="",
            full_name="",
            phone="",
            store_id="",
            updated_at="2026-03-04T15:00:00Z",
        )

    monkeypatch.setattr(NewStoreClient, "get_cart", get_cart)
    monkeypatch.setattr(NewStoreClient, "get_profile", get_profile)
    return known


def test_without_identity_newstore_says_who_the_customer_is(
    client: Client, program: Program, vendor: Vendor, newstore: Mint, by_cart: dict[str, str]
) -> None:
    by_cart["email"] = "family@example.test"
    vendor.members.pop("L-00044")
    params = launch_params(program, customerEmail="mia@example.test") | {"externalIdentity": ""}
    html = client.get(client.get("/launch/acme/", params)["Location"]).content.decode()
    assert '<h1 id="name">N. B.</h1>' in html
    assert "Mia" not in words(html)


@pytest.mark.parametrize("path", ["", "consents/", "enrol/", "history/", "find/?several=1", "shift/"])
def test_without_identity_no_page_says_who_the_customer_is(
    client: Client, program: Program, vendor: Vendor, by_cart: dict[str, str], path: str
) -> None:
    params = launch_params(program) | {"externalIdentity": ""}
    page = client.get("/launch/acme/", params)["Location"]
    member = client.get(page)
    html = client.get(page + path, follow=True).content.decode().lower()

    assert not re.search(r"\bmia\b|stone|example\.test|0100|•••", html)
    assert 'data-points="820"' in member.content.decode()
    assert "history/" not in member.content.decode()
    assert "consents/" not in member.content.decode()


def test_a_list_to_choose_from_hides_the_numbers_on_the_members_cards(
    client: Client, program: Program, vendor: Vendor, by_cart: dict[str, str]
) -> None:
    by_cart["email"] = "family@example.test"
    page = client.get("/launch/acme/", launch_params(program) | {"externalIdentity": ""})["Location"]
    html = client.get(page, follow=True).content.decode()
    choices = re.findall(r'name="member" value="([^"]+)"', html)
    plain = [base64.urlsafe_b64decode(choice.split(":")[0] + "===") for choice in choices]

    assert len(choices) == 2
    assert not [each for each in plain if b"L-000" in each]
    client.post(page + "choose/", {"member": choices[0]})
    assert Launch.objects.get().member_ref.startswith("L-000")


def test_without_identity_the_carts_customer_is_enrolled_and_asked_for_no_consent(
    client: Client, program: Program, vendor: Vendor, by_cart: dict[str, str]
) -> None:
    by_cart["email"] = "new@example.test"
    page = client.get("/launch/acme/", launch_params(program) | {"externalIdentity": ""})["Location"]
    html = client.get(page, follow=True).content.decode()
    assert "new@example.test" not in html
    assert "consent_email" not in html
    form = {"email": "another@example.test", "phone": "", "first_name": "", "last_name": ""}
    client.post(page + "enrol/", form | {"consent_email": "on", "consent_sms": "on"})

    ((profile, consents),) = vendor.enrolled
    assert profile.email == "new@example.test"
    assert consents == Consents()


def test_without_identity_other_customers_cannot_be_looked_up(
    client: Client, program: Program, vendor: Vendor, by_cart: dict[str, str]
) -> None:
    params = launch_params(program) | {"externalIdentity": ""}
    page = client.get("/launch/acme/", params)["Location"]
    assert client.get(page + "find/").status_code == 403
    assert client.post(page + "find/", {"q": "family@example.test"}).status_code == 403
    assert client.post(page + "choose/", {"member": "L-00043"}).status_code == 403


def test_without_identity_the_carts_associate_is_limited_and_the_trail_names_no_associate(
    client: Client, program: Program, vendor: Vendor, newstore: Mint, by_cart: dict[str, str]
) -> None:
    Program.objects.update(associate_hour_limit=1)

    def redeem(number: int, associate_id: str) -> int:
        by_cart["associate_id"] = associate_id
        # What the launch says of itself is not believed.
        params = launch_params(program, cartId=f"cart-{number}", associateId="a-99") | {
            "externalIdentity": ""
        }
        page = client.get("/launch/acme/", params)["Location"]
        client.get(page)
        fields = {"key": f"a-key-of-this-card-{number}", "kind": "reward", "item": "ten-off"}
        return client.post(page + "redeem/", fields).status_code

    assert [redeem(1, "a-17"), redeem(2, "a-23"), redeem(3, "a-23")] == [303, 303, 429]
    rows = Redemption.objects.order_by("requested_at")
    assert [row.associate_id for row in rows] == [
        "unverified, cart of a-17",
        "unverified, cart of a-23",
        "unverified, cart of a-23",
    ]
    actors = set(Transition.objects.values_list("actor", flat=True))
    assert actors == {"unverified, cart of a-17", "unverified, cart of a-23"}


def test_a_redemption_without_identity_is_in_no_shift(
    client: Client,
    program: Program,
    open_page: Open,
    vendor: Vendor,
    newstore: Mint,
    by_cart: dict[str, str],
) -> None:
    by_cart["associate_id"] = "a-17"
    params = launch_params(program) | {"externalIdentity": ""}
    unverified = client.get("/launch/acme/", params)["Location"]
    client.get(unverified)
    client.post(unverified + "redeem/", {"key": "a-key-of-this-card-1", "kind": "reward", "item": "ten-off"})
    mine = open_page(cartId="cart-of-kim")
    assert "data-redemption" not in client.get(mine + "shift/").content.decode()
    client.get(mine)
    client.post(mine + "redeem/", {"key": "a-key-of-this-card-2", "kind": "voucher", "item": "v-birthday"})
    verified = Redemption.objects.get(associate_id="a-17").pk
    assert client.get(unverified + "shift/").status_code == 403
    assert client.post(f"{unverified}shift/undo/{verified}/").status_code == 403


def test_without_identity_and_customer_there_is_nothing_to_show(
    client: Client, program: Program, by_cart: dict[str, str]
) -> None:
    by_cart["customer_id"] = ""
    response = client.get("/launch/acme/", launch_params(program) | {"externalIdentity": ""})
    assert response.status_code == 403
    assert 'data-error="NO_CUSTOMER"' in response.content.decode()


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (NewStoreRejected("gone", status=404), 403, "CART_UNKNOWN"),
        (NewStoreUnavailable("timeout"), 503, "CART_UNCHECKED"),
    ],
)
def test_a_cart_that_cannot_be_checked_is_refused(
    client: Client,
    program: Program,
    by_cart: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    code: str,
) -> None:
    def fail(self: NewStoreClient, cart_id: str) -> HostCart:
        raise error

    monkeypatch.setattr(NewStoreClient, "get_cart", fail)
    response = client.get("/launch/acme/", launch_params(program) | {"externalIdentity": ""})
    assert response.status_code == status
    assert f'data-error="{code}"' in response.content.decode()


def test_a_verified_associate_may_open_where_the_cart_decides(
    open_page: Open, by_cart: dict[str, str]
) -> None:
    open_page()
    assert Launch.objects.get().associate_id == "a-17"


def test_an_exchange_below_zero_opens_the_page_with_nothing_left_to_pay(
    client: Client, open_page: Open, vendor: Vendor
) -> None:
    items = [{"productId": "TOTE-01", "price": 89.9}, {"productId": "CAP-02", "price": -109.9}]
    html = client.get(open_page(cartTotal=-20, items=items)).content.decode()
    assert "Mia S." in html
    assert "Nothing is left to pay in this cart" in html
    assert 'data-state="available"' not in html
    assert 'data-reason="CART_EMPTY"' in html
