"""What every vendor of the sandbox shares: where it is mounted, its secret, and the faults it can be told.

The faults are those of real life: slow, down, throttled, a clock that is wrong, and the worst ones: an answer
that is withheld after the effect, a request that never arrives, and one that arrives late.
"""

import io
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from threading import RLock
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.http import http_date
from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.clock import vendor_ahead, vendor_now

READS = ("GET", "HEAD")


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorSetup:
    """`secret` stands for each credential that the vendor hands out; `webhook_url` is our hook, empty when
    the vendor sends nothing. Its own address a vendor takes from the request (`request.root_url`)."""

    secret: str = "vendor-secret"
    webhook_url: str = ""
    currency: str = "USD"
    sleep: Callable[[float], None] = field(default=time.sleep)
    lock: RLock = field(default_factory=RLock)


@dataclass(slots=True, kw_only=True)
class Faults:
    """Switches, each until it is turned off. `writes_only` leaves reads alone (but their clock).

    `withholds_answers` hangs up after the effect, `loses_requests` without one. `delays_requests` hangs up at
    once, and the effect comes with `Vendor.act_late`.
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

    def __init__(self, setup: VendorSetup) -> None:
        self.setup = setup
        self.lock = setup.lock
        self.faults = Faults()
        self._late: list[Request] = []

    @abstractmethod
    def respond(self, request: Request) -> Response:
        """Answer one request as the vendor would; HTTPExceptions become its own error shape here."""

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
        """Carry out what `delays_requests` kept, and return what nobody hears."""
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
        """Answer by the vendor's own clock, which stands in the header `Date` too."""
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
        """Return whether the request changes nothing; vendors that read by POST say so."""
        return request.method in READS


def _copy(request: Request) -> Request:
    """Return the request as it can be read again after its connection is gone."""
    body = io.BytesIO(request.get_data(cache=True))
    return Request({**request.environ, "wsgi.input": body, "werkzeug.socket": None, "werkzeug.request": None})


def _hang_up(request: Request) -> None:
    """Close the connection without a byte: the effect is there, the answer is not."""
    connection = request.environ.get("werkzeug.socket")
    if connection is not None:
        connection.shutdown(socket.SHUT_RDWR)
