"""Where the states of the accounts' budgets are kept: in the database for all processes, else in this one.

One thread per process does all statements, many requests in one commit: no request needs a connection of its
own, and none is held while it waits.
"""

import os
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection, transaction
from django.db.backends.utils import CursorWrapper

from providers.models import AccountBudget
from providers.outbound.budget_state import Limit, State

log = structlog.get_logger(__name__)

# A change of a state; it gets the time.
Step = Callable[[State, float], Any]

# A step, its account, and the future for its result. None ends the thread.
Steps = queue.SimpleQueue["tuple[str, Limit, Step, Future[Any]] | None"]

SELECT = f"SELECT state FROM {AccountBudget._meta.db_table} WHERE name = %s"  # noqa: S608
UPDATE = f"UPDATE {AccountBudget._meta.db_table} SET state = %s WHERE name = %s"  # noqa: S608
AT_ONCE = 100
# How long this process keeps its own count after the database failed, before it tries again.
ALONE_S = 5.0


class ProcessStore:
    """The states of this process alone. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._states: dict[str, State] = {}
        self._lock = threading.Lock()

    def apply(self, name: str, limit: Limit, step: Step) -> Any:
        """Return what `step` makes of the state of `name`."""
        with self._lock:
            state = self._states.get(name)
            if state is None or state.limit != limit:
                state = self._states[name] = State(limit, state.to_text() if state else "{}")
            return step(state, self._clock())

    def apply_later(self, name: str, limit: Limit, step: Step) -> None:
        """As `apply`, for a step without a result."""
        self.apply(name, limit, step)

    def clear(self) -> None:
        with self._lock:
            self._states.clear()


class DatabaseStore:
    """The states that all processes share, by the database's clock."""

    def __init__(self) -> None:
        self._steps: Steps = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._pid = 0
        self._alone = ProcessStore()
        self._alone_until = 0.0

    def apply(self, name: str, limit: Limit, step: Step) -> Any:
        """Apply `step` to the state of `name` and return its result. While the database fails, this process
        counts alone."""
        if time.monotonic() < self._alone_until:
            return self._alone.apply(name, limit, step)
        return self._submit(name, limit, step).result()

    def apply_later(self, name: str, limit: Limit, step: Step) -> None:
        """As `apply`, for a step without a result: its commit keeps no page waiting."""
        if time.monotonic() < self._alone_until:
            self._alone.apply(name, limit, step)
        else:
            self._submit(name, limit, step)

    def _submit(self, name: str, limit: Limit, step: Step) -> "Future[Any]":
        with self._lock:
            if self._pid != os.getpid():  # a fork has no threads
                self._pid = os.getpid()
                self._steps = queue.SimpleQueue()
                self._thread = threading.Thread(
                    target=self._work, args=(self._steps,), name="vendor-budget", daemon=True
                )
                self._thread.start()
            steps = self._steps
        answer: Future[Any] = Future()
        steps.put((name, limit, step, answer))
        return answer

    def close(self) -> None:
        """End the thread and its connection. The next `apply` starts another."""
        with self._lock:
            thread, self._thread, self._pid = self._thread, None, 0
            self._steps.put(None)
        if thread is not None:
            thread.join()

    def _work(self, steps: "Steps") -> None:
        while True:
            first = steps.get()
            if first is None:
                connection.close()
                return
            batch = [first]
            while len(batch) < AT_ONCE:
                try:
                    following = steps.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    steps.put(None)
                    break
                batch.append(following)
            by_account: defaultdict[tuple[str, Limit], list[tuple[Step, Future[Any]]]] = defaultdict(list)
            for name, limit, step, answer in batch:
                by_account[name, limit].append((step, answer))
            for (name, limit), wanted in by_account.items():
                self._answer(name, limit, wanted)

    def _answer(self, name: str, limit: Limit, wanted: list[tuple[Step, "Future[Any]"]]) -> None:
        """Do the steps of one account in one commit, and answer after it."""
        try:
            close_old_connections()
            results = self._commit(name, limit, [step for step, _answer in wanted])
        except DatabaseError as error:
            log.warning("budget_alone", account=name, error=type(error).__name__)
            self._alone_until = time.monotonic() + ALONE_S
            connection.close()
            results = [self._alone.apply(name, limit, step) for step, _answer in wanted]
        except BaseException as error:
            for _step, answer in wanted:
                answer.set_exception(error)
            return
        for (_step, answer), result in zip(wanted, results, strict=True):
            answer.set_result(result)

    def _commit(self, name: str, limit: Limit, steps: list[Step]) -> list[Any]:
        # Plain SQL: each call to a vendor waits for this, and the ORM takes as long as the commit.
        with transaction.atomic(), connection.cursor() as cursor:
            text = _locked_state(cursor, name)
            if text is None:
                AccountBudget.objects.bulk_create([AccountBudget(name=name)], ignore_conflicts=True)
                text = _locked_state(cursor, name) or "{}"
            state, now = State(limit, text), _now(cursor)
            results = [step(state, now) for step in steps]
            cursor.execute(UPDATE, [state.to_text(), name])
        return results


def _locked_state(cursor: CursorWrapper, name: str) -> str | None:
    cursor.execute(SELECT + " FOR UPDATE" * connection.features.has_select_for_update, [name])
    found = cursor.fetchone()
    return found[0] if found else None


def _now(cursor: CursorWrapper) -> float:
    """Return the database's time: clocks of several machines differ. SQLite's is this machine's."""
    if connection.vendor != "postgresql":
        return time.time()
    cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
    return float(cursor.fetchone()[0])


process_store = ProcessStore()
database_store = DatabaseStore()


def store() -> ProcessStore | DatabaseStore:
    """Return the store that the installation has chosen."""
    return database_store if settings.VENDOR_BUDGETS == "database" else process_store
