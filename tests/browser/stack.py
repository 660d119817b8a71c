"""The demo as a newcomer runs it, in a folder and on ports of its own, for the browser tests."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import psycopg

from tests.setup.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Web, worker and sandbox, running. `app_url` is the Associate App, `web_url` our own server."""

    web_url: str
    app_url: str
    proxy_url: str

    def act(self, action: str, **fields: Any) -> dict[str, Any]:
        """Do one step in the Associate App, and return its state."""
        request = Request(
            f"{self.app_url}/app/{action}",
            data=json.dumps(fields).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urlopen(request, timeout=10) as response:
            state: dict[str, Any] = json.load(response)["state"]
        return state

    def launch_url(self, customer: str = "mia", cart: str = "shirts") -> str:
        """Log in, take a new cart, and return the address that the app opens, at our own server."""
        self.act("log-in", associate="a-17")
        self.act("cart", customer=customer, cart=cart)
        address: str = self.act("launch")["webview"]["src"]
        return address.replace(self.proxy_url, self.web_url)


@contextmanager
def running_stack(folder: Path, provider: str = "house") -> Iterator[Stack]:
    """Start the demo in `folder` and yield it once it answers; stop it afterwards."""
    web, app, proxy = free_port(), free_port(), free_port()
    environ = {
        **os.environ,
        "DEMO_WEB_PORT": str(web),
        "DEMO_APP_PORT": str(app),
        "DEMO_PROXY_PORT": str(proxy),
        # What is asked is how the story goes, not how fast this machine is.
        "PAGE_DEADLINE_S": "30",
        "THREAD_WAIT_S": "30",
    }
    command = [sys.executable, "-m", "loyaltyview.sandbox.demo", "--var", str(folder), "--provider", provider]
    if database := _fresh_database():
        command += ["--database", database]
    log = (folder / "demo.log").open("w")
    demo = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait(demo, folder / "demo.log")
        yield Stack(
            web_url=f"http://127.0.0.1:{web}",
            app_url=f"http://127.0.0.1:{app}",
            proxy_url=f"http://127.0.0.1:{proxy}",
        )
    finally:
        demo.send_signal(signal.SIGTERM)
        demo.wait(timeout=30)
        log.close()


def _wait(demo: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + READY_WITHIN_S
    while "is ready" not in log.read_text():
        assert demo.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.1)


def _fresh_database() -> str:
    """On PostgreSQL, make a database for this stack in the server of the test run; else ""."""
    server = os.environ.get("DATABASE_URL", "")
    if not server.startswith("postgres"):
        return ""
    name = f"stack_{os.getpid()}_{time.monotonic_ns()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"{server.rpartition('/')[0]}/{name}"
