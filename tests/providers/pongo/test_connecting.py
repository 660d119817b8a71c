"""Connecting from admin: to Pongo's form and back, with every possible failure."""

import importlib
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import time_machine
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client

from loyaltyview.programs.models import Program
from providers.errors import AuthFailed
from providers.pongo.models import Account, AccountState
from tests.providers.pongo.conftest import MIA, SECRET, Served

HOME = "/admin/pongo/program/acme/"
START = "/admin/pongo/program/acme/connect/"
CALLBACK = "/admin/pongo/callback/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(program: Program, vendor: Served) -> Program:
    """The Acme Club with Pongo, not connected yet."""
    program.provider_kind = "pongo"
    program.provider_settings = {
        "base_url": vendor.url,
        "client_id": "loyaltyview",
        "client_secret": SECRET,
        "requests_per_minute": 6000,
    }
    program.save()
    return program


def allow(client: Client, answer: str = "allow") -> str:
    """Start, answer Pongo's form as the merchant would, and return the address that it leads back to."""
    form = client.get(START)["Location"]
    assert "Connect Acme Clothing?" in requests.get(form, timeout=5).text
    back = requests.post(form, data={"answer": answer}, timeout=5, allow_redirects=False)
    return back.headers["Location"].removeprefix("http://testserver")


def page_after(client: Client, address: str) -> str:
    return client.get(address, follow=True).content.decode()


def test_the_form_is_asked_as_the_reference_shows(
    admin_client: Client, acme: Program, vendor: Served
) -> None:
    address = urlsplit(admin_client.get(START)["Location"])

    query = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert address.path == "/v1/oauth/form"
    assert set(query) == {"client_id", "state", "redirect_uri", "scope"}
    assert query["redirect_uri"] == "http://testserver/admin/pongo/callback/"
    assert "reward.update,order.create" in address.query


def test_a_merchant_who_allows_it_is_connected_and_named(
    admin_client: Client, acme: Program, vendor: Served
) -> None:
    page = page_after(admin_client, allow(admin_client))

    assert "Connected to Acme Clothing." in page
    account = Account.objects.get()
    assert (account.state, account.merchant_id) == (AccountState.CONNECTED, "mer_0acme00001")
    assert account.expires_at is not None
    (exchange,) = vendor.bodies("POST", "/v1/oauth/token")
    assert exchange["grant_type"] == "client_credentials"
    assert acme.provider().get_member(MIA).first_name == "Mia"
    assert "Connected to Acme Clothing" in str(LogEntry.objects.get().change_message)


def test_the_token_is_neither_stored_in_clear_nor_shown(
    admin_client: Client, acme: Program, vendor: Served
) -> None:
    page = page_after(admin_client, allow(admin_client))

    tokens = [token for token in vendor.oauth.tokens if token != SECRET]
    assert len(tokens) == 1
    assert tokens[0] not in Account.objects.get().sealed_token
    assert tokens[0] not in page


def test_a_refusal_changes_nothing(admin_client: Client, acme: Program) -> None:
    page = page_after(admin_client, allow(admin_client, "refuse"))

    assert "was not allowed to connect" in page
    assert not Account.objects.filter(state=AccountState.CONNECTED).exists()


def test_an_answer_works_once(admin_client: Client, acme: Program, vendor: Served) -> None:
    address = allow(admin_client)
    admin_client.get(address)

    again = admin_client.get(address)

    assert again.status_code == 400
    assert vendor.count("POST", "/v1/oauth/token") == 1


@pytest.mark.parametrize("state", ["", "made-up", "bm9uY2U:1abcde:signature"])
def test_a_wrong_state_is_refused(admin_client: Client, acme: Program, vendor: Served, state: str) -> None:
    answered = admin_client.get(CALLBACK, {"code": "c", "state": state})

    assert answered.status_code == 400
    assert "does not belong" in answered.content.decode()
    assert vendor.count("POST", "/v1/oauth/token") == 0


def test_a_state_belongs_to_the_administrator_who_started(
    admin_client: Client, acme: Program, client: Client, vendor: Served
) -> None:
    address = allow(admin_client)
    client.force_login(User.objects.create_superuser("other"))

    assert client.get(address).status_code == 400
    assert vendor.count("POST", "/v1/oauth/token") == 0


def test_a_state_is_good_for_ten_minutes(admin_client: Client, acme: Program) -> None:
    address = allow(admin_client)

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=11)):
        assert admin_client.get(address).status_code == 400


def test_wrong_partner_credentials_are_reported(admin_client: Client, acme: Program, vendor: Served) -> None:
    address = allow(admin_client)
    vendor.oauth.client_secret = "changed"

    assert "does not accept the partner" in page_after(admin_client, address)


