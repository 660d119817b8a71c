"""What a launch, a tap and a sale cost on this machine; `capacity` keeps and uses it.

Yotpo is the vendor, without its limit, since its sandbox takes as many members as there are tills.
"""

import gzip
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.load.stack import wait_until

SALES = 60  # of each measured step
IDLE_S = 5


def measure() -> dict[str, dict[str, float]]:
    """Play SALES launches, taps and sales one after another, and return what each costs."""
    from tests.load.budget import Till, running
    from tests.setup.postgres import find_server_programs, postgres_server

    programs = find_server_programs()
    if programs is None:
        sys.exit("PostgreSQL is needed: make test finds or installs it")
    with (
        postgres_server(programs, is_durable=True) as database,
        tempfile.TemporaryDirectory() as folder,
        running("yotpo", database, Path(folder), 1, calls_per_s=0) as shop,
    ):
        meter = Meter(shop)
        _play(shop, Till, meter, 5)  # warm
        return _play(shop, Till, meter, SALES)


def _play(shop: Any, till_class: Any, meter: "Meter", count: int) -> dict[str, dict[str, float]]:
    """Launches, then taps, then sales."""
    tills = [till_class(shop.enrol()) for _ in range(count)]
    for till in tills:
        till.web.hooks["response"].append(meter.note_answer)
    with meter.step(count) as launch:
        for till in tills:
            till.open()
    with meter.step(count) as tap:
        for till in tills:
            assert till.redeem("90210"), till.told
    with meter.step(count) as sale:
        for till in tills:
            till.app.pay()
        meter.wait_for_the_worker(shop.people)
    return {"launch": launch, "tap": tap, "sale": sale}


class Meter:
    """Reads what our processes, the database, NewStore and the network have been used for so far."""

    def __init__(self, shop: Any) -> None:
        self.newstore_calls, self.bytes_sent = 0, 0
        self._count_newstore_calls(shop.sandbox)
        self.idle_per_s = self._idle()

    @contextmanager
    def step(self, count: int) -> Iterator[dict[str, float]]:
        """Yield a dictionary that holds the cost of one of `count` steps when the block has ended."""
        cost: dict[str, float] = {}
        before, started = self._read(), time.monotonic()
        yield cost
        seconds = time.monotonic() - started
        for name, value in self._read().items():
            used = value - before[name] - self.idle_per_s[name] * seconds
            cost[name] = round(max(0.0, used) / count, 2)

    def note_answer(self, answer: Any, *_arguments: Any, **_options: Any) -> None:
        """Count the bytes of an answer to the till; a hook of requests."""
        head = sum(len(name) + len(value) + 4 for name, value in answer.headers.items())
        self.bytes_sent += head + (answer.raw.tell() or len(gzip.compress(answer.content)))

    def wait_for_the_worker(self, sales: int) -> None:
        """Wait until the events of all sales so far are here and handled."""
        from loyaltyview.events.models import Event, EventState

        wait_until(lambda: Event.objects.filter(name="order.completed").count() >= sales)
        wait_until(lambda: not Event.objects.filter(state=EventState.WAITING).exists())

    def _read(self) -> dict[str, float]:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SELECT wal_sync FROM pg_stat_wal")
            (flushes,) = cursor.fetchone()
        return {
            "web_ms": _cpu_ms("gunicorn"),
            "database_ms": _cpu_ms("postgres"),
            "worker_ms": _cpu_ms("worker"),
            "flushes": flushes,
            "newstore_calls": self.newstore_calls,
            "kilobytes": self.bytes_sent / 1000,
        }

    def _idle(self) -> dict[str, float]:
        """Return what processes that have nothing to do use in a second."""
        before = self._read()
        time.sleep(IDLE_S)
        return {name: (value - before[name]) / IDLE_S for name, value in self._read().items()}

    def _count_newstore_calls(self, sandbox: Any) -> None:
        from loyaltyview.sandbox.rate import RateLimit

        allows = RateLimit.allows

        def count(limit: RateLimit) -> bool:
            self.newstore_calls += limit is sandbox._rate
            return allows(limit)

        RateLimit.allows = count  # type: ignore[method-assign]


def _cpu_ms(program: str) -> float:
    """Return the processor time of our child process that runs `program`, and of its children, ended ones
    too."""
    stats = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            command = (stat.parent / "cmdline").read_text()
        except OSError:
            continue
        stats[int(stat.parent.name)] = int(fields[1]), command, [int(field) for field in fields[11:15]]
    ours = {
        pid
        for pid, (parent, command, _ticks) in stats.items()
        if parent == os.getpid() and program in command
    }
    ticks = sum(sum(each[2]) for pid, each in stats.items() if pid in ours)
    ticks += sum(sum(each[2][:2]) for each in stats.values() if each[0] in ours)
    return ticks * 1000 / os.sysconf("SC_CLK_TCK")
