"""No call to a vendor or to NewStore outlasts its deadline, whatever the server does.

Work under a lease ends before the lease.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import ClassVar

import pytest
from pytest_django import Settings
from pytest_httpserver import HTTPServer

from loyaltyview import settings as default_settings
from loyaltyview.checks import LONGEST_CALL_S
from loyaltyview.newstore import client as newstore_client
from loyaltyview.newstore import http as newstore_http
from loyaltyview.newstore.errors import NewStoreUnavailable
from loyaltyview.newstore.http import send
from providers.base import LEASED, LoyaltyProvider
from providers.errors import OutcomeUnknown, Unavailable
from providers.outbound import deadline as deadlines
from providers.outbound import vendor_session
from providers.outbound.deadline import step_remaining_s
from providers.outbound.exchange import Call
from providers.outbound.vendor_session import LONGEST_PATIENCE_S, SHORTEST_WRITE_S, Limits, VendorSession
from providers.yotpo.client import LIMITS
from tests.providers.raw import RawVendor, Script, drip_body, drip_chunks, drip_headers, hang

DEADLINE_S = 0.4


def vendor_of(url: str) -> VendorSession:
    limits = Limits(read_total_s=DEADLINE_S, write_total_s=DEADLINE_S)
    return VendorSession(vendor="raw", program="acme", base_url=url, limits=limits)


CLIENTS: dict[str, tuple[type[Exception], Callable[[str, Call], object]]] = {
    "vendor read": (Unavailable, lambda url, call: vendor_of(url).read(call)),
    "vendor write": (OutcomeUnknown, lambda url, call: vendor_of(url).write(call)),
    "newstore": (NewStoreUnavailable, lambda url, call: send("acme", url, call, timeout_s=DEADLINE_S)),
}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("script", [hang, drip_headers, drip_body, drip_chunks], ids=lambda s: s.__name__)
def test_a_call_to_a_silent_or_slow_server_ends_at_the_deadline(client: str, script: Script) -> None:
    error, call = CLIENTS[client]
    server = RawVendor(script)
    started_at = time.monotonic()
    with pytest.raises(error):
        call(server.url, Call("POST", "/x", operation="x"))
    took_s = time.monotonic() - started_at
    server.close()
    assert took_s < 4  # the server itself goes on until it is closed, or for 5 seconds


@pytest.mark.parametrize("client", CLIENTS)
def test_a_call_to_a_server_that_does_not_read_ends_at_the_deadline(client: str) -> None:
    _error, call = CLIENTS[client]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        started_at = time.monotonic()
        with pytest.raises((Unavailable, OutcomeUnknown, NewStoreUnavailable)):
            call(url, Call("POST", "/x", operation="x", json={"text": "x" * 20_000_000}))
        assert time.monotonic() - started_at < 4


@pytest.fixture
def busy_port() -> Iterator[int]:
    """A port that answers no connection: its queue is full."""
    with socket.create_server(("0.0.0.0", 0), backlog=0) as listener:
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", listener.getsockname()[1]))
        yield listener.getsockname()[1]
        for each in waiting:
            each.close()


@pytest.mark.parametrize("client", CLIENTS)
def test_connecting_to_one_address_after_another_ends_at_the_deadline(
    client: str, busy_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    _error, call = CLIENTS[client]
    looked_up = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{n}", busy_port)) for n in range(1, 30)
    ]
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *args, **kwargs: looked_up if host == "many.test" else real(host, *args, **kwargs),
    )
    started_at = time.monotonic()
    with pytest.raises((Unavailable, NewStoreUnavailable)):  # nothing was sent, so a write knows its outcome
        call(f"http://many.test:{busy_port}", Call("POST", "/x", operation="x"))
    assert time.monotonic() - started_at < 4  # 29 addresses have a second each


def test_newstores_second_address_is_tried_while_there_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newstore_http, "CONNECT_TIMEOUT_S", 30.0)  # longer than the call, as at a launch
    with (
        HTTPServer(host="127.0.0.2", port=0) as server,
        socket.create_server(("127.0.0.1", server.port), backlog=0) as full,
        contextlib.ExitStack() as waiting,
    ):
        for _ in range(4):
            each = waiting.enter_context(socket.socket())
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        server.expect_request("/x").respond_with_json({})
        looked_up = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, server.port))
            for ip in ("127.0.0.1", "127.0.0.2")
        ]
        real = socket.getaddrinfo
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda host, *args, **kwargs: looked_up if host == "two.test" else real(host, *args, **kwargs),
        )
        answer = send("acme", f"http://two.test:{server.port}", Call("GET", "/x"), timeout_s=4.5)
    assert answer.status == 200


@pytest.mark.parametrize("client", CLIENTS)
def test_a_look_up_at_a_silent_name_server_ends_at_the_deadline(
    client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _error, call = CLIENTS[client]
    over = threading.Event()

    def silent(*_args: object, **_kwargs: object) -> None:
        over.wait(20)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    started_at = time.monotonic()
    with pytest.raises((Unavailable, NewStoreUnavailable)):
        call("http://slow.test", Call("POST", "/x", operation="x"))
    took_s = time.monotonic() - started_at
    over.set()
    assert took_s < 4


def test_a_silent_name_server_holds_one_thread_for_each_host(monkeypatch: pytest.MonkeyPatch) -> None:
    over, asked = threading.Event(), []

    def silent(host: str, *_args: object, **_kwargs: object) -> None:
        asked.append(host)
        over.wait(20)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    for number in range(10):  # one program each, so that no breaker opens
        with pytest.raises(NewStoreUnavailable):
            send(f"acme{number}", "http://one.test", Call("GET", "/x"), timeout_s=0.05)
    over.set()
    assert asked == ["one.test"]


@pytest.mark.parametrize("client", CLIENTS)
def test_without_a_thread_for_the_name_nothing_is_sent(client: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _error, call = CLIENTS[client]

    def no_thread(_self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_thread)
    with pytest.raises((Unavailable, NewStoreUnavailable)):
        call("http://one.test", Call("POST", "/x", operation="x"))


# --- Leases -------------------------------------------------------------------------------------------


class Recorder(LoyaltyProvider):
    """Records how long its methods may take; all of them are called under a lease."""

    kind = "recorder"
    seen: ClassVar[dict[str, float]] = {}


def recording(name: str) -> Callable[..., None]:
    return lambda *_args: Recorder.seen.__setitem__(name, step_remaining_s())


@pytest.mark.parametrize("lease_s", [LONGEST_CALL_S + 1, default_settings.WORK_LEASE_S, 3600])
def test_a_lease_outlasts_a_method_of_an_adapter_and_the_calls_beside_it(
    lease_s: float, settings: Settings
) -> None:
    settings.WORK_LEASE_S = lease_s
    # Between two writes, which look at the time.
    longest_pause_s = max(*LIMITS.busy_pauses_s, LONGEST_PATIENCE_S)
    provider = type("All", (Recorder,), {name: recording(name) for name in LEASED})
    for name in LEASED:
        getattr(provider, name)(SimpleNamespace(config=None), SimpleNamespace(member_ref="L-42"))
    assert set(Recorder.seen) == set(LEASED)
    longest_s = max(Recorder.seen.values())
    assert longest_s + longest_pause_s + newstore_client.BUDGET_S < lease_s
    # One write fits at least, with its shortest time.
    assert longest_s > SHORTEST_WRITE_S


@contextlib.contextmanager
def step_of(seconds: float) -> Iterator[None]:
    token = deadlines._step_ends_at.set(time.monotonic() + seconds)
    yield
    deadlines._step_ends_at.reset(token)


@pytest.mark.parametrize("kind", ["read", "write"])
def test_a_call_ends_with_its_leased_step(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vendor_session, "SHORTEST_WRITE_S", 0.1)
    server = RawVendor(hang)
    vendor = VendorSession(vendor="raw", program="acme", base_url=server.url)
    started_at = time.monotonic()
    with step_of(0.4), pytest.raises((Unavailable, OutcomeUnknown)):
        getattr(vendor, kind)(Call("POST", "/x", operation="x"))
    took_s = time.monotonic() - started_at
    server.close()
    assert took_s < 4  # a write may take 10 seconds otherwise, a read 5


def test_a_write_is_not_started_shortly_before_the_lease_ends(httpserver: HTTPServer) -> None:
    vendor = VendorSession(vendor="v", program="acme", base_url=httpserver.url_for(""))
    with step_of(SHORTEST_WRITE_S / 2), pytest.raises(Unavailable, match="deadline"):
        vendor.write(Call("POST", "/x", operation="spend"))
    assert httpserver.log == []
