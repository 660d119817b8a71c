"""What every vendor of the sandbox shares: where it is mounted, its secret, and the faults it can be told.

The faults are those of real life: slow, down, throttled, and the worst one, an answer that is withheld
after the effect.
"""

import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

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
    """Switches, each until it is turned off. `writes_only` leaves reads alone."""

    slow_s: float = 0
    is_down: bool = False
    is_throttled: bool = False
    withholds_answers: bool = False
    writes_only: bool = False


class Vendor(ABC):
    """One vendor's API in memory, mounted below its own prefix (SCRIPT_NAME)."""

    kind: str

    def __init__(self, setup: VendorSetup) -> None:
        self.setup = setup
        self.lock = setup.lock
        self.faults = Faults()

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

    def _answer(self, request: Request) -> Response:
        faults = self.faults
        if faults.writes_only and self.is_read(request):
            faults = Faults()
        if faults.slow_s:
            self.setup.sleep(faults.slow_s)
        if faults.is_down:
            return self.down()
        if faults.is_throttled:
            return self.throttled()
        try:
            response = self.respond(request)
        except HTTPException as error:
            response = error.get_response(request.environ)
        if faults.withholds_answers:
            _hang_up(request)
        return response

    def is_read(self, request: Request) -> bool:
        """Return whether the request changes nothing; vendors that read by POST say so."""
        return request.method in READS


def _hang_up(request: Request) -> None:
    """Close the connection without a byte: the effect is there, the answer is not."""
    connection = request.environ.get("werkzeug.socket")
    if connection is not None:
        connection.shutdown(socket.SHUT_RDWR)
