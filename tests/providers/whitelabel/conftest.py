"""A tenant served on loopback, and the adapter that talks to it over real HTTP."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from loyaltyview.sandbox.answers import Json
from loyaltyview.sandbox.vendors import VendorSetup
from loyaltyview.sandbox.vendors.whitelabel.server import WhiteLabel
from providers.base import ProviderConfig
from providers.whitelabel import events
from providers.whitelabel.client import Client
from providers.whitelabel.provider import WhiteLabelProvider
from tests.providers.whitelabel.build import MUSEUM, SECRET

Build = Callable[..., WhiteLabelProvider]
LoseAnswers = Callable[[], AbstractContextManager[None]]


class Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@pytest.fixture
def vendor() -> WhiteLabel:
    return WhiteLabel(VendorSetup(secret=SECRET))


@pytest.fixture
def address(vendor: WhiteLabel) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, vendor.wsgi, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the adapter would have waited for reactions, in seconds."""
    found: list[float] = []
    monkeypatch.setattr(events, "sleep", found.append)
    return found


@pytest.fixture
def build(vendor: WhiteLabel, address: str, db: None, pauses: list[float]) -> Build:
    """Return a function that builds the adapter, with other settings where they are given."""
    email, sms = vendor.consent_types

    def make(**settings: Any) -> WhiteLabelProvider:
        given = {
            "base_url": address,
            "auth_url": address,
            "api_key": SECRET,
            "client_id": SECRET,
            "client_secret": SECRET,
            "consent_email_type": email,
            "consent_sms_type": sms,
            "rate_setting": "redemption.rate",
            "points_step": 50,
            "code_discounts": {MUSEUM: {"type": "ABSOLUTE", "value": 1200}},
            "webhook_token": SECRET,
            **settings,
        }
        config = ProviderConfig(
            program="acme",
            currency="USD",
            country="US",
            settings=WhiteLabelProvider.validate_settings(given),
        )
        return WhiteLabelProvider(config)

    return make


@pytest.fixture
def provider(build: Build) -> WhiteLabelProvider:
    return build()


@pytest.fixture
def mia(vendor: WhiteLabel) -> str:
    """The ref of Mia Stone: 820 points, Silver."""
    return str(vendor.state.by_email("mia@example.test")["id"])


@pytest.fixture
def ana(vendor: WhiteLabel) -> str:
    """The ref of Ana Ruiz: 3150 points, Gold, two vouchers of their own."""
    return str(vendor.state.by_email("ana@example.test")["id"])


@pytest.fixture
def whole_voucher(vendor: WhiteLabel, mia: str) -> Json:
    """Mia's own voucher, $10 off, not redeemed: the cashier does it."""
    return vendor.state.give(mia, vendor.state.reward_named("$10 birthday voucher"))


@pytest.fixture
def shown_voucher(vendor: WhiteLabel, mia: str) -> Json:
    """Mia's own voucher, redeemed in the app, which shows its code, Promo-Mia10."""
    return vendor.state.give(mia, vendor.state.reward_named("$10 birthday voucher"), code="Promo-Mia10")


@pytest.fixture
def lose_answers(vendor: WhiteLabel) -> LoseAnswers:
    """Return a context in which every write has its effect and no answer."""

    @contextmanager
    def lose() -> Iterator[None]:
        vendor.faults.withholds_answers = vendor.faults.writes_only = True
        try:
            yield
        finally:
            vendor.faults.withholds_answers = vendor.faults.writes_only = False

    return lose


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that was sent is counted as still on its way."""
    monkeypatch.setattr(Client, "settled_after", timedelta(seconds=-1))
