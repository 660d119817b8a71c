"""What all vendors of the sandbox share: their address, their secret, and their faults.

The faults happen in production: slow, down, throttled, a wrong clock. The worst are an answer that is
withheld after the effect, a request that never arrives, and one that arrives late.
"""

import io
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from threading import RLock
from typing import Any, ClassVar

from werkzeug.exceptions import HTTPException
from werkzeug.http import http_date
from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.clock import vendor_ahead, vendor_now

READS = ("GET", "HEAD")


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorSetup:
    """`secret` is used for each credential of the vendor. `webhook_url` is our hook, empty when the vendor
    sends nothing. A vendor imports files from `feed_folder`, unless it is empty. A vendor takes its own
    address from the request (`request.root_url`)."""

    secret: str = "vendor-secret"
    webhook_url: str = ""
    feed_folder: str = ""
    currency: str = "USD"
    sleep: Callable[[float], None] = field(default=time.sleep)
    lock: RLock = field(default_factory=RLock)


@dataclass(slots=True, kw_only=True)
class Faults:
    """Switches that hold until they are turned off. With `writes_only` reads have no fault but the clock.

    `withholds_answers` closes the connection after the effect, `loses_requests` without an effect.
    `delays_requests` closes it at once; `Vendor.act_late` has the effect later.
    """

    slow_s: float = 0
    is_down: bool = False
    is_throttled: bool = False
    withholds_answers: bool = False
    loses_requests: bool = False
    delays_requests: bool = False
    clock_ahead_s: float = 0
    writes_only: bool = False


class Vendor(ABC):
    """One vendor's API in memory, mounted below its own prefix (SCRIPT_NAME)."""

    kind: str
    # What the panel can switch at this vendor beside the faults: attributes with their choices.
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    # What the panel can have happen there to the customer of the cart: methods that take an e-mail.
    steps: ClassVar[tuple[str, ...]] = ()

    def __init__(self, setup: VendorSetup) -> None:
        self.setup = setup
        self.lock = setup.lock
        self.faults = Faults()
        self._late: list[Request] = []

    @abstractmethod
    def respond(self, request: Request) -> Response:
        """Answer one request as the vendor does; HTTPExceptions become its own errors here."""

    def throttled(self) -> Response:
        """Answer 429 in the vendor's shape."""
        return Response("", 429, headers={"Retry-After": "1"})

    def down(self) -> Response:
        """Answer 503 in the vendor's shape."""
        return Response("", 503)

    @property
    def wsgi(self) -> Callable[..., Any]:
        """The WSGI callable, faults included."""
        return Request.application(self._answer)

    def act_late(self) -> list[Response]:
        """Handle the requests that `delays_requests` kept, and return the answers, which no client gets."""
        late, self._late = self._late, []
        return [self._respond(request, self.faults.clock_ahead_s) for request in late]

    def _answer(self, request: Request) -> Response:
        faults = self.faults
        ahead_s = faults.clock_ahead_s
        if faults.writes_only and self.is_read(request):
            faults = Faults()
        if faults.slow_s:
            self.setup.sleep(faults.slow_s)
        if faults.is_down:
            return self.down()
        if faults.is_throttled:
            return self.throttled()
        if faults.delays_requests:
            self._late.append(_copy(request))
        if faults.delays_requests or faults.loses_requests:
            _hang_up(request)
            return Response("", 503)
        response = self._respond(request, ahead_s)
        if faults.withholds_answers:
            _hang_up(request)
        return response

    def _respond(self, request: Request, ahead_s: float) -> Response:
        """Answer by the vendor's own clock, which also sets the header `Date`."""
        token = vendor_ahead.set(timedelta(seconds=ahead_s))
        try:
            response = self.respond(request)
        except HTTPException as error:
            response = error.get_response(request.environ)
        finally:
            now = vendor_now()
            vendor_ahead.reset(token)
        response.headers.setdefault("Date", http_date(now))
        return response

    def is_read(self, request: Request) -> bool:
        """Return whether the request changes nothing. Vendors that read by POST override it."""
        return request.method in READS


def _copy(request: Request) -> Request:
    """Return a copy of the request that can be read after its connection is closed."""
    body = io.BytesIO(request.get_data(cache=True))
    return Request({**request.environ, "wsgi.input": body, "werkzeug.socket": None, "werkzeug.request": None})


def _hang_up(request: Request) -> None:
    """Close the connection without an answer."""
    connection = request.environ.get("werkzeug.socket")
    if connection is not None:
        connection.shutdown(socket.SHUT_RDWR)
