"""Answers that wait for a vendor: gunicorn as the Procfile starts it, with an application of the tests."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import requests

from tests.server.processes import PATIENCE_S, running_gunicorn

CLIENTS = 40


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with running_gunicorn("tests.server.waiting_app:application", WEB_THREADS="2") as port:
        yield port


def ask(port: int, path: str) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return client


def read_until(client: socket.socket, end: bytes) -> bytes:
    received = b""
    while not received.endswith(end):
        piece = client.recv(4096)
        assert piece, received
        received += piece
    return received


def test_forty_answers_wait_without_a_thread_and_are_finished_when_it_is_time(port: int) -> None:
    with ExitStack() as clients:
        waiting = [clients.enter_context(ask(port, "/later/")) for _ in range(CLIENTS)]
        for client in waiting:
            read_until(client, b"5\r\nframe\r\n")

        assert requests.get(f"http://127.0.0.1:{port}/now/", timeout=PATIENCE_S).text == "now"

        requests.get(f"http://127.0.0.1:{port}/release/", timeout=PATIENCE_S)
        for client in waiting:
            assert read_until(client, b"0\r\n\r\n") == b"4\r\nrest\r\n0\r\n\r\n"


def test_an_answer_is_finished_at_its_deadline_and_its_connection_serves_on(port: int) -> None:
    with ask(port, "/deadline/") as client:
        assert b"frame\r\n4\r\nrest" in read_until(client, b"0\r\n\r\n")
        client.sendall(b"GET /now/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert b"now" in read_until(client, b"0\r\n\r\n")


def test_a_client_that_leaves_while_its_answer_waits_harms_nothing(port: int) -> None:
    ask(port, "/deadline/").close()
    with ask(port, "/deadline/") as client:
        assert b"rest" in read_until(client, b"0\r\n\r\n")


def test_a_thread_keeps_its_caches_and_nothing_else_of_a_request(port: int) -> None:
    address = f"http://127.0.0.1:{port}/thread/"
    told = [requests.get(address, timeout=PATIENCE_S).text.split() for _ in range(12)]

    threads = {thread for thread, *_ in told}
    assert len(threads) < len(told)
    assert len({(thread, cache) for thread, cache, *_ in told}) == len(threads)
    assert {(left, language) for *_, left, language in told} == {("nothing", "en")}
