"""Stampcard served on loopback, and the adapter that talks to it over real HTTP."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from loyaltyview.sandbox.vendors.base import VendorSetup
from providers.base import ProviderConfig
from tests.providers.stampcard.provider import StampcardProvider
from tests.providers.stampcard.server import Stampcard

SECRET = "stampcard-key-1"
MIA = "c-mia"
Build = Callable[..., StampcardProvider]


class Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@pytest.fixture
def vendor() -> Stampcard:
    return Stampcard(VendorSetup(secret=SECRET))


@pytest.fixture
def address(vendor: Stampcard) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, vendor.wsgi, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def build(address: str, db: None) -> Build:
    """Return a function that builds the adapter, or a subclass of it."""

    def make(cls: type[StampcardProvider] = StampcardProvider, **settings: Any) -> StampcardProvider:
        given = {
            "base_url": address,
            "api_key": SECRET,
            "signing_secret": SECRET,
            "calls_per_minute": 6000,
            **settings,
        }
        settings = cls.validate_settings(given)
        return cls(ProviderConfig(program="acme", currency="USD", country="US", settings=settings))

    return make
