"""`manage.py sandbox` as a process: its first line, a clean end, a clear message when it cannot start."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.setup.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
SECRETS = {"SANDBOX_CLIENT_SECRET": "only-for-tests", "SANDBOX_EVENT_KEY": "only-for-tests"}


@contextmanager
def sandbox(*arguments: str, environ: dict[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "sandbox", *arguments],
        cwd=ROOT,
        env={**os.environ, **(SECRETS if environ is None else environ)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_command_serves_until_it_is_told_to_stop(end: signal.Signals) -> None:
    port, webview_port = str(free_port()), str(free_port())
    with sandbox("--port", port, "--webview-port", webview_port) as process:
        assert process.stdout
        line = process.stdout.readline()
        assert f"http://127.0.0.1:{port}/" in line
        state = requests.get(f"http://127.0.0.1:{port}/app/state", timeout=5).json()
        assert [each["url"] for each in state["integrations"]] == [
            "http://127.0.0.1:8000/events/acme/newstore/"
        ]
        process.send_signal(end)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, out, err) == (0, "", "")


def test_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with sandbox("--port", port) as process:
            _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert f"Port {port} is taken" in err
    assert "Traceback" not in err


def test_missing_secret_is_named() -> None:
    with sandbox(environ={"SANDBOX_CLIENT_SECRET": ""}) as process:
        _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "SANDBOX_CLIENT_SECRET is not set." in err
