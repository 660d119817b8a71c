"""What NewStore says about a launch: confirmed, contradicted, or not asked in time."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from loyaltyview.newstore.answers import HostCart, Profile
from loyaltyview.newstore.client import NewStoreClient
from loyaltyview.newstore.context import Associate
from loyaltyview.newstore.errors import (
    NewStoreAuthFailed,
    NewStoreError,
    NewStoreRejected,
    NewStoreUnavailable,
)
from loyaltyview.newstore.identity import issue_identity
from loyaltyview.newstore.models import ProfileLink
from loyaltyview.programs.models import Identity, Program
from loyaltyview.webview import host_check
from loyaltyview.webview.host_check import DEADLINE_S
from loyaltyview.webview.models import Launch

from .conftest import launch_params
from .fakes import Vendor

pytestmark = pytest.mark.usefixtures("vendor")


@dataclass
class Host:
    """NewStore's cart and its customer, and the trouble it has with either."""

    store: str = "US_BOSTON_01"
    associate: str = "a-17"
    customer: str = "NS-1"
    email: str = "mia@example.test"
    attributes: dict[str, str] = field(default_factory=dict)
    cart_error: NewStoreError | None = None
    profile_error: NewStoreError | None = None
    may_answer: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)

    def get_cart(self, cart_id: str) -> HostCart:
        self.asked.append(cart_id)
        assert self.may_answer.wait(60)
        if self.cart_error:
            raise self.cart_error
        return HostCart(
            cart_id=cart_id,
            store_id=self.store,
            associate_id=self.associate,
            customer_id=self.customer,
            currency="USD",
            channel_type="STORE",
            state="active",
        )

    def get_profile(self, profile_id: str) -> Profile:
        self.asked.append(profile_id)
        if self.profile_error:
            raise self.profile_error
        return Profile(
            profile_id=profile_id,
            display_id="C-1",
            email=self.email,
            first_name="",
            last_name="",
            full_name="",
            phone="",
            store_id="",
            updated_at="2026-03-04T15:00:00Z",
            attributes=self.attributes,
        )


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    host = Host()
    host.may_answer.set()
    monkeypatch.setattr(host_check, "DEADLINE_S", 30)
    monkeypatch.setattr(NewStoreClient, "get_cart", lambda self, cart_id: host.get_cart(cart_id))
    monkeypatch.setattr(NewStoreClient, "get_profile", lambda self, profile: host.get_profile(profile))
    yield host
    host.may_answer.set()


def code_of(response: Any) -> str:
    return str(response.content.decode().partition('data-error="')[2].partition('"')[0])


def test_store_customer_and_email_come_from_newstores_cart(
    client: Client, program: Program, host: Host
) -> None:
    host.attributes = {"loyalty_id": "L-00042"}
    params = launch_params(program, customerEmail="") | {"store": ""}
    assert client.get("/launch/acme/", params).status_code == 302
    launch = Launch.objects.get()
    assert (launch.store_id, launch.profile_id) == ("US_BOSTON_01", "NS-1")
    assert (launch.customer_email, launch.loyalty_id) == ("mia@example.test", "L-00042")


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("store", "US_DENVER_02", "CART_OTHER_STORE"),
        ("associate", "a-23", "CART_OTHER_ASSOCIATE"),
        ("customer", "NS-2", "CART_OTHER_CUSTOMER"),
        ("email", "leo@example.test", "CART_OTHER_CUSTOMER"),
    ],
)
def test_a_launch_that_newstores_cart_contradicts_is_refused_logged_and_counted(
    client: Client, program: Program, host: Host, field: str, value: str, code: str
) -> None:
    setattr(host, field, value)
    kim = Associate(associate_id="a-17", device_id="ipad-1", is_staff_id=True)
    params = launch_params(program, profileId="NS-1") | {"externalIdentity": issue_identity(program, kim)}
    labels = {"program": "acme", "outcome": code}
    before = REGISTRY.get_sample_value("newstore_launch_checks_total", labels) or 0
    with capture_logs() as lines:
        response = client.get("/launch/acme/", params)
    assert (response.status_code, code_of(response)) == (403, code)
    assert not Launch.objects.exists()
    assert [line["reason"] for line in lines if line["event"] == "launch_refused"] == [code]
    assert "@" not in str(lines)
    assert REGISTRY.get_sample_value("newstore_launch_checks_total", labels) == before + 1


