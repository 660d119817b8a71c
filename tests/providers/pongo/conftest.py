"""The sandbox's Pongo over real HTTP, and an adapter that is connected to it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request

from loyaltyview.sandbox.vendors.base import VendorSetup
from loyaltyview.sandbox.vendors.pongo.server import PongoVendor
from providers.base import ProviderConfig
from providers.pongo.provider import PongoProvider

SECRET = "vendor-secret"
WEBHOOK_SECRET = "hook-secret"

MIA = "cust_00000000a1"
ANA = "cust_00000000c3"
FIVE_OFF = "rew_0000000501"
TEN_OFF = "rew_0000001001"
TOTE = "rew_0000070701"
FIFTEEN_PERCENT = "rew_0000001501"
TWENTY_FIVE_OFF = "rew_0000002501"


class Served(PongoVendor):
    """The sandbox's Pongo at `url`; it records its requests."""

    def __init__(self) -> None:
        super().__init__(VendorSetup(secret=SECRET, webhook_url="http://testserver/events/acme/provider/s/"))
        self.url = ""
        self.asked: list[tuple[str, str, Any]] = []

    def respond(self, request: Request) -> Any:
        body = request.get_json(silent=True) if request.mimetype == "application/json" else None
        self.asked.append((request.method, request.path, body))
        return super().respond(request)

    def count(self, method: str, path: str) -> int:
        return sum((method, path) == asked[:2] for asked in self.asked)

    def bodies(self, method: str, path: str) -> list[Any]:
        return [asked[2] for asked in self.asked if asked[:2] == (method, path)]


class _Quiet(WSGIRequestHandler):
    def log(self, *args: Any) -> None:
        pass


@pytest.fixture
def vendor() -> Iterator[Served]:
    vendor = Served()
    server = make_server("127.0.0.1", 0, vendor.wsgi, threaded=True, request_handler=_Quiet)
    vendor.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield vendor
    vendor.webhooks.wait()
    server.shutdown()
    server.server_close()
    thread.join()


Connect = Callable[..., PongoProvider]


@pytest.fixture
def connect(db: None, vendor: Served) -> Connect:
    """Return a function that builds the adapter; keywords are settings."""

    def build(**settings: Any) -> PongoProvider:
        given = {
            "base_url": vendor.url,
            "client_id": "loyaltyview",
            "client_secret": SECRET,
            "access_token": SECRET,
            "requests_per_minute": 6000,
            **settings,
        }
        return PongoProvider(
            ProviderConfig(
                program="acme",
                currency="USD",
                country="US",
                settings=PongoProvider.validate_settings(given),
                webhook_secret=WEBHOOK_SECRET,
            )
        )

    return build


@pytest.fixture
def provider(connect: Connect) -> PongoProvider:
    return connect()


LoseAnswers = Callable[[str], AbstractContextManager[None]]


@pytest.fixture
def lose_answers(vendor: Served) -> LoseAnswers:
    """Return a context in which writes to `path` (a part of it) happen and nobody hears of it."""

    @contextmanager
    def losing(path: str) -> Iterator[None]:
        normal = vendor.is_read
        vendor.is_read = lambda request: path not in request.path or normal(request)  # type: ignore[method-assign]
        vendor.faults.writes_only = vendor.faults.withholds_answers = True
        try:
            yield
        finally:
            vendor.faults.withholds_answers = False
            vendor.is_read = normal  # type: ignore[method-assign]

    return losing
