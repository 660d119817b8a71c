"""gunicorn's configuration, as gunicorn itself reads it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.settings import TEST_ENVIRONMENT

ROOT = Path(__file__).resolve().parent.parent


def read_configuration(
    *, arguments: tuple[str, ...] = ("--print-config",), **environ: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "gunicorn",
            "-c",
            "loyaltyview/gunicorn.py",
            *arguments,
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


def test_the_environment_overrides_the_defaults() -> None:
    found = configured(
        WEB_HOST="127.0.0.1", PORT="9001", WEB_PROCESSES="3", WEB_THREADS="8", WEB_MAX_REQUESTS="500"
    )

    assert found["bind"] == "['127.0.0.1:9001']"
    assert (found["workers"], found["threads"]) == ("3", "8")
    assert (found["max_requests"], found["max_requests_jitter"]) == ("500", "50")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("WEB_THREADS", "many", "WEB_THREADS is not a whole number"),
        ("PORT", "abc", "PORT is not a whole number"),
        ("PAGE_DEADLINE_S", "long", "PAGE_DEADLINE_S is not a number"),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL"),
        ("ENV_FILE", "/nonexistent", "ENV_FILE names a file that is not there"),
    ],
)
def test_a_value_that_cannot_be_read_stops_the_start_with_one_line(name: str, value: str, said: str) -> None:
    done = read_configuration(**{name: value})

    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_failed_check_stops_the_start_before_the_server_listens() -> None:
    wrong = {"CREDENTIAL_KEYS": "garbage", "FRAME_ANCESTORS": "self", "WORK_ENGINE": "procrastinate"}
    done = read_configuration(**wrong, SECRET_KEY="x", arguments=())

    assert done.returncode != 0
    for number in ("E001", "E003", "E005", "E006"):
        assert f"loyaltyview.{number}" in done.stderr
    assert "garbage" not in done.stderr
    assert "Listening" not in done.stderr