def test_a_cart_without_a_total_yet_is_checked_too(client: Client, program: Program, host: Host) -> None:
    """The total may come later, from what the app puts into the page (views.host): no check follows then."""
    host.store = "US_DENVER_02"
    assert code_of(client.get("/launch/acme/", launch_params(program, cartTotal=None))) == "CART_OTHER_STORE"
    host.cart_error = NewStoreRejected("gone", status=404)
    assert code_of(client.get("/launch/acme/", launch_params(program, cartTotal=None))) == "CART_UNKNOWN"


def test_an_associate_whose_newstore_id_is_not_known_is_not_compared(
    client: Client, program: Program, host: Host
) -> None:
    host.associate = "a-23"
    assert client.get("/launch/acme/", launch_params(program)).status_code == 302


def test_a_cart_that_newstore_does_not_know_is_refused_with_its_reference(
    client: Client, program: Program, host: Host
) -> None:
    host.cart_error = NewStoreRejected("not found", "req-77", status=404)
    response = client.get("/launch/acme/", launch_params(program))
    assert (response.status_code, code_of(response)) == (403, "CART_UNKNOWN")
    assert "NewStore req-77" in response.content.decode()


@pytest.mark.parametrize(
    "error",
    [NewStoreUnavailable("timeout"), NewStoreAuthFailed("403 insufficient_scope"), NewStoreRejected("410")],
)
def test_an_outage_of_newstore_stops_no_till_and_is_logged_once(
    client: Client, program: Program, host: Host, error: NewStoreError
) -> None:
    host.cart_error = error
    with capture_logs() as lines:
        for _ in range(3):
            assert client.get("/launch/acme/", launch_params(program)).status_code == 302
    assert len([line for line in lines if line["event"] == "launch_unchecked"]) == 1
    assert {launch.customer_email for launch in Launch.objects.all()} == {"mia@example.test"}


def test_a_cart_that_was_read_counts_even_if_its_customer_could_not_be_read(
    client: Client, program: Program, host: Host
) -> None:
    host.profile_error = NewStoreUnavailable("timeout")
    assert client.get("/launch/acme/", launch_params(program)).status_code == 302
    assert Launch.objects.get().profile_id == "NS-1"
    host.store = "US_DENVER_02"
    assert code_of(client.get("/launch/acme/", launch_params(program))) == "CART_OTHER_STORE"


def test_the_till_waits_a_second_at_most(
    client: Client, program: Program, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_check, "DEADLINE_S", DEADLINE_S)
    host.may_answer.clear()
    started = time.monotonic()
    assert client.get("/launch/acme/", launch_params(program)).status_code == 302
    assert time.monotonic() - started < 30  # on a busy machine; NewStore itself would keep it for a minute


def test_carts_are_not_read_where_the_program_says_so(client: Client, program: Program, host: Host) -> None:
    Program.objects.update(newstore_check_carts=False)
    assert client.get("/launch/acme/", launch_params(program)).status_code == 302
    assert host.asked == []


def test_a_profile_without_the_members_id_gets_it(client: Client, program: Program, host: Host) -> None:
    client.get(client.get("/launch/acme/", launch_params(program))["Location"])
    link = ProfileLink.objects.get()
    assert (link.profile_id, link.member_id, link.may_replace) == ("NS-1", "L-00042", False)


def test_a_profile_that_has_an_id_is_left_alone(client: Client, program: Program, host: Host) -> None:
    host.attributes = {"loyalty_id": "L-00042"}
    client.get(client.get("/launch/acme/", launch_params(program))["Location"])
    assert not ProfileLink.objects.exists()


def test_an_enrolled_customers_id_is_written_into_their_profile(
    client: Client, program: Program, host: Host
) -> None:
    host.email = "noor@example.test"
    page = client.get("/launch/acme/", launch_params(program, customerEmail=host.email))["Location"]
    form = {"email": host.email, "phone": "", "first_name": "Noor", "last_name": "Haddad"}
    assert client.post(page + "enrol/", form).status_code in (200, 302, 303)
    link = ProfileLink.objects.get()
    assert (link.profile_id, link.member_id, link.contact) == ("NS-1", "L-NEW", host.email)
    assert link.may_replace


# --- Opened from a customer's profile -------------------------------------------------------------

OpenProfile = Callable[..., Any]


