"""The address alone opens nothing."""

import pytest
import time_machine
from django.test import Client

from loyaltyview.webview.models import Launch

from .conftest import Open, words
from .fakes import Vendor

PAGES = ["", "content/", "find/", "enrol/", "history/"]


@pytest.mark.parametrize("path", PAGES)
def test_no_page_opens_without_the_cookie(page: str, path: str) -> None:
    response = Client().get(page + path)
    assert response.status_code == 403
    assert 'data-error="NO_SESSION"' in response.content.decode()
    assert "Mia" not in words(response.content.decode())


def test_a_stranger_cannot_tell_whether_a_launch_exists(page: str) -> None:
    stranger = Client()
    real, invented = stranger.get(page), stranger.get("/l/AAAAAAAAAAAAAAAAAAAAAA/")
    assert real.status_code == invented.status_code == 403
    assert real.content == invented.content


@pytest.mark.parametrize("invented", ["ab%00c", "ab%FFc", "a b", "x" * 33])
@pytest.mark.parametrize("path", ["", "find/", "applied/"])
def test_an_invalid_launch_id_is_not_an_address(client: Client, page: str, invented: str, path: str) -> None:
    response = client.get(f"/l/{invented}/{path}")
    assert response.status_code == 404
    assert 'data-error="NOT_FOUND"' in response.content.decode()


def test_another_launchs_cookie_opens_nothing(client: Client, page: str, open_page: Open) -> None:
    other = open_page(cartId="cart-2")
    thief = Client()
    thief.cookies["launch"] = client.cookies["launch"].value
    assert thief.get(other).status_code == 200
    assert thief.get(page).status_code == 403


def test_an_expired_launch_says_what_to_do(client: Client, page: str) -> None:
    ends_at = Launch.objects.get().expires_at
    with time_machine.travel(ends_at, tick=False):
        response = client.get(page)
    assert response.status_code == 410
    assert "Open it again from the cart" in response.content.decode()
    assert "Mia" not in words(response.content.decode())


def test_htmx_is_told_to_load_the_page_afresh(page: str) -> None:
    response = Client().get(page + "content/", headers={"HX-Request": "true"})
    assert response["HX-Refresh"] == "true"


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_kept_by_a_cache(client: Client, page: str, path: str) -> None:
    assert client.get(page + path)["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["redeem/", "find/", "enrol/", "choose/"])
def test_every_form_needs_the_csrf_token(client: Client, page: str, vendor: Vendor, path: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies["launch"] = client.cookies["launch"].value
    vendor.calls.clear()
    assert strict.post(page + path, {"q": "mia@example.test"}).status_code == 403
    assert vendor.calls == []


def test_the_language_is_one_that_the_program_speaks(client: Client, page: str, french: None) -> None:
    launch = Launch.objects.select_related("program").get()
    launch.program.languages = ["fr", "en"]
    launch.program.save()
    french = client.get(page, headers={"Accept-Language": "de, fr-CA;q=0.9, en;q=0.8"})
    assert french["Content-Language"] == "fr"
    assert "129,90" in french.content.decode()
    english = client.get(page, headers={"Accept-Language": "de, en-GB;q=0.8"})
    assert english["Content-Language"] == "en"
    first = client.get(page, headers={"Accept-Language": "ja"})
    assert first["Content-Language"] == "fr"
