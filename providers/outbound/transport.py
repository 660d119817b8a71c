"""Sessions of `requests` that keep their deadline even when a server sends one byte after another, and that
connect to public addresses only (`addresses`). All our calls, to vendors and NewStore, go through
`session_for`.

A socket's time-out starts again with each byte, so slow headers or a slow body may never end. Here the
time-out is set to the attempt's remaining time before each read and each piece that is sent. Looking up the
host's name, and connecting to each of its addresses, end with the attempt as well.
"""

import contextlib
import io
import ipaddress
import math
import socket
import threading
import time
from concurrent.futures import Future
from contextvars import ContextVar
from http.client import HTTPResponse
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

from providers.outbound.addresses import allowed_addresses

# When the attempt being made in this thread must have ended, by time.monotonic().
attempt_ends_at: ContextVar[float] = ContextVar("attempt_ends_at", default=math.inf)
# The most that are kept to one host: a connection for each thread that may call at the same moment.
CONNECTIONS = 128
PIECE_BYTES = 16_384  # of one TLS record; each is a system call with its own time-out


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


class AddressRefused(urllib3.exceptions.NewConnectionError):
    """The host is, or resolves to, a private address, and this installation does not allow those. Nothing was
    sent and no connection made."""


class _CheckedConnection(urllib3.connection.HTTPConnection):
    """Resolves the host itself and connects to one of the addresses that were checked: a later, different
    answer of the name server has no effect."""

    response_class = _BoundedResponse

    def _new_conn(self) -> socket.socket:
        name, timeout = self.host, self.timeout
        try:
            addresses = _look_up(name, self.port or self.default_port)
        except PermissionError as error:
            raise AddressRefused(self, str(error)) from error
        except socket.gaierror as error:
            raise urllib3.exceptions.NameResolutionError(self.host, self, error) from error
        except (OSError, UnicodeError) as error:
            raise urllib3.exceptions.NewConnectionError(self, type(error).__name__) from error
        try:
            return self._to_first_of(addresses)
        finally:
            self.host, self.timeout = name, timeout  # the certificate is for the name

    def _to_first_of(self, addresses: list[str]) -> socket.socket:
        connect_s = self.timeout
        for address in addresses:
            try:
                # The socket keeps this time-out for the TLS handshake.
                self.host, self.timeout = address, _at_most(connect_s)
                return super()._new_conn()
            except urllib3.exceptions.HTTPError:
                if address == addresses[-1]:
                    raise
            except TimeoutError as error:
                raise urllib3.exceptions.ConnectTimeoutError(self, "deadline") from error
        raise urllib3.exceptions.NewConnectionError(self, "no address")

    def send(self, data: Any) -> None:
        """Send piece by piece: a server that does not read must not delay us beyond the attempt."""
        pieces = [data]
        if isinstance(data, bytes) and len(data) > PIECE_BYTES:
            pieces = [data[start : start + PIECE_BYTES] for start in range(0, len(data), PIECE_BYTES)]
        for piece in pieces:
            if self.sock is not None:
                self.sock.settimeout(_at_most(self.timeout))
            super().send(piece)


def _at_most(timeout: Any) -> Any:
    """Return `timeout`, or the attempt's remaining time if less. Raises TimeoutError at its end."""
    left_s = attempt_ends_at.get() - time.monotonic()
    if left_s <= 0:
        raise TimeoutError("deadline")
    return min(timeout, left_s) if isinstance(timeout, int | float) else timeout


_looking_up: dict[tuple[str, int], Future[list[str]]] = {}
_look_ups = threading.Lock()


def _look_up(host: str, port: int) -> list[str]:
    """Return `allowed_addresses` within the attempt. Name resolution takes no time-out, so a thread does it.
    All calls that wait for one host share its thread."""
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(host.strip("[]"))
        return allowed_addresses(host.strip("[]"), port)
    left_s = attempt_ends_at.get() - time.monotonic()
    with _look_ups:
        found = _looking_up.get((host, port))
        if found is None:
            found = Future()
            try:
                threading.Thread(target=_ask, args=(host, port, found), name="look-up", daemon=True).start()
            except RuntimeError as error:  # the machine has no more threads
                raise OSError("no thread") from error
            _looking_up[host, port] = found
    return found.result(max(left_s, 0.0) if math.isfinite(left_s) else None)


def _ask(host: str, port: int, found: Future[list[str]]) -> None:
    addresses: list[str] = []
    failed: BaseException | None = None
    try:
        addresses = allowed_addresses(host, port)
    except BaseException as error:
        failed = error
    with _look_ups:
        del _looking_up[host, port]
    if failed is None:
        found.set_result(addresses)
    else:
        found.set_exception(failed)


class _Connection(_CheckedConnection):
    pass


class _SecureConnection(_CheckedConnection, urllib3.connection.HTTPSConnection):
    pass


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


def is_refused(error: BaseException) -> bool:
    """Return whether an exception of `requests` stands for a refused address."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(error, AddressRefused) or isinstance(reason, AddressRefused)


_local = threading.local()
_adapters: dict[tuple[str, str], _Adapter] = {}
_adapters_lock = threading.Lock()


def session_for(program: str, vendor: str) -> requests.Session:
    """Return this thread's session. It stores nothing: its connections are those of all threads, and the one
    that was used last is taken first. A thread's own would be idle for long, and closed by the other side."""
    sessions: dict[tuple[str, str], requests.Session] = _local.__dict__.setdefault("sessions", {})
    session = sessions.get((program, vendor))
    if session is None:
        session = sessions[(program, vendor)] = _Session()
        session.trust_env = False
        session.headers["User-Agent"] = "LoyaltyView"
        with _adapters_lock:
            adapter = _adapters.get((program, vendor))
            if adapter is None:
                adapter = _Adapter(pool_connections=4, pool_maxsize=CONNECTIONS, max_retries=0)
                _adapters[program, vendor] = adapter
        session.mount("https://", adapter)
        session.mount("http://", adapter)
    session.cookies.clear()
    return session
