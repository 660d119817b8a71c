"""Periodic work is done once for all workers, on time, and again after an error."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from loyaltyview.work.models import PeriodicRun
from loyaltyview.work.periodics import next_time, run_due
from loyaltyview.work.registry import every

NOON = datetime(2026, 3, 4, 12, 0, 20, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("interval_s", "expected"),
    [
        (60, datetime(2026, 3, 4, 12, 1, tzinfo=UTC)),
        (3600, datetime(2026, 3, 4, 13, 0, tzinfo=UTC)),
        (86400, datetime(2026, 3, 5, 4, 0, tzinfo=UTC)),
    ],
)
def test_the_next_time_is_the_full_minute_the_full_hour_or_four_in_the_morning(
    interval_s: int, expected: datetime
) -> None:
    assert next_time(interval_s, NOON) == expected
    assert next_time(interval_s, expected) == expected + timedelta(seconds=interval_s)


def test_everything_is_done_the_first_time_and_then_when_it_is_due() -> None:
    runs: list[str] = []
    every("sweep", 60, lambda: runs.append("sweep"))
    every("watch", 3600, lambda: runs.append("watch"))
    with time_machine.travel(NOON, tick=False) as clock:
        assert run_due() == 2
        assert run_due() == 0
        clock.shift(39)
        assert run_due() == 0
        clock.shift(1)
        assert run_due() == 1
        assert sorted(runs) == ["sweep", "sweep", "watch"]
        clock.move_to(NOON + timedelta(days=3))
        assert run_due() == 2
        assert run_due() == 0


def test_a_restarted_worker_repeats_nothing() -> None:
    PeriodicRun.objects.create(name="purge", due_at=timezone.now() + timedelta(hours=3))
    every("purge", 86400, lambda: pytest.fail("not now"))
    assert run_due() == 0


def test_work_that_fails_stops_no_other_and_is_tried_again_soon(caplog: pytest.LogCaptureFixture) -> None:
    runs: list[str] = []

    def broken() -> None:
        runs.append("broken")
        raise RuntimeError("a bug")

    every("broken", 86400, broken)
    every("sweep", 60, lambda: runs.append("sweep"))
    with time_machine.travel(NOON, tick=False) as clock:
        run_due()
        assert sorted(runs) == ["broken", "sweep"]
        row = PeriodicRun.objects.get(name="broken")
        assert (row.attempts, row.last_error) == (1, "RuntimeError")
        clock.shift(3)
        run_due()
        assert runs.count("broken") == 2
    assert "periodic_failed" in caplog.text


def test_the_work_of_a_killed_worker_is_done_when_its_lease_has_expired() -> None:
    runs: list[str] = []
    every("reconcile", 86400, lambda: runs.append("reconcile"))
    with time_machine.travel(NOON, tick=False) as clock:
        lease = NOON + timedelta(minutes=10)
        PeriodicRun.objects.create(name="reconcile", due_at=NOON, lease_until=lease)
        assert run_due() == 0
        clock.move_to(lease + timedelta(seconds=1))
        assert run_due() == 1
    assert runs == ["reconcile"]


def test_no_name_is_registered_twice() -> None:
    every("sweep", 60, lambda: None)
    with pytest.raises(ValueError, match="sweep"):
        every("sweep", 60, lambda: None)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_many_workers_at_once_one_does_it() -> None:
    runs: list[str] = []
    every("watch", 3600, lambda: runs.append("watch"))
    barrier = threading.Barrier(8)

    def work() -> int:
        barrier.wait()
        try:
            return run_due()
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        done = [future.result() for future in [pool.submit(work) for _ in range(8)]]
    assert (sum(done), runs) == (1, ["watch"])
