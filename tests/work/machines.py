"""Worker processes on one PostgreSQL database, as on several machines, and one that delivers events."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

ROOT = Path(__file__).resolve().parents[2]
WITHIN_S = 60  # the machine may be busy


@dataclass(slots=True, kw_only=True)
class Machines:
    """`marks` is the folder that tests.work.marks writes to."""

    marks: Path
    environ: dict[str, str]
    connection: "psycopg.Connection[Any]"
    _running: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    def start_worker(self, **environ: str) -> "subprocess.Popen[bytes]":
        """Start `manage.py worker` and return it when it works."""
        alive = "SELECT count(*) FROM procrastinate_workers"
        before = self.one(alive)
        worker = self._start("manage.py", "worker", **environ)
        plain = environ.get("WORK_ENGINE") == "rows"
        beat = f"SELECT count(*) FROM work_heartbeat WHERE worker LIKE '%:{worker.pid}'"
        wait_for(lambda: self.one(beat) == 1 if plain else self.one(alive) == before + 1)
        return worker

    def deliver(self, *commands: str) -> str:
        """Run `tests.work.deliveries` in a process of its own and return its output."""
        command = [sys.executable, "-m", "tests.work.deliveries", *commands]
        done = subprocess.run(command, cwd=ROOT, env=self.environ, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def one(self, query: str) -> int:
        """Return the number that `query` selects."""
        row = self.connection.execute(query.encode()).fetchone()
        assert row is not None
        return int(row[0])

    def read(self, name: str) -> list[str]:
        file = self.marks / name
        return file.read_text().split() if file.exists() else []

    def stop(self, worker: "subprocess.Popen[bytes]") -> int:
        """Tell the process to end and return its exit code."""
        worker.send_signal(signal.SIGTERM)
        return worker.wait(WITHIN_S)

    def _start(self, *command: str, **environ: str) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=self.environ | environ)
        self._running.append(process)
        return process

    def kill_all(self) -> None:
        for process in self._running:
            process.kill()
            process.wait(WITHIN_S)
        self._running.clear()


def wait_for(what: Callable[[], object], seconds: float = WITHIN_S) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, f"did not come true within {seconds} s"
        time.sleep(0.02)


@contextmanager
def machines(marks: Path) -> Iterator[Machines]:
    """Yield machines with a migrated database of their own, in which Mia is a member of the Acme Club."""
    server = os.environ["DATABASE_URL"]
    name = f"machines_{os.getpid()}_{time.monotonic_ns()}"
    address = f"{server.rpartition('/')[0]}/{name}"
    environ = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.work.machine_settings",
        "DATABASE_URL": address,
        "ENV_FILE": "",
        "WORK_ENGINE": "procrastinate",
        "WORK_CONCURRENCY": "4",  # one program gets half of them
        "WORK_LEASE_S": "11",
        "MARKS": str(marks),
    }
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=ROOT, env=environ, check=True)
        with psycopg.connect(address, autocommit=True) as connection:
            found = Machines(marks=marks, environ=environ, connection=connection)
            try:
                found.deliver("enrol")
                yield found
            finally:
                found.kill_all()
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
