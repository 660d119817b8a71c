"""The worker as an operator sees it: it drains, goes on after errors, beats, and stops when told."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from loyaltyview.work import worker
from loyaltyview.work.heartbeat import beat
from loyaltyview.work.models import Heartbeat
from loyaltyview.work.registry import add_source, every, wake
from loyaltyview.work.worker import Worker, drain

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads would not see rows that a test has not committed."""
    monkeypatch.setattr(worker, "beating", nullcontext)
    monkeypatch.setattr(worker, "repeating", lambda *_: nullcontext())


class Rows:
    """A source with `count` rows."""

    def __init__(self, count: int, log: list[str] | None = None, name: str = "rows") -> None:
        self.count, self.log, self.name = count, log if log is not None else [], name

    def run_one(self) -> bool:
        if not self.count:
            return False
        self.count -= 1
        self.log.append(self.name)
        return True


def test_drain_works_until_everything_is_idle() -> None:
    add_source("a", Rows(3).run_one)
    add_source("b", Rows(2).run_one)
    assert drain() == 5
    assert drain() == 0


def test_drain_stops_at_its_limit() -> None:
    add_source("a", Rows(100).run_one)
    assert drain(max_rows=10) == 10


def test_no_source_starves_another() -> None:
    log: list[str] = []
    add_source("a", Rows(50, log, "a").run_one)
    add_source("b", Rows(2, log, "b").run_one)
    drain()
    assert log[:5] == ["a", "b", "a", "b", "a"]


def test_a_broken_source_does_not_stop_the_others_and_is_tried_once_a_round() -> None:
    calls: list[int] = []

    def broken() -> bool:
        calls.append(1)
        raise RuntimeError("a bug")

    add_source("broken", broken)
    add_source("rows", Rows(3).run_one)
    assert drain() == 3
    assert len(calls) == 1


def test_once_does_periodics_and_rows_and_leaves_a_sign_of_life(capsys: Any) -> None:
    swept: list[int] = []
    every("sweep", 60, lambda: swept.append(1))
    add_source("rows", Rows(2).run_one)
    call_command("worker", "--once")
    assert capsys.readouterr().out == "2 rows handled\n"
    assert swept == [1]
    assert Heartbeat.objects.get().seen_at > timezone.now() - timedelta(seconds=5)


def test_the_worker_stops_after_the_row_that_it_claimed(settings: Settings) -> None:
    settings.WORKER_POLL_S = 60
    one = Worker()
    rows = Rows(5)

    def work_and_stop() -> bool:
        one.stop()
        return rows.run_one()

    add_source("rows", work_and_stop)
    one.run()
    assert rows.count == 4


def test_an_idle_worker_is_woken(settings: Settings) -> None:
    settings.WORKER_POLL_S = 60
    one = Worker()
    looks: list[int] = []

    def look() -> bool:
        looks.append(1)
        if len(looks) == 1:
            wake()  # as if a row came just after the look
        else:
            one.stop()
        return False

    add_source("rows", look)
    one.run()
    assert len(looks) == 2


def test_a_beat_keeps_one_row_a_worker_and_deletes_dead_workers() -> None:
    Heartbeat.objects.create(worker="old", seen_at=timezone.now() - timedelta(days=2))
    beat("host:1")
    beat("host:1")
    beat("host:2")
    assert sorted(Heartbeat.objects.values_list("worker", flat=True)) == ["host:1", "host:2"]


@pytest.fixture(scope="module")
def start_worker(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], "subprocess.Popen[str]"]:
    """Start `manage.py worker` in a process of its own, on a database of its own."""
    root = Path(__file__).resolve().parents[2]
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{tmp_path_factory.mktemp('worker') / 'worker.sqlite3'}",
        "LOG_LEVEL": "INFO",
        "WORKER_POLL_S": "0.1",
        "DJANGO_SETTINGS_MODULE": "loyaltyview.settings",
    }
    manage = [sys.executable, str(root / "manage.py")]
    subprocess.run([*manage, "migrate", "-v", "0"], cwd=root, env=environment, check=True)

    def start() -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*manage, "worker"],
            cwd=root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return start


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_the_process_ends_cleanly_when_told_to(
    sent: signal.Signals, start_worker: Callable[[], "subprocess.Popen[str]"]
) -> None:
    with start_worker() as process:
        # The test always ends: a worker that prints nothing is killed.
        watchdog = threading.Timer(60, process.kill)
        watchdog.start()
        assert process.stdout is not None
        assert any("worker_started" in line for line in process.stdout)
        process.send_signal(sent)
        rest = process.stdout.read()
        assert process.wait() == 0
        watchdog.cancel()
    assert "worker_stopped" in rest
    assert "Traceback" not in rest
