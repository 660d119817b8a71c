"""gunicorn as the Procfile starts it: slow clients hold no thread, and long addresses are answered."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import quote

import pytest
import requests

from loyaltyview.newstore.context import Associate
from loyaltyview.newstore.identity import issue_identity
from loyaltyview.programs.models import Program
from tests.server.processes import PATIENCE_S, ROOT, running_gunicorn

CLIENTS = 40


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """gunicorn with two threads, on a database of its own with the sample program."""
    folder = tmp_path_factory.mktemp("server")
    environ = {"WEB_THREADS": "2", "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3"}
    environ |= {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    values = ("NEWSTORE_API_URL", "NEWSTORE_IDENTITY_URL", "NEWSTORE_CLIENT_SECRET", "NEWSTORE_EVENT_KEY")
    for command in (["migrate", "--verbosity=0"], ["load_program", "samples/acme.toml"]):
        subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT, env=os.environ | environ | dict.fromkeys(values, "http://127.0.0.1:1"), check=True,
            capture_output=True,
        )  # fmt: skip
    with running_gunicorn("loyaltyview.wsgi", **environ) as port:
        yield f"http://127.0.0.1:{port}", port


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /heal",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n",
        b"POST /identity/acme/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\na=b",
        b"POST /events/acme/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"GET /static/vendor/zxing-wasm/zxing_reader.wasm HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3,
    ],
    ids=["nothing", "half a line", "half a head", "half a body", "half a chunk", "reads nothing"],
)
def test_forty_slow_clients_do_not_delay_others_on_two_threads(server: tuple[str, int], sent: bytes) -> None:
    address, port = server
    with ExitStack() as clients:
        for _ in range(CLIENTS):
            client = clients.enter_context(socket.create_connection(("127.0.0.1", port)))
            client.sendall(sent)

        assert requests.get(f"{address}/healthz", timeout=PATIENCE_S).text == "ok"
        page = requests.get(f"{address}/identity/acme/", timeout=PATIENCE_S)

    assert page.status_code == 405


def launch_address(items: int) -> str:
    each = {"productId": "SKU-00000001", "name": "A shirt with buttons", "price": 19.9, "quantity": 1}
    cart = {
        "cartId": "5f0c1d3e-cart-1",
        "customerEmail": "mia@example.test",
        "cartTotal": 19.9 * items,
        "currency": "USD",
        "items": [each] * items,
    }
    text = quote(json.dumps(cart, separators=(",", ":")))
    who = issue_identity(Program(slug="acme"), Associate(associate_id="a-17", device_id="ipad-1"))
    return f"/launch/acme/?token=0f3a9c5b&externalIdentity={who}&store=US_BOSTON_01&cart={text}"


@pytest.mark.parametrize("items", [60, 400])
def test_a_large_cart_in_the_address_opens_the_page(server: tuple[str, int], items: int) -> None:
    path = launch_address(items)
    answer = requests.get(server[0] + path, timeout=PATIENCE_S, allow_redirects=False)

    assert len(path) > 8_190
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/l/")


def test_an_address_that_is_too_long_is_answered_with_a_sentence(server: tuple[str, int]) -> None:
    answer = requests.get(server[0] + launch_address(2000), timeout=PATIENCE_S)

    assert answer.status_code == 414
    assert 'data-error="ADDRESS_TOO_LONG"' in answer.text
    assert "Content-Security-Policy" in answer.headers


def test_a_connection_serves_one_request_after_another(server: tuple[str, int]) -> None:
    head = b"POST /events/acme/newstore/ HTTP/1.1\r\nHost: localhost\r\n"
    with socket.create_connection(("127.0.0.1", server[1]), timeout=PATIENCE_S) as client:
        client.sendall(
            head + b"Content-Length: 2\r\n\r\n{}"
            + head + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
            + b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )  # fmt: skip
        answers = b"".join(iter(lambda: client.recv(65_536), b""))

    assert answers.count(b"HTTP/1.1 401") == 2
    assert answers.endswith(b"\r\n\r\nok")


def test_a_body_that_is_too_large_is_refused_before_it_is_complete(server: tuple[str, int]) -> None:
    with socket.create_connection(("127.0.0.1", server[1]), timeout=PATIENCE_S) as client:
        client.sendall(
            b"POST /events/acme/newstore/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
            b"http://127.0.0.1:1\r\nContent-Length: 90000000\r\n\r\n{"
        )
        answer = b"".join(iter(lambda: client.recv(65_536), b""))

    assert answer.startswith(b"HTTP/1.1 413")
