"""The card that is turned to the customer, and the curtain."""

import re

import pytest
from django.test import Client

from loyaltyview.programs.models import Program
from loyaltyview.webview import languages
from providers.errors import Unavailable

from .conftest import Mint, Open
from .fakes import Vendor
from .test_shown import card_form


@pytest.fixture
def card(page: str) -> str:
    return page + "card/"


def test_the_card_shows_points_tier_and_what_this_cart_saves(client: Client, shown: str, card: str) -> None:
    html = client.get(card).content.decode()
    assert 'data-points="820"' in html
    assert "Silver" in html
    assert "$10.00" in html


def test_nothing_on_it_is_the_associates_or_the_members_own(
    client: Client, shown: str, card: str, page: str
) -> None:
    html = client.get(card).content.decode()
    for text in ("Mia", "Stone", "mia@", "0100", "My shift", "Boston", "kim", "<form", "shift/", "find/"):
        assert text.lower() not in html.lower(), text
    assert f'href="{page}"' in html


def test_it_asks_the_vendor_for_no_more_than_the_page(
    client: Client, open_page: Open, vendor: Vendor, newstore: Mint
) -> None:
    vendor.is_local = False
    page = open_page()
    assert b"820" in b"".join(client.get(page))
    vendor.calls.clear()
    assert 'data-points="820"' in client.get(page + "card/").content.decode()
    assert vendor.calls == []


def test_it_says_what_is_saved_once_a_code_is_in_the_cart(client: Client, shown: str, card: str) -> None:
    client.post(shown + "redeem/", card_form(client.get(shown).content.decode(), "ten-off"))
    html = client.get(card).content.decode()
    assert re.search(r"You save\s+<bdi>\$10\.00</bdi>\s+with this purchase\.", html)


def test_its_language_is_chosen_on_it_and_changes_nothing_else(
    client: Client, shown: str, card: str, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(languages, "_with_catalogue", lambda _folder: {"ar"})
    program.languages = ["en", "ar", "ja"]
    program.save()
    html = client.get(card + "?in=ar").content.decode()
    assert '<section\n  class="customer-card" lang="ar" dir="rtl"' in html
    assert "العربية" in html
    assert "日本語" not in html  # listed, but without texts
    assert client.get(card + "?in=ja")["Content-Language"] == "en"
    assert client.get(shown)["Content-Language"] == "en"


def test_without_a_member_or_a_vendor_the_member_page_says_why(
    client: Client, shown: str, card: str, page: str, vendor: Vendor
) -> None:
    vendor.down(Unavailable("away"))
    assert client.get(card).headers["Location"] == page


def test_a_stranger_with_the_address_sees_no_card(shown: str, card: str) -> None:
    assert Client().get(card).status_code == 403