def test_a_code_that_pongo_refuses_is_reported(admin_client: Client, acme: Program, vendor: Served) -> None:
    address = allow(admin_client)
    vendor.oauth.codes.clear()

    assert "did not take its own code" in page_after(admin_client, address)


def test_a_silent_pongo_is_reported(admin_client: Client, acme: Program, vendor: Served) -> None:
    address = allow(admin_client)
    vendor.faults.is_down = True

    page = page_after(admin_client, address)

    assert "Connect again in a minute" in page
    assert not Account.objects.filter(state=AccountState.CONNECTED).exists()


def test_connecting_needs_partner_credentials(admin_client: Client, acme: Program) -> None:
    acme.provider_settings = {**acme.provider_settings, "client_id": ""}
    acme.save()

    assert "Set the client id" in page_after(admin_client, START)


def test_a_token_that_expired_needs_a_reconnect_and_says_so(
    admin_client: Client, acme: Program, vendor: Served
) -> None:
    admin_client.get(allow(admin_client))
    vendor.oauth.expire_all()

    with pytest.raises(AuthFailed):
        acme.provider().get_member(MIA)

    assert Account.objects.get().state == AccountState.NEEDS_RECONNECT
    assert "needs reconnect" in page_after(admin_client, HOME)
    assert "Connected to Acme Clothing." in page_after(admin_client, allow(admin_client))
    assert acme.provider().get_member(MIA)


def test_a_token_that_was_refused_once_and_works_is_connected_again(
    admin_client: Client, acme: Program, vendor: Served
) -> None:
    admin_client.get(allow(admin_client))
    vendor.oauth.expire_all()
    with pytest.raises(AuthFailed):
        acme.provider().get_member(MIA)
    for token in vendor.oauth.tokens.values():
        token.is_expired = False

    acme.provider().check()

    assert Account.objects.get().state == AccountState.CONNECTED


def test_a_pasted_token_works_until_a_connection_takes_its_place(
    admin_client: Client, acme: Program, vendor: Served
) -> None:
    acme.provider_settings = {**acme.provider_settings, "access_token": SECRET}
    acme.save()
    assert "With the token pasted" in page_after(admin_client, HOME)

    admin_client.get(allow(admin_client))
    vendor.oauth.tokens[SECRET].is_expired = True

    assert acme.provider().get_member(MIA)


def test_disconnecting_deletes_the_token(admin_client: Client, acme: Program) -> None:
    admin_client.get(allow(admin_client))

    admin_client.post(f"{HOME}disconnect/")

    assert Account.objects.get().sealed_token == ""
    with pytest.raises(AuthFailed, match="not connected"):
        acme.provider().get_member(MIA)


def test_another_address_never_gets_the_token(admin_client: Client, acme: Program) -> None:
    admin_client.get(allow(admin_client))
    acme.provider_settings = {**acme.provider_settings, "base_url": "http://127.0.0.1:1"}
    acme.save()

    with pytest.raises(AuthFailed, match="not connected"):
        acme.provider().get_member(MIA)
    assert Account.objects.get().sealed_token == ""
    assert "Not connected yet." in page_after(admin_client, HOME)


def test_a_token_without_an_address_belongs_to_its_programs_address(
    admin_client: Client, acme: Program
) -> None:
    migration = importlib.import_module("providers.pongo.migrations.0003_address_of_the_token")
    admin_client.get(allow(admin_client))
    Account.objects.update(base_url="")
    migration.note_addresses(apps, type("Editor", (), {"connection": connection}))

    assert acme.provider().get_member(MIA)


def test_a_key_that_was_removed_too_early_is_a_refused_connection(
    admin_client: Client, acme: Program, settings: object
) -> None:
    admin_client.get(allow(admin_client))
    provider = acme.provider()
    settings.CREDENTIAL_KEYS = ["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="]  # type: ignore[attr-defined]

    with pytest.raises(AuthFailed, match="CREDENTIAL_KEYS"):
        provider.get_member(MIA)


@pytest.mark.parametrize("address", [HOME, START, CALLBACK])
def test_anonymous_users_are_sent_to_the_login(client: Client, acme: Program, address: str) -> None:
    assert client.get(address)["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("address", [HOME, START, CALLBACK])
def test_staff_who_may_not_change_programs_are_refused(client: Client, acme: Program, address: str) -> None:
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_program"))
    client.force_login(clerk)

    assert client.get(address).status_code == 403


@pytest.mark.parametrize("what", ["disconnect/", "stores/", "webhooks/"])
def test_changes_need_a_form(admin_client: Client, acme: Program, what: str) -> None:
    assert admin_client.get(HOME + what).status_code == 405


def test_a_program_of_another_provider_has_no_such_page(admin_client: Client, program: Program) -> None:
    assert admin_client.get(HOME).status_code == 404