@pytest.fixture
def open_profile(client: Client, program: Program) -> OpenProfile:
    def open_it(identity: str | None = None, **form: str) -> Any:
        form = {"profileId": "NS-1", "associateId": "a-17", "storeId": "US_BOSTON_01", "cartId": ""} | form
        ours = launch_params(program)["externalIdentity"] if identity is None else identity
        context = {"contextProps": {"formData": form}, "externalIdentity": ours}
        return client.post("/launch/acme/", {"context": json.dumps(context)})

    return open_it


def test_from_a_profile_the_customer_is_shown_and_redeeming_needs_a_cart(
    client: Client, open_profile: OpenProfile, host: Host
) -> None:
    page = open_profile()["Location"]
    html = client.get(page).content.decode()
    assert 'data-points="820"' in html
    assert 'data-tier="Silver"' in html
    assert "Open it from a cart to redeem" in html
    assert 'data-state="available"' not in html
    assert 'data-state="owned"' not in html
    assert 'data-reward="ten-off" data-state="locked" data-reason="NO_CART"' in html
    assert 'class="cart-line"' not in html
    assert host.asked == ["NS-1"]


def test_without_a_cart_a_forged_form_redeems_nothing(
    client: Client, open_profile: OpenProfile, host: Host, vendor: Vendor
) -> None:
    page = open_profile()["Location"]
    client.get(page)
    form = {"kind": "reward", "item": "ten-off", "key": "k" * 20}
    html = client.post(page + "redeem/", form).content.decode()
    assert 'data-error="NO_CART"' in html
    assert not vendor.spends


def test_an_open_cart_beside_the_profile_can_be_redeemed_in(
    client: Client, open_profile: OpenProfile, host: Host
) -> None:
    host.customer, host.store = "NS-2", "US_DENVER_02"
    page = open_profile(cartId="5f0c1d3e-cart-1")["Location"]
    assert "Open it from a cart to redeem" in client.get(page).content.decode()
    assert host.asked == ["NS-1"]


def test_an_unreadable_profile_leads_to_the_search(
    client: Client, open_profile: OpenProfile, host: Host
) -> None:
    host.profile_error = NewStoreUnavailable("timeout")
    assert client.get(open_profile()["Location"])["Location"].endswith("/find/")


def test_a_profile_shows_nothing_without_an_associate(open_profile: OpenProfile, host: Host) -> None:
    Program.objects.update(identity=Identity.CART)
    response = open_profile(identity="")
    assert (response.status_code, code_of(response)) == (403, "IDENTITY_MISSING")
    assert host.asked == []


def test_a_cart_without_its_total_shows_the_customer_and_redeems_nothing(
    client: Client, program: Program, host: Host
) -> None:
    page = client.get("/launch/acme/", launch_params(program, cartTotal=None))["Location"]
    html = client.get(page).content.decode()
    assert 'data-points="820"' in html
    assert "Open it from a cart to redeem" in html


@pytest.mark.parametrize("value", ["L" * 201, "L-\ud83d", "L-\x0042"])
@pytest.mark.parametrize("identity", list(Identity))
def test_a_loyalty_id_that_cannot_be_stored_is_ignored(
    client: Client,
    program: Program,
    host: Host,
    value: str,
    identity: Identity,
) -> None:
    Program.objects.update(identity=identity)
    host.attributes = {"loyalty_id": value}
    params = launch_params(program)
    if identity == Identity.CART:
        params |= {"externalIdentity": ""}
    client.raise_request_exception = False
    assert client.get("/launch/acme/", params).status_code == 302
    assert Launch.objects.get().loyalty_id == ""


def test_a_cart_with_a_merged_customer_is_not_called_unknown(
    client: Client,
    program: Program,
    host: Host,
) -> None:
    Program.objects.update(identity=Identity.CART)
    host.profile_error = NewStoreRejected("404 resource_not_found", status=404)
    response = client.get("/launch/acme/", launch_params(program) | {"externalIdentity": ""})
    assert (response.status_code, code_of(response)) == (403, "NO_CUSTOMER")


@pytest.mark.parametrize("field", ["cart_error", "profile_error"])
def test_an_api_that_is_switched_off_is_not_called_an_unknown_cart(
    client: Client,
    program: Program,
    host: Host,
    field: str,
) -> None:
    Program.objects.update(identity=Identity.CART)
    setattr(host, field, NewStoreRejected("410: NewStore has switched this API version off", status=410))
    response = client.get("/launch/acme/", launch_params(program) | {"externalIdentity": ""})
    assert (response.status_code, code_of(response)) == (503, "CART_UNCHECKED")
