"""Secrets go to public addresses only, however a private one is written or named."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from pytest_django import Settings

from providers.errors import OutcomeUnknown, ProviderError, Unavailable
from providers.outbound import addresses
from providers.outbound.addresses import is_private, names_private
from providers.outbound.exchange import Call
from providers.outbound.vendor_session import VendorSession

PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.9", "192.168.0.1", "169.254.169.254", "100.100.100.200", "0.0.0.0",
    "224.0.0.1", "168.63.129.16", "192.0.0.192", "::1", "::", "fe80::1", "fd00:ec2::254", "ff02::1",
    "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::a9fe:a9fe", "2002:a00:1::",
    "2001:0:4136:e378:8000:63bf:f5ff:fffe", "fe80::1%1",
]  # fmt: skip


@pytest.fixture
def listener() -> Iterator[tuple[int, list[bytes]]]:
    """A port on loopback that counts who connects."""
    callers: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _address = server.accept()
            except OSError:
                return
            with closing(connection):
                callers.append(connection.recv(1000))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield server.getsockname()[1], callers
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()


@pytest.mark.parametrize("address", PRIVATE)
def test_no_private_address_is_public_in_any_wrapping(address: str) -> None:
    assert is_private(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07::1", "::ffff:93.184.215.14"])
def test_public_addresses_are_public(address: str) -> None:
    assert not is_private(address)


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST.", "app.localhost", "metadata.google.internal", "127.1", "2130706433",
     "0x7f000001", "0177.0.0.1", "0xA9.0xFE.0xA9.0xFE", "::1", "10.0.0.1"],
)  # fmt: skip
def test_private_hosts_are_known_in_any_notation(host: str) -> None:
    assert names_private(host)


@pytest.mark.parametrize("host", ["api.yotpo.com", "93.184.215.14", "münchen.example", "1.example"])
def test_other_hosts_are_judged_when_they_are_resolved(host: str) -> None:
    assert not names_private(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "localhost", "vendor.example"])
@pytest.mark.parametrize("kind", ["read", "write"])
def test_nothing_connects_to_a_private_address(
    listener: tuple[int, list[bytes]],
    host: str,
    kind: str,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = False
    port, callers = listener
    resolve_to(monkeypatch, "127.0.0.1")
    with pytest.raises(Unavailable, match="private address"):
        call(host, port, kind)

    assert callers == []


def test_a_name_with_one_private_address_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = False
    resolve_to(monkeypatch, "93.184.215.14", "10.0.0.1")

    with pytest.raises(Unavailable, match="private address"):
        call("vendor.example", 443, "write")


def test_the_address_that_was_checked_is_the_one_connected_to(
    listener: tuple[int, list[bytes]], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The name server says something else the second time: nobody asks it a second time.
    settings.ALLOW_PRIVATE_ADDRESSES = False
    port, callers = listener
    asked: list[str] = []
    monkeypatch.setattr(addresses, "is_private", lambda address: False)
    real = socket.getaddrinfo

    def answer(host: str, *args: Any, **kwargs: Any) -> Any:
        asked.append(host)
        return real("127.0.0.1", *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    call("vendor.example", port, "read")

    assert [host for host in asked if host == "vendor.example"] == ["vendor.example"]
    assert b"Host: vendor.example" in callers[0]


def test_an_installation_may_allow_private_addresses(
    listener: tuple[int, list[bytes]], settings: Settings
) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = True
    port, callers = listener
    call("127.0.0.1", port, "read")

    assert len(callers) == 1


def test_a_name_that_does_not_resolve_is_unavailable(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = False

    def fail(*_args: Any, **_kwargs: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(Unavailable) as caught:
        call("vendor.example", 443, "write")
    assert not isinstance(caught.value, OutcomeUnknown)


def test_a_path_cannot_lead_to_another_host() -> None:
    session = VendorSession(vendor="test", program="acme", base_url="https://vendor.example")

    with pytest.raises(ProviderError, match="slash"):
        session.read(Call("GET", "@evil.example/", operation="look"))


def resolve_to(monkeypatch: pytest.MonkeyPatch, *found: str) -> None:
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in found]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: rows)


def call(host: str, port: int, kind: str) -> None:
    session = VendorSession(
        vendor="test", program=host, base_url=f"http://{host}:{port}", sleep=lambda _seconds: None
    )
    if kind == "read":
        session.read(Call("GET", "/", operation="look"))
    else:
        session.write(Call("POST", "/", operation="spend"))
