"""Independent reads at the same time, on a bounded pool of threads shared by the whole process.

Only for vendors reached over the network. A provider with `is_local` works on Django's database, whose
connections belong to a thread: call it in the request's own thread, never here. Other providers may read
their own rows; an idle thread closes its connection. The threads are daemons: a hanging vendor does not keep
the process from exiting.
"""

import contextvars
import itertools
import math
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from django.db import close_old_connections, connections

from providers.errors import ProviderError, Rejected, Unavailable
from providers.outbound.deadline import deadline
from providers.outbound.lanes import Lanes
from providers.outbound.thread_caches import with_caches_of_thread

T = TypeVar("T")

POOL_THREADS = 64
KEPT_AT_MOST = 1000
KEEPS_CONNECTION_S = 5


@dataclass(frozen=True, slots=True)
class Result(Generic[T]):
    """The result of one call: its value, or the ProviderError it ended with."""

    value: T | None = None
    error: ProviderError | None = None

    def get(self) -> T:
        """Return the value, or raise the error."""
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]  # T itself may be Optional


Job = tuple[str, Future[Any], Callable[[], Any]]


class _Pool:
    """Daemon threads, started when no idle one is left, at most `size`. A program whose vendor hangs leaves
    threads to the others."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._turns: Lanes[Job] = Lanes(size)
        self._jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._lock = threading.Lock()
        self._started = 0

    def submit(self, call: Callable[[], Any], program: str) -> Future[Any]:
        future: Future[Any] = Future()
        job = (program, future, call)
        with self._lock:
            if self._turns.take(program, job):
                self._start(job)
        return future

    def _start(self, job: Job) -> None:
        self._jobs.put(job)
        if not self._idle.acquire(blocking=False) and self._started < self._size:
            self._started += 1
            threading.Thread(target=self._work, name=f"vendor-{self._started}", daemon=True).start()

    def _work(self) -> None:
        while True:
            program, future, call = next_job(self._jobs)
            # A page that gave up has cancelled calls that had not begun.
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(_run(call))
                except BaseException as error:
                    # The reader of the future gets it, programming errors included.
                    future.set_exception(error)
            del future, call
            self._idle.release()
            with self._lock:
                self._turns.done(program)
                while following := self._turns.following():
                    self._start(following[1])


def _run(call: Callable[[], Any]) -> Any:
    try:
        return call()
    finally:
        # An adapter may have read its own rows. To open a connection costs more than most of these reads.
        close_old_connections()


def next_job(jobs: "queue.SimpleQueue[T]") -> T:
    """Wait for the next job of a thread that is no request's. Its connection to the database is kept between
    jobs as a request's is (CONN_MAX_AGE), and closed when there is none for a while."""
    try:
        return jobs.get(timeout=KEEPS_CONNECTION_S)
    except queue.Empty:
        connections.close_all()
        return jobs.get()


_pool = _Pool(POOL_THREADS)
_program: ContextVar[str] = ContextVar("program", default="")


class Pending:
    """Calls that are under way. Waiting for them may be split over two requests."""

    def __init__(self, futures: dict[str, Future[Any]]) -> None:
        self._futures = futures

    def wait(self, seconds: float) -> bool:
        """Wait at most `seconds`; return whether every call has ended."""
        return not wait(self._futures.values(), timeout=seconds).not_done

    def has_failed(self) -> bool:
        """Return whether a call has ended with an error that the next attempt may not meet."""
        errors = [future.exception() for future in self._futures.values() if future.done()]
        return any(isinstance(error, ProviderError) and not isinstance(error, Rejected) for error in errors)

    def when_done(self, call: Callable[[], None]) -> None:
        """Call `call` once every call has ended: now, or in the thread of the last one."""
        ended = itertools.count(1)

        def end_one(_future: Future[Any]) -> None:
            if next(ended) == len(self._futures):
                call()

        if not self._futures:
            call()
        for future in self._futures.values():
            future.add_done_callback(end_one)

    def results(self, deadline_s: float) -> dict[str, Result[Any]]:
        """Return the result of each call, after at most `deadline_s` seconds.

        A call that is not done by then is Unavailable("deadline"). Anything but a ProviderError is a
        programming error and is raised.
        """
        self.wait(deadline_s)
        return {name: _result(future) for name, future in self._futures.items()}


def _result(future: Future[Any]) -> Result[Any]:
    if not future.done():
        future.cancel()
        return Result(error=Unavailable("deadline"))
    if future.cancelled():
        return Result(error=Unavailable("deadline"))
    error = future.exception()
    if error is None:
        return Result(value=future.result())
    if isinstance(error, ProviderError):
        return Result(error=error)
    raise error


@contextmanager
def of_program(program: str) -> Iterator[None]:
    """Count the calls of this block as the program's: they take its share of the threads."""
    token = _program.set(program)
    try:
        yield
    finally:
        _program.reset(token)


def start(calls: Mapping[str, Callable[[], Any]], deadline_s: float = math.inf) -> Pending:
    """Start all `calls` and return immediately. Each sees the caller's context variables (log fields, the
    page's deadline) and its own deadline, `deadline_s` seconds from now."""
    with deadline(deadline_s):
        return Pending({name: _submit(call) for name, call in calls.items()})


def _submit(call: Callable[[], Any]) -> Future[Any]:
    """Have a thread of the pool run `call` in a copy of this context."""
    run = partial(contextvars.copy_context().run, with_caches_of_thread, call)
    return _pool.submit(run, _program.get())


def gather(calls: Mapping[str, Callable[[], T]], deadline_s: float) -> dict[str, Result[T]]:
    """Run `calls` at the same time and return their results by name, after at most `deadline_s` seconds.

    Even the waiting thread makes no call itself: looking up a host's name cannot be bounded from inside.
    """
    return start(calls, deadline_s).results(deadline_s)


def together(first: Callable[[], Any], *others: Callable[[], Any]) -> list[Any]:
    """Run an adapter's calls at the same time; return their results in this order, or raise the error of the
    first one that failed. Called inside a page's calls, too: this thread makes the first call itself, and
    then those that no thread has begun. So no thread of the pool waits for another thread to become free.

    `others` must not use Django's database: their threads have connections of their own.
    """
    futures = [_submit(call) for call in others]
    try:
        results = [first()]
        for call, future in zip(others, futures, strict=True):
            results.append(call() if future.cancel() else future.result())
        return results
    finally:
        for future in futures:
            future.cancel()  # after an error: what no thread has begun costs the vendor no call


_kept: OrderedDict[str, tuple[float, Pending]] = OrderedDict()
_kept_lock = threading.Lock()


def keep(key: str, pending: Pending, ttl_s: float = 30) -> None:
    """Remember `pending` for the next request. Kept in this process: `take` in another one finds
    nothing, and that page starts its calls again. If there are too many, the oldest are dropped."""
    now = time.monotonic()
    with _kept_lock:
        _kept.pop(key, None)
        _kept[key] = (now + ttl_s, pending)
        for stale in [k for k, (ends_at, _) in _kept.items() if ends_at <= now]:
            del _kept[stale]
        while len(_kept) > KEPT_AT_MOST:
            _kept.popitem(last=False)


def take(key: str) -> Pending | None:
    """Return the calls kept under `key`, once; None when there are none or they have expired."""
    with _kept_lock:
        ends_at, pending = _kept.pop(key, (0.0, None))
    return pending if ends_at > time.monotonic() else None
