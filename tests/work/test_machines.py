"""WORK_ENGINE=procrastinate with real worker processes: kill -9 loses nothing, nothing is done twice."""

import signal
import time
from collections.abc import Iterator

import pytest

from .machines import WITHIN_S, Machines, machines, wait_for

pytestmark = pytest.mark.postgres

ORDERS = 12
UNDONE = "SELECT count(*) FROM events_event WHERE state <> 'done'"
EARNED = "SELECT count(*) FROM house_entry WHERE kind = 'earn'"
POINTS = "SELECT spendable FROM house_member"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    with machines(tmp_path_factory.mktemp("marks")) as shop:
        yield shop


@pytest.fixture(autouse=True)
def _nothing_is_left(shop: Machines) -> Iterator[None]:
    yield
    shop.kill_all()
    for table in ("procrastinate_jobs", "procrastinate_workers", "work_heartbeat", "work_periodicrun"):
        shop.connection.execute(f"TRUNCATE {table} CASCADE".encode())
    for file in shop.marks.iterdir():
        file.unlink()


@pytest.mark.parametrize(("remote", "reported"), [("1", 2), ("", 1)], ids=["one by one", "in a batch"])
def test_a_worker_is_killed_in_the_middle_and_another_does_the_rest_once(
    shop: Machines, remote: str, reported: int
) -> None:
    earned, points = shop.one(EARNED), shop.one(POINTS)
    doomed = shop.start_worker(HANGS="1", REMOTE=remote)
    shop.deliver("orders", str(100 * reported), str(ORDERS))
    # It has reported orders to the vendor, and not stored that it did. A remote vendor has one from each of
    # two threads. In our own database they are the same member's, and the second waits for the first.
    wait_for(lambda: len(shop.read("earned")) == reported)
    other = shop.start_worker(REMOTE=remote)
    doomed.kill()
    assert doomed.wait(WITHIN_S) == -signal.SIGKILL
    if not remote:  # as if the lease had expired: to wait for one is enough
        shop.connection.execute("UPDATE events_event SET lease_until = now() WHERE lease_until IS NOT NULL")
    # As if the process that should wake the other had died as well.
    shop.connection.execute("DELETE FROM procrastinate_jobs WHERE status = 'todo'")

    wait_for(lambda: shop.one(UNDONE) == 0)
    assert shop.one(EARNED) == earned + ORDERS
    assert shop.one(POINTS) == points + 90 * ORDERS
    told = shop.read("earned")
    assert len(set(told)) == ORDERS
    # Only the orders that the dead worker had reported were reported again.
    assert {order for order in told if told.count(order) > 1} == set(told[:reported])
    assert len(told) == ORDERS + reported

    assert shop.stop(other) == 0
    assert shop.one(f"SELECT count(*) FROM work_heartbeat WHERE worker LIKE '%:{other.pid}'") == 0


@pytest.mark.parametrize("engine", ["procrastinate", "rows"])
def test_a_periodic_runs_once_for_all_workers(shop: Machines, engine: str) -> None:
    workers = [shop.start_worker(WORK_ENGINE=engine) for _ in range(2)]
    wait_for(lambda: shop.read("counted"))
    swept = "SELECT last_value FROM procrastinate_jobs_id_seq"
    if engine == "procrastinate":  # two more sweeps of either worker
        before = shop.one(swept)
        wait_for(lambda: shop.one(swept) >= before + 4)
    else:  # both workers have looked many times
        time.sleep(2)
    assert [worker.poll() for worker in workers] == [None, None]
    assert len(shop.read("counted")) == 1


def test_a_delivery_wakes_a_worker_of_another_process_at_once(shop: Machines) -> None:
    worker = shop.start_worker()
    seconds = [float(line) for line in shop.deliver("timed", "5").split()]
    # One after the other: without the wake-up, all but the first would wait up to 5 s for the sweep.
    assert sorted(seconds)[2] < 2.5

    assert shop.stop(worker) == 0
    # Finished jobs are deleted.
    assert shop.one("SELECT count(*) FROM procrastinate_jobs WHERE status <> 'todo'") == 0
