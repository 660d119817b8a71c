"""The sandbox's Antavo over real HTTP, and an adapter that is connected to it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.vendors.antavo.server import ENVIRONMENT, AntavoVendor
from loyaltyview.sandbox.vendors.antavo.state import Coupon, Customer
from loyaltyview.sandbox.vendors.base import VendorSetup
from providers.antavo.provider import AntavoProvider
from providers.base import ProviderConfig

SECRET = "a-vendor-secret-that-is-long-enough-for-hs256"
MIA, LEO, ANA = "acme000101", "acme000102", "acme000103"


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    """Freeze the time, so that no month ends during a test: points expire then."""
    with time_machine.travel(datetime.now(UTC).replace(hour=12)):
        yield


class Served(AntavoVendor):
    """The sandbox's Antavo at `url`; it records its requests."""

    def __init__(self) -> None:
        super().__init__(VendorSetup(secret=SECRET))
        self.url = ""
        self.asked: list[tuple[str, str, Any]] = []

    def respond(self, request: Request) -> Response:
        request.get_data()  # kept, or the form parser would consume it before the signature check
        is_json = request.mimetype == "application/json"
        body = request.get_json(silent=True) if is_json else request.form.to_dict()
        self.asked.append((request.method, request.path, body))
        return super().respond(request)

    def events(self, action: str) -> list[Any]:
        """Return the data of every event of this kind that was sent by itself."""
        return [
            body["data"]
            for method, path, body in self.asked
            if (method, path) == ("POST", "/events") and body["action"] == action
        ]

    def count(self, part: str) -> int:
        """Return how many writes went to an address with this part."""
        return sum(method == "POST" and part in path for method, path, _body in self.asked)

    @property
    def mia(self) -> Customer:
        return self.workspace.customers[MIA]

    def give(self, ref: str, code: str, **fields: Any) -> Coupon:
        """Give the customer a coupon."""
        coupon = Coupon(
            **{"code": code, "customer": ref, "type": "amount", "value": 10, "name": code} | fields
        )
        self.workspace.coupons[code] = coupon
        return coupon


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


Connect = Callable[..., AntavoProvider]


def build(url: str, **settings: Any) -> AntavoProvider:
    """Return an adapter for the workspace at `url`."""
    given = {
        "base_url": url,
        "environment": ENVIRONMENT,
        "api_key": SECRET,
        "api_secret": SECRET,
        "calls_per_minute": 60_000,
        **settings,
    }
    return AntavoProvider(
        ProviderConfig(
            program="acme",
            currency="USD",
            country="US",
            settings=AntavoProvider.validate_settings(given),
        )
    )


@pytest.fixture
def connect(db: None, vendor: Served) -> Connect:
    """Return a function that builds the adapter; keywords are settings."""
    return lambda **settings: build(vendor.url, **settings)


@pytest.fixture
def provider(connect: Connect) -> AntavoProvider:
    return connect()


LoseAnswers = Callable[[str], AbstractContextManager[None]]


@pytest.fixture
def lose_answers(vendor: Served) -> LoseAnswers:
    """Return a context in which writes that name `part` (in address or body) happen and nobody hears it."""

    @contextmanager
    def losing(part: str) -> Iterator[None]:
        normal = vendor.is_read

        def is_spared(request: Request) -> bool:
            text = request.path + request.get_data(as_text=True)
            return normal(request) or part not in text

        vendor.is_read = is_spared  # type: ignore[method-assign]
        vendor.faults.writes_only = vendor.faults.withholds_answers = True
        try:
            yield
        finally:
            vendor.faults.writes_only = vendor.faults.withholds_answers = False
            vendor.is_read = normal  # type: ignore[method-assign]

    return losing
