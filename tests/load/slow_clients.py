"""Many clients that send or read too slowly, beside one that asks for /healthz and a page:
`python -m tests.load.slow_clients [--clients 500] [--seconds 12]`.

Starts gunicorn as it runs in production, on SQLite. GUNICORN_CMD_ARGS="--worker-class gthread" shows what
gunicorn's own worker does.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

from tests.load.ingest import ROOT, SETTINGS, web_server

PATIENCE_S = 10.0


def silent(client: socket.socket, over: threading.Event) -> None:
    client.sendall(b"GET /heal")
    over.wait()


def dripping_head(client: socket.socket, over: threading.Event) -> None:
    client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
    while not over.wait(0.5):
        client.sendall(b"X-A: b\r\n")


def slow_body(client: socket.socket, over: threading.Event) -> None:
    client.sendall(b"POST /identity/acme/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n")
    while not over.wait(0.5):
        client.sendall(b"a=b&")


def idle(client: socket.socket, over: threading.Event) -> None:
    client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    over.wait()


def never_reading(client: socket.socket, over: threading.Event) -> None:
    client.sendall(b"GET /static/vendor/zxing-wasm/zxing_reader.wasm HTTP/1.1\r\nHost: localhost\r\n\r\n" * 4)
    over.wait()


KINDS = (silent, dripping_head, slow_body, idle, never_reading)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.load.slow_clients")
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=12)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, "DJANGO_SETTINGS_MODULE": SETTINGS, "LOG_LEVEL": "CRITICAL"}
        environ |= {"DATABASE_URL": f"sqlite:///{folder}/load.sqlite3"}
        values = ("NEWSTORE_API_URL", "NEWSTORE_IDENTITY_URL", "NEWSTORE_CLIENT_SECRET", "NEWSTORE_EVENT_KEY")
        for command in (["migrate", "--verbosity=0"], ["load_program", "samples/acme.toml"]):
            subprocess.run(
                [sys.executable, "manage.py", *command],
                cwd=ROOT, env=environ | dict.fromkeys(values, "http://127.0.0.1:1"), check=True,
                stdout=subprocess.DEVNULL,
            )  # fmt: skip
        with web_server(environ) as address:
            for kind in KINDS:
                measure(address, kind, options.clients, options.seconds)
                time.sleep(3)


def measure(address: str, kind: Callable[..., None], clients: int, seconds: int) -> None:
    """Print how long /healthz and a page took while `clients` clients of this kind were connected."""
    where = urlsplit(address)
    over = threading.Event()
    threads = [
        threading.Thread(target=_run, args=[kind, (where.hostname, where.port), over], daemon=True)
        for _ in range(clients)
    ]
    for thread in threads:
        thread.start()
    time.sleep(1)
    took: dict[str, list[float]] = {"/healthz": [], "/identity/acme/": []}
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for path, times in took.items():
            times.append(_ask(address + path))
            time.sleep(0.1)
    over.set()
    for thread in threads:
        thread.join(5)
    shown = ", ".join(
        f"{path} p50 {statistics.median(times):.0f} ms, worst {max(times):.0f} ms"
        for path, times in took.items()
    )
    sys.stdout.write(f"{clients} {kind.__name__}: {shown}\n")
    sys.stdout.flush()


def _run(kind: Callable[..., None], where: tuple[str, int], over: threading.Event) -> None:
    """Run a slow client, which reconnects whenever the server closes the connection."""
    while not over.is_set():
        try:
            with socket.create_connection(where, timeout=PATIENCE_S) as client:
                closed = threading.Thread(target=_until_closed, args=[client, over], daemon=True)
                if kind is not never_reading:
                    closed.start()
                kind(client, over)
        except OSError:
            over.wait(0.2)


def _until_closed(client: socket.socket, over: threading.Event) -> None:
    try:
        while client.recv(4096) and not over.is_set():
            pass
    except OSError:
        pass


def _ask(address: str) -> float:
    started = time.monotonic()
    try:
        urlopen(address, timeout=PATIENCE_S).close()
    except HTTPError as error:
        error.close()
    except OSError:
        return PATIENCE_S * 1000
    return (time.monotonic() - started) * 1000


if __name__ == "__main__":
    main()
