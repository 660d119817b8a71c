"""A Yotpo account served on loopback, and the adapter that talks to it over real HTTP."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from loyaltyview.sandbox.vendors import VendorSetup
from loyaltyview.sandbox.vendors.yotpo.server import Yotpo
from providers.base import ProviderConfig
from providers.yotpo.provider import YotpoProvider
from tests.providers.yotpo.build import MIA, ref

SECRET = "yotpo-key-1"
REWARD_VALUES = {
    "90211": {"kind": "fixed", "amount": "10", "minimum": "50"},
    "90212": {"kind": "product", "skus": ["TOTE-01"]},
}
Build = Callable[..., YotpoProvider]


class Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@pytest.fixture
def yotpo() -> Yotpo:
    """The account; its rate limit is off."""
    account = Yotpo(VendorSetup(secret=SECRET))
    account.rate.rate_limit_per_s = 0
    return account


@pytest.fixture
def address(yotpo: Yotpo) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, yotpo.wsgi, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def pauses() -> list[float]:
    """What the adapter would have slept, in seconds."""
    return []


@pytest.fixture
def build(address: str, db: None, pauses: list[float]) -> Build:
    """Return a function that builds the adapter, with other settings where they are given."""

    def make(**settings: Any) -> YotpoProvider:
        given = {
            "base_url": address,
            "guid": SECRET,
            "api_key": SECRET,
            "callback_secret": SECRET,
            "reward_values": REWARD_VALUES,
            "rate_per_s": 100,
            **settings,
        }
        config = ProviderConfig(
            program="acme",
            currency="USD",
            country="US",
            settings=YotpoProvider.validate_settings(given),
        )
        return YotpoProvider(config, sleep=pauses.append)

    return make


@pytest.fixture
def provider(build: Build) -> YotpoProvider:
    return build()


@pytest.fixture
def mia(provider: YotpoProvider) -> str:
    """The ref of Mia Stone: 820 points, Silver, known to the shop by an id."""
    return ref(provider, MIA)
