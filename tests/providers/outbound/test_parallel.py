"""Independent reads at the same time, bounded by a deadline, kept for a second request."""

import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextvars import Context, ContextVar
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import caches

from providers.errors import AuthFailed, Unavailable
from providers.outbound import parallel
from providers.outbound.deadline import deadline, remaining_s
from providers.outbound.parallel import Result, gather, keep, start, take, together
from providers.outbound.thread_caches import with_caches_of_thread

LOG_FIELD: ContextVar[str] = ContextVar("log_field", default="")


def fail() -> int:
    raise AuthFailed("401")


def crash() -> int:
    raise ZeroDivisionError("a bug")


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Calls that wait for it hang until the test opens it, or ends."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def hang(gate: threading.Event) -> Callable[[], int]:
    def call() -> int:
        gate.wait(10)
        return 7

    return call


def test_values_and_errors_come_back_by_name() -> None:
    results = gather({"member": lambda: 1, "rewards": fail}, 5)
    assert results["member"] == Result(value=1)
    assert results["member"].get() == 1
    assert isinstance(results["rewards"].error, AuthFailed)
    with pytest.raises(AuthFailed):
        results["rewards"].get()


def test_calls_run_at_the_same_time() -> None:
    barrier = threading.Barrier(5)
    results = gather({str(n): lambda: barrier.wait(5) for n in range(5)}, 5)
    assert sorted(result.get() for result in results.values()) == [0, 1, 2, 3, 4]


def test_a_program_whose_calls_hang_leaves_threads_to_another(
    hang: Callable[[], int], gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parallel, "_pool", parallel._Pool(8))
    with parallel.of_program("hanging"):
        hanging = start({str(n): hang for n in range(50)})

    with parallel.of_program("sound"):
        assert gather({"member": lambda: 1}, 5)["member"].get() == 1
    gate.set()
    assert all(result.get() == 7 for result in hanging.results(30).values())


def test_a_hanging_call_is_unavailable_and_the_others_return(hang: Callable[[], int]) -> None:
    began = threading.Event()
    pending = start({"slow": hang, "fast": lambda: began.set() or 1})
    assert began.wait(30)
    results = pending.results(1)
    assert isinstance(results["slow"].error, Unavailable)
    assert results["slow"].error.detail == "deadline"
    assert results["fast"].get() == 1


def test_a_programming_error_is_raised_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        gather({"broken": crash, "fast": lambda: 1}, 5)


def test_a_thread_outlives_the_errors_of_its_calls() -> None:
    for _ in range(200):
        with pytest.raises(ZeroDivisionError):
            gather({"broken": crash}, 5)
    assert parallel._pool._started <= parallel.POOL_THREADS


def test_without_calls_there_are_no_results() -> None:
    assert gather({}, 5) == {}


def test_log_fields_and_the_deadline_of_the_page_reach_the_calls() -> None:
    LOG_FIELD.set("request-7")
    with deadline(30):
        results = gather({"field": LOG_FIELD.get, "left": remaining_s}, 60)
    assert results["field"].get() == "request-7"
    left_s = results["left"].get()
    assert isinstance(left_s, float)
    assert 0 < left_s <= 30


def test_the_deadline_of_the_calls_does_not_stay_with_the_caller() -> None:
    gather({"a": lambda: 1}, 5)
    assert remaining_s() > 1e9


def test_a_page_may_stop_waiting_and_a_second_request_gets_the_result(
    gate: threading.Event, hang: Callable[[], int]
) -> None:
    key = uuid4().hex
    pending = start({"member": hang})
    assert pending.wait(0.01) is False
    keep(key, pending)
    gate.set()
    again = take(key)
    assert again is not None
    assert again.results(5)["member"].get() == 7
    assert again.wait(0) is True


def test_kept_calls_are_taken_once() -> None:
    key = uuid4().hex
    keep(key, start({}))
    assert take(key) is not None
    assert take(key) is None


def test_kept_calls_expire() -> None:
    key = uuid4().hex
    keep(key, start({}), ttl_s=0)
    assert take(key) is None


def test_the_oldest_kept_calls_are_dropped_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "KEPT_AT_MOST", 2)
    keys = [uuid4().hex for _ in range(3)]
    for key in keys:
        keep(key, start({}))
    assert take(keys[0]) is None
    assert take(keys[1]) is not None
    assert take(keys[2]) is not None


def test_calls_that_never_got_a_thread_are_not_made(
    monkeypatch: pytest.MonkeyPatch, gate: threading.Event, hang: Callable[[], int]
) -> None:
    monkeypatch.setattr(parallel, "_pool", parallel._Pool(1))
    made: list[str] = []
    slow = start({"slow": hang})
    results = gather({"late": lambda: made.append("late")}, 0.05)
    assert isinstance(results["late"].error, Unavailable)
    gate.set()
    assert slow.results(5)["slow"].get() == 7
    assert gather({"next": lambda: made.append("next")}, 5)["next"].error is None
    assert made == ["next"]


def test_a_hanging_vendor_does_not_keep_the_process_from_exiting() -> None:
    program = (
        "import threading; from providers.outbound.parallel import start;start({'a': threading.Event().wait})"
    )
    done = subprocess.run([sys.executable, "-c", program], timeout=20, check=False)
    assert done.returncode == 0


def test_calls_of_an_adapter_run_at_the_same_time_and_keep_their_order() -> None:
    barrier = threading.Barrier(3)

    def call(value: int) -> int:
        barrier.wait(5)
        return value

    assert together(lambda: call(1), lambda: call(2), lambda: call(3)) == [1, 2, 3]


def test_the_first_error_of_an_adapters_calls_is_raised() -> None:
    with pytest.raises(AuthFailed):
        together(lambda: 1, fail, crash)


def test_after_an_error_no_other_call_of_the_adapter_begins(
    monkeypatch: pytest.MonkeyPatch, hang: Callable[[], int], gate: threading.Event
) -> None:
    monkeypatch.setattr(parallel, "_pool", parallel._Pool(1))
    begun: list[str] = []
    busy = start({"other": hang})
    with pytest.raises(AuthFailed):
        together(fail, lambda: begun.append("late"))
    gate.set()
    assert busy.wait(10)
    assert start({"next": lambda: 1}).wait(10)
    assert not begun


def test_calls_within_calls_end_where_every_thread_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_pool", parallel._Pool(2))
    calls = {str(number): lambda: together(lambda: 1, lambda: 2, lambda: 3) for number in range(4)}
    assert [each.get() for each in gather(calls, 5).values()] == [[1, 2, 3]] * 4


def test_a_thread_keeps_its_database_connection_while_there_are_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []
    test = threading.current_thread()

    def close() -> None:  # threads of the pool from other tests close theirs
        if threading.current_thread() is test:
            closed.append("idle")

    monkeypatch.setattr(parallel, "KEEPS_CONNECTION_S", 0.01)
    monkeypatch.setattr(parallel.connections, "close_all", close)
    jobs: queue.SimpleQueue[str] = queue.SimpleQueue()
    jobs.put("first")

    assert parallel.next_job(jobs) == "first"
    assert closed == []

    threading.Timer(0.1, lambda: jobs.put("second")).start()
    assert parallel.next_job(jobs) == "second"
    assert closed == ["idle"]


def test_each_thread_has_caches_of_its_own_in_whatever_context() -> None:
    def cache() -> Any:
        return Context().run(with_caches_of_thread, lambda: caches["default"])

    mine = cache()
    assert cache() is mine
    assert gather({"other": cache}, 5)["other"].get() is not mine
