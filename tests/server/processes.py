"""gunicorn in its production configuration, in a process of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.setup.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
START_WITHIN_S = 60
# Longer than any answered client waits.
PATIENCE_S = 30


@contextmanager
def running_gunicorn(application: str, **environ: str) -> Iterator[int]:
    """Run gunicorn with `application` until the block ends; yield its port."""
    port = free_port()
    environ = {"DJANGO_SETTINGS_MODULE": "tests.settings", "WEB_HOST": "127.0.0.1", **environ}
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", "loyaltyview/gunicorn.py", application],
        cwd=ROOT, env={**os.environ, **environ, "PORT": str(port)},
    )  # fmt: skip
    try:
        _wait_for(process, port)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait_for(process: "subprocess.Popen[bytes]", port: int) -> None:
    until = time.monotonic() + START_WITHIN_S
    while True:
        try:
            requests.get(f"http://127.0.0.1:{port}/healthz", timeout=PATIENCE_S)
            return
        except requests.ConnectionError:
            if process.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.05)
