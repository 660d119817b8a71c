"""Keys of web shops: made and shown once, never stored, refused when they are revoked or have expired."""

import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from providers.house.api.keys import Refused, make_key, recognise, revoke
from providers.house.api.models import ApiKey
from providers.house.models import Member
from tests.providers.house_api.conftest import Shop, order_of, reservation_of

pytestmark = pytest.mark.django_db
ADMIN = "/admin/house_api/apikey/"


def build_key(**fields: object) -> tuple[ApiKey, str]:
    key = ApiKey(**{"program": "acme", "name": "Shop", "scopes": ["points:read"], **fields})
    return key, make_key(key)


def test_a_key_is_recognised_and_its_use_is_noted() -> None:
    key, text = build_key()

    assert recognise("acme", text) == key
    key.refresh_from_db()
    assert key.last_used_at is not None


def test_nothing_that_is_stored_is_the_key() -> None:
    _, text = build_key()
    row = ApiKey.objects.values().get()

    assert all(text not in str(value) and text[17:] not in str(value) for value in row.values())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:-1] + ("A" if text[-1] != "A" else "B"),
        lambda text: text.upper(),
        lambda text: f"{text} ",
        lambda text: text[:16],
        lambda _: "",
        lambda _: "lvh_\x00",
        lambda _: "lvh_é",
    ],
)
def test_another_text_is_no_key(spoil: object) -> None:
    _, text = build_key()

    assert recognise("acme", spoil(text)) is Refused.UNKNOWN  # type: ignore[operator]


def test_a_key_opens_no_other_program() -> None:
    _, text = build_key()

    assert recognise("other", text) is Refused.UNKNOWN


def test_a_revoked_key_and_one_that_has_expired_are_refused() -> None:
    key, revoked = build_key()
    assert revoke(key.prefix)
    _, expired = build_key(expires_at=timezone.now() - timedelta(seconds=1))

    assert recognise("acme", revoked) is Refused.REVOKED
    assert recognise("acme", expired) is Refused.EXPIRED
    assert not revoke(key.prefix)


def test_a_key_is_read_and_written_once_a_minute(django_assert_num_queries: object) -> None:
    _, text = build_key()
    recognise("acme", text)

    with django_assert_num_queries(1):  # type: ignore[operator]
        recognise("acme", text)


def test_the_command_prints_a_key_once_and_revokes_it() -> None:
    out = StringIO()
    scopes = ["orders:write", "members:read"]
    call_command("house_api_key", "create", "--program", "acme", "--scopes", *scopes, stdout=out, stderr=out)
    text = out.getvalue().splitlines()[0]
    key = recognise("acme", text)
    assert isinstance(key, ApiKey)
    assert key.scopes == scopes

    listed = StringIO()
    call_command("house_api_key", "list", "--program", "acme", stdout=listed)
    assert key.prefix in listed.getvalue()
    assert text not in listed.getvalue()
    call_command("house_api_key", "revoke", key.prefix, stdout=out)
    assert recognise("acme", text) is Refused.REVOKED


@pytest.mark.parametrize("wrong", [["--scopes", "everything"], ["--scopes", "orders:write", "--name", ""]])
def test_the_command_makes_no_key_that_is_wrong(wrong: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("house_api_key", "create", "--program", "acme", *wrong)
    assert not ApiKey.objects.exists()


def test_admin_shows_a_new_key_once_and_revokes_it(admin_client: Client) -> None:
    form = {"program": "acme", "name": "Shop", "scopes": ["points:read"], "calls_per_minute": "60"}
    page = admin_client.post(f"{ADMIN}add/", form)
    found = re.search(r"lvh_[a-z0-9]{12}_[A-Za-z0-9_-]{43}", page.content.decode())
    assert found
    assert "no-store" in page["Cache-Control"]
    assert found[0] not in str(page.cookies)
    key = recognise("acme", found[0])
    assert isinstance(key, ApiKey)
    assert found[0] not in admin_client.get(f"{ADMIN}{key.pk}/change/").content.decode()

    admin_client.post(ADMIN, {"action": "revoke_keys", "_selected_action": [key.pk]})
    assert recognise("acme", found[0]) is Refused.REVOKED


def test_admin_changes_a_key_without_making_another(admin_client: Client) -> None:
    key, text = build_key()
    revoke(key.prefix)
    form = {"name": "Shop 2", "scopes": ["points:read", "orders:write"], "calls_per_minute": "60"}
    admin_client.post(f"{ADMIN}{key.pk}/change/", form)

    key.refresh_from_db()
    assert (key.name, key.scopes) == ("Shop 2", ["points:read", "orders:write"])
    assert recognise("acme", text) is Refused.REVOKED
    assert admin_client.post(f"{ADMIN}{key.pk}/delete/").status_code == 403


def test_admin_shows_what_a_web_shop_reported_and_reserved(
    admin_client: Client, shop: Shop, mia: Member
) -> None:
    shop.post("orders", order_of(mia))
    shop.post("reservations", reservation_of(mia))
    for name, text in (("report", "W-1"), ("reservation", "cart-1")):
        page = admin_client.get(f"/admin/house_api/{name}/")
        assert text in page.content.decode()
        assert admin_client.post(f"/admin/house_api/{name}/add/").status_code == 403
