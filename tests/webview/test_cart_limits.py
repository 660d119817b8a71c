"""Without an associate the limits hold across launches and carts, and NewStore is asked little."""

import pytest
from django.test import Client
from pytest_django import Settings

from loyaltyview.newstore.answers import HostCart, Profile
from loyaltyview.newstore.client import NewStoreClient
from loyaltyview.newstore.errors import NewStoreRejected
from loyaltyview.programs.models import Identity, Program

from .conftest import Mint, launch_params
from .fakes import Vendor

HERE, ELSEWHERE = "198.51.100.7", "203.0.113.9"
pytestmark = pytest.mark.usefixtures("clock_stands")


@pytest.fixture
def asked(program: Program, vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The carts that NewStore was asked for; it knows all but those that are made up."""
    Program.objects.update(identity=Identity.CART)
    carts: list[str] = []

    def get_cart(self: NewStoreClient, cart_id: str) -> HostCart:
        carts.append(cart_id)
        if cart_id.startswith("made-up"):
            raise NewStoreRejected("gone", status=404)
        return HostCart(
            cart_id=cart_id, store_id="US_BOSTON_01", associate_id="", customer_id="profile-1",
            currency="USD", channel_type="STORE", state="open",
        )  # fmt: skip

    def get_profile(self: NewStoreClient, profile_id: str) -> Profile:
        return Profile(
            profile_id=profile_id, display_id="C-1", email="mia@example.test", first_name="", last_name="",
            full_name="", phone="", store_id="", updated_at="2026-03-04T15:00:00Z",
        )  # fmt: skip

    monkeypatch.setattr(NewStoreClient, "get_cart", get_cart)
    monkeypatch.setattr(NewStoreClient, "get_profile", get_profile)
    return carts


def open_cart(program: Program, cart_id: str, caller: str = HERE) -> tuple[int, Client, str]:
    """Return the status of a launch in a browser of its own, that browser, and the address of the page."""
    client = Client(REMOTE_ADDR=caller)
    response = client.get("/launch/acme/", launch_params(program, cartId=cart_id) | {"externalIdentity": ""})
    address = response.get("Location", "")
    if address:
        client.get(address)
    return response.status_code, client, address


def try_voucher(program: Program, cart_id: str, caller: str = HERE) -> int:
    _status, client, page = open_cart(program, cart_id, caller)
    return client.post(page + "voucher/", {"code": "GUESSED-1"}).status_code


def redeem(program: Program, cart_id: str, number: int, caller: str = HERE) -> int:
    _status, client, page = open_cart(program, cart_id, caller)
    fields = {"key": f"a-key-of-this-card-{number}", "kind": "reward", "item": "ten-off"}
    return client.post(page + "redeem/", fields).status_code


def test_made_up_carts_cost_newstore_no_more_than_the_callers_budget(
    program: Program, asked: list[str], settings: Settings
) -> None:
    settings.CART_LAUNCHES_PER_MINUTE = 3
    answers = [open_cart(program, f"made-up-{number}")[0] for number in range(10)]

    assert answers == [403] * 3 + [429] * 7
    assert len(asked) == 3
    assert open_cart(program, "cart-of-mia", ELSEWHERE)[0] == 302


def test_a_cart_that_newstore_does_not_know_is_asked_for_once(program: Program, asked: list[str]) -> None:
    answers = [open_cart(program, "made-up-1")[0] for _ in range(5)]

    assert answers == [403] * 5
    assert asked == ["made-up-1"]


def test_another_header_does_not_make_another_caller(
    program: Program, asked: list[str], settings: Settings
) -> None:
    settings.CART_LAUNCHES_PER_MINUTE = 1
    params = launch_params(program, cartId="cart-1") | {"externalIdentity": ""}
    answers = [
        Client(REMOTE_ADDR=HERE).get(
            "/launch/acme/", params, headers={"X-Forwarded-For": f"192.0.2.{number}"}
        )
        for number in range(2)
    ]

    assert [answer.status_code for answer in answers] == [302, 429]


def test_voucher_tries_hold_across_the_launches_of_a_cart(
    program: Program, asked: list[str], settings: Settings
) -> None:
    settings.LOOKUPS_PER_MINUTE = 2
    answers = [try_voucher(program, "cart-1", f"198.51.100.{number}") for number in range(3)]

    assert answers[2] == 429
    assert 429 not in answers[:2]


def test_voucher_tries_hold_across_the_carts_of_a_caller(
    program: Program, asked: list[str], settings: Settings
) -> None:
    settings.LOOKUPS_PER_MINUTE = 2
    answers = [try_voucher(program, f"cart-{number}") for number in range(3)]

    assert answers[2] == 429
    assert 429 not in answers[:2]
    assert try_voucher(program, "cart-9", ELSEWHERE) != 429


def test_redemptions_hold_across_the_carts_of_a_caller(
    program: Program, asked: list[str], settings: Settings, newstore: Mint
) -> None:
    settings.CART_REDEMPTIONS_PER_HOUR = 1

    assert [redeem(program, f"cart-{number}", number) for number in range(2)] == [303, 429]
    assert redeem(program, "cart-9", 9, ELSEWHERE) == 303


def test_an_associate_has_no_limit_by_address(
    client: Client, page: str, newstore: Mint, settings: Settings
) -> None:
    settings.CART_REDEMPTIONS_PER_HOUR = 0
    client.get(page)
    fields = {"key": "a-key-of-this-card-1", "kind": "reward", "item": "ten-off"}

    assert client.post(page + "redeem/", fields).status_code == 303
