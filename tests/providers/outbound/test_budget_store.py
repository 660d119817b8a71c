"""One count for all processes: kept in the database, by its clock; without it each process counts alone."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError

from providers.models import AccountBudget
from providers.outbound import budget_store
from providers.outbound.budget_state import Limit, State, Use
from providers.outbound.budget_store import DatabaseStore, ProcessStore

TEN = Limit(calls=10, window_s=60.0)


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> DatabaseStore:
    """A store whose statements are made in the test's own thread and transaction."""
    store = DatabaseStore()
    monkeypatch.setattr(budget_store, "close_old_connections", lambda: None)

    def apply(name: str, limit: Limit, step: budget_store.Step) -> object:
        answer: budget_store.Future[object] = budget_store.Future()
        store._answer(name, limit, [(step, answer)])
        return answer.result()

    monkeypatch.setattr(store, "apply", apply)
    return store


def call(state: State, now: float) -> bool:
    return state.call("", Use.TAP, now) == 0


@pytest.mark.django_db
def test_processes_count_together(inline: DatabaseStore) -> None:
    another = DatabaseStore()
    answer: budget_store.Future[object] = budget_store.Future()
    another._answer("acme", TEN, [(call, answer)] + [(call, budget_store.Future()) for _ in range(6)])
    assert answer.result() is True
    assert [inline.apply("acme", TEN, call) for _ in range(5)] == [True] * 3 + [False] * 2


@pytest.mark.django_db
def test_accounts_are_counted_separately(inline: DatabaseStore) -> None:
    for _ in range(10):
        inline.apply("acme", TEN, call)
    assert inline.apply("another", TEN, call) is True
    assert AccountBudget.objects.count() == 2


@pytest.mark.django_db
def test_a_changed_limit_still_counts_earlier_calls(inline: DatabaseStore) -> None:
    for _ in range(10):
        inline.apply("acme", TEN, call)
    twelve = Limit(calls=12, window_s=60.0)
    assert [inline.apply("acme", twelve, call) for _ in range(3)] == [True, True, False]


@pytest.mark.django_db
def test_a_changed_window_starts_a_new_count(inline: DatabaseStore) -> None:
    for _ in range(10):
        inline.apply("acme", TEN, call)
    assert inline.apply("acme", Limit(calls=10, window_s=30.0), call) is True


def test_without_a_database_a_process_counts_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    store = DatabaseStore()

    def fail(*_args: object) -> list[object]:
        raise DatabaseError("away")

    monkeypatch.setattr(store, "_commit", fail)
    monkeypatch.setattr(budget_store, "close_old_connections", lambda: None)
    assert [store.apply("acme", TEN, call) for _ in range(12)] == [True] * 10 + [False] * 2


def test_threads_of_a_process_never_make_more_calls_than_allowed() -> None:
    store = ProcessStore()
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda _: store.apply("acme", TEN, call), range(64)))
    assert sum(made) == 10


@pytest.mark.django_db(transaction=True)
def test_one_thread_answers_all_simultaneous_requests() -> None:
    store = DatabaseStore()
    try:
        with ThreadPoolExecutor(16) as pool:
            made = list(pool.map(lambda _: store.apply("acme", TEN, call), range(64)))
    finally:
        store.close()
    assert sum(made) == 10
    state = State(TEN, AccountBudget.objects.get().state)
    assert sum(state.calls[Use.TAP].values()) == 10


@pytest.mark.django_db(transaction=True)
def test_a_step_that_nobody_waits_for_is_done_before_later_ones() -> None:
    store = DatabaseStore()
    try:
        store.apply("acme", TEN, lambda state, now: state.book("page", Use.PAGE, 5, now, 0.0))
        store.apply_later("acme", TEN, lambda state, now: state.end("page", now))
        assert store.apply("acme", TEN, lambda state, _now: state.bookings) == []
    finally:
        store.close()
