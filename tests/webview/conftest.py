"""An associate who opens the page from a cart, a vendor in memory, and a NewStore that mints."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page
from pytest_django import Settings

from loyaltyview.newstore.context import Associate
from loyaltyview.newstore.coupons import CouponRequest, MintedCode
from loyaltyview.newstore.errors import NewStoreError
from loyaltyview.newstore.identity import issue_identity
from loyaltyview.programs.models import Program
from loyaltyview.redemptions import saga
from loyaltyview.webview import languages
from loyaltyview.webview.models import Launch

from .fakes import FakeProvider, Vendor

TOKEN = "0f3a9c5be1d24c7798aa6d20b4e1f7c3"
KIM = Associate(associate_id="a-17", device_id="ipad-1")


def open_slowly(client: Client, address: str) -> tuple[str, Iterator[bytes]]:
    """Return the part of the page that is sent at once, and what follows it."""
    parts = iter(client.get(address))
    return next(parts).decode(), parts


def words(text: str) -> set[str]:
    """Return the words of `text`. A key or a token in it may hold a short name or number by chance."""
    return set(re.findall(r"\w+", text))


def squeezed(html: str) -> str:
    """Return `html` on one line, without the white space that only lays the template out."""
    return re.sub(r" ?([<>]) ?", r"\1", re.sub(r"\s+", " ", html))


@pytest.fixture
def clock_stands() -> Iterator[None]:
    """Look-ups are counted by the minute, enrolments by the hour: none ends within the test."""
    with time_machine.travel(timezone.now(), tick=False):
        yield


@pytest.fixture
def noon() -> Iterator[None]:
    """No day, and so no shift, ends within the test."""
    with time_machine.travel(timezone.now().replace(hour=12)):
        yield


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    vendor = Vendor()
    monkeypatch.setattr(Program, "provider", lambda self: FakeProvider(vendor))
    yield vendor
    vendor.let_go()


@dataclass
class Mint:
    """NewStore's coupon maker, and the error it is to answer."""

    requests: list[CouponRequest] = field(default_factory=list)
    error: NewStoreError | None = None
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def __call__(self, program: Program, request: CouponRequest) -> MintedCode:
        self.requests.append(request)
        if self.error:
            raise self.error
        code = f"LOY{next(self.numbers):07d}"
        return MintedCode(code=code, expires_at=timezone.now() + timedelta(minutes=15))


@pytest.fixture
def newstore(monkeypatch: pytest.MonkeyPatch) -> Mint:
    mint = Mint()
    monkeypatch.setattr(saga, "mint_code", mint)
    return mint


def cart_json(**changes: object) -> str:
    """The cart as NewStore's query string holds it: $129.90, two items, Mia's e-mail."""
    cart: dict[str, object] = {
        "cartId": "5f0c1d3e-cart-1",
        "customerEmail": "mia@example.test",
        "cartTotal": 129.9,
        "currency": "USD",
        "items": [
            {"productId": "TOTE-01", "itemId": "i-1", "price": 89.9},
            {"productId": "CAP-02", "itemId": "i-2", "price": 40},
        ],
    }
    return json.dumps(cart | changes)


def launch_params(program: Program, **changes: object) -> dict[str, str]:
    return {
        "token": TOKEN,
        "externalIdentity": issue_identity(program, KIM),
        "store": "US_BOSTON_01",
        "cart": cart_json(**changes),
    }


Open = Callable[..., str]


@pytest.fixture
def open_page(client: Client, program: Program) -> Open:
    """Launch with a cart changed by keyword, and return the address of the launch's pages."""

    def open_it(**changes: object) -> str:
        response = client.get("/launch/acme/", launch_params(program, **changes))
        assert response.status_code == 302, response.content.decode()
        return str(response["Location"])

    return open_it


@pytest.fixture
def page(open_page: Open, vendor: Vendor, newstore: Mint) -> str:
    """The address of a launch for Mia's cart."""
    return open_page()


@pytest.fixture
def french(monkeypatch: pytest.MonkeyPatch) -> None:
    """French has texts, whatever was compiled here."""
    monkeypatch.setattr(languages, "_with_catalogue", lambda _folder: {"fr"})


@pytest.fixture
def the_launch(page: str) -> Launch:
    return Launch.objects.get()


@pytest.fixture
def shown(client: Client, page: str) -> str:
    """The page after Mia was shown on it."""
    client.get(page)
    return page


Browse = Callable[..., Page]


@pytest.fixture
def open_in_browser(
    browser: Browser, live_server: Any, program: Program, vendor: Vendor, newstore: Mint
) -> Iterator[Browse]:
    """Open Mia's cart on a phone; a script error or a refused script fails the test."""
    contexts: list[BrowserContext] = []
    broken: list[str] = []

    def opened(
        prepare: Callable[[Page], None] = lambda page: None, wait_until: Any = "load", **cart: object
    ) -> Page:
        context = browser.new_context(viewport={"width": 390, "height": 844})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: broken.append(str(error)))
        prepare(page)
        address = f"{live_server.url}/launch/acme/?{urlencode(launch_params(program, **cart))}"
        page.goto(address, wait_until=wait_until)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert broken == []


@pytest.fixture
def slow(vendor: Vendor, settings: Settings) -> Vendor:
    """A vendor slower than the first paint, so that the skeleton is shown first; the test lets it go."""
    settings.PAGE_DEADLINE_S = 30
    vendor.hold()
    return vendor
