"""gunicorn's configuration, as gunicorn itself reads it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.settings import TEST_ENVIRONMENT

ROOT = Path(__file__).resolve().parent.parent


def read_configuration(**environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "gunicorn",
            "-c",
            "loyaltyview/gunicorn.py",
            "--print-config",
            "loyaltyview.wsgi",
        ],
        cwd=ROOT,
        env={**os.environ, **TEST_ENVIRONMENT, "DJANGO_SETTINGS_MODULE": "loyaltyview.settings", **environ},
        capture_output=True,
        text=True,
        timeout=60,
    )


def configured(**environ: str) -> dict[str, Any]:
    done = read_configuration(**environ)
    assert done.returncode == 0, done.stderr
    pairs = (line.partition("=") for line in done.stdout.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def test_one_process_of_many_threads_on_port_8000() -> None:
    found = configured()

    assert found["worker_class"] == "loyaltyview.server.worker.BufferedThreadWorker"
    assert (found["workers"], found["threads"]) == ("1", "32")
    assert found["bind"] == "['0.0.0.0:8000']"
    assert found["accesslog"] == "None"


def test_the_environment_decides() -> None:
    found = configured(
        WEB_HOST="127.0.0.1", PORT="9001", WEB_PROCESSES="3", WEB_THREADS="8", WEB_MAX_REQUESTS="500"
    )

    assert found["bind"] == "['127.0.0.1:9001']"
    assert (found["workers"], found["threads"]) == ("3", "8")
    assert (found["max_requests"], found["max_requests_jitter"]) == ("500", "50")


@pytest.mark.parametrize("name", ["WEB_THREADS", "PORT"])
def test_a_value_that_is_no_number_stops_the_start(name: str) -> None:
    assert read_configuration(**{name: "many"}).returncode != 0
