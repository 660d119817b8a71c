"""Sessions of `requests` whose deadline holds even when the vendor drips byte after byte.

A socket's time-out starts again with each byte, so headers or a body that drip never end. Here the
time-out is set to what is left of the attempt before each read from the socket.
"""

import io
import math
import socket
import threading
import time
from contextvars import ContextVar
from http.client import HTTPResponse
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

# When the attempt being made in this thread must have ended, by time.monotonic().
attempt_ends_at: ContextVar[float] = ContextVar("attempt_ends_at", default=math.inf)


class _BoundedReader(io.RawIOBase):
    def __init__(self, sock: socket.socket, raw: io.RawIOBase) -> None:
        self._sock = sock
        self._raw = raw
        self._ends_at = attempt_ends_at.get()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if math.isfinite(self._ends_at):
            left_s = self._ends_at - time.monotonic()
            if left_s <= 0:
                raise TimeoutError("deadline")
            self._sock.settimeout(left_s)
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _BoundedResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp: Any = io.BufferedReader(_BoundedReader(sock, self.fp.detach()))


class _Connection(urllib3.connection.HTTPConnection):
    response_class = _BoundedResponse


class _SecureConnection(urllib3.connection.HTTPSConnection):
    response_class = _BoundedResponse


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Never follow: even with allow_redirects off, requests would read the body of a redirect."""


_local = threading.local()


def session_for(program: str, vendor: str) -> requests.Session:
    """Return this thread's session: connections are reused, nothing else is remembered."""
    sessions: dict[tuple[str, str], requests.Session] = _local.__dict__.setdefault("sessions", {})
    session = sessions.get((program, vendor))
    if session is None:
        session = sessions[(program, vendor)] = _Session()
        session.trust_env = False
        session.headers["User-Agent"] = "LoyaltyView"
        adapter = _Adapter(pool_connections=4, pool_maxsize=1, max_retries=0)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
    session.cookies.clear()
    return session
