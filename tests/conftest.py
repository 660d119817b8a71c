"""Shared fixtures: the program and its store, Chromium. What the marks `postgres` and `browser` need."""

import os
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, wait
from contextvars import Context
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.db.backends.sqlite3.base import DatabaseOperations
from django.test import TransactionTestCase
from django.utils import timezone
from django_structlog.middlewares import request as request_logs
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, expect, sync_playwright

from loyaltyview.newstore import keys, rate_limit
from loyaltyview.programs import program_cache, troubles
from loyaltyview.programs.models import Program, Store
from loyaltyview.work import clock
from providers.house import kept
from providers.house.triggers import SQLITE
from providers.outbound import behind, budget_store, catalogues, parallel, sharing
from tests.setup.chromium import find_chromium

# The time of an example depends on the machine and its load, not on the product.
settings.register_profile("loyaltyview", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("loyaltyview")

# Layouts are tested with one wide font on every machine.
FONTS = Path(__file__).parent / "setup" / "fonts" / "fonts.conf"
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# Here tests start processes of the product, which use the database that DATABASE_URL names.
WITH_PROCESSES = ("browser", "kill", "load", "races", "server", "setup", "work")
DATABASE_FIXTURES = {"db", "transactional_db", "django_db_reset_sequences", "django_db_serialized_rollback"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests without a database: on PostgreSQL they would only repeat their result on SQLite."""
    for item in items:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        if folder not in WITH_PROCESSES and not _uses_database(item):
            item.add_marker("once")


def _uses_database(item: pytest.Item) -> bool:
    test_case = getattr(item, "cls", None)
    return (
        bool(DATABASE_FIXTURES & set(getattr(item, "fixturenames", ())))
        or item.get_closest_marker("django_db") is not None
        or (isinstance(test_case, type) and issubclass(test_case, TransactionTestCase))
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("postgres") and connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: make test, or python -m tests.setup.postgres -- pytest")
    if item.get_closest_marker("browser") and find_chromium() is None:
        # Never skipped: these tests show what the product is for.
        pytest.fail("needs Chromium: make needs", pytrace=False)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The path of the Chromium to drive."""
    path = find_chromium()
    assert path, "make needs"
    return path


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator[Browser]:
    """The one Chromium of a test process: Playwright cannot be started twice in it."""
    with sync_playwright() as playwright:
        expect.set_options(timeout=15_000)  # two cores may have more to do than this test
        browser = playwright.chromium.launch(
            executable_path=chromium_path,
            args=CHROMIUM_FLAGS,
            env={**os.environ, "FONTCONFIG_FILE": str(FONTS)},
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session", autouse=True)
def _ledger_can_be_emptied() -> Iterator[None]:
    """A test with real transactions ends by emptying every table; on SQLite by DELETE, which the triggers of
    the house's ledger refuse. So they are dropped for that moment."""
    sql_flush = DatabaseOperations.sql_flush

    def without_triggers(self: DatabaseOperations, *args: Any, **kwargs: Any) -> list[str]:
        away = [f"DROP TRIGGER IF EXISTS {name}" for name in SQLITE]
        return [*away, *sql_flush(self, *args, **kwargs), *SQLITE.values()]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", without_triggers)
        yield


@pytest.fixture(scope="session", autouse=True)
def vendor_calls() -> Iterator[set[Future[Any]]]:
    """Calls that a thread of the pool has not ended."""
    under_way: set[Future[Any]] = set()
    submit = parallel._pool.submit

    def noted(call: Callable[[], Any], program: str) -> Future[Any]:
        future = submit(call, program)
        under_way.add(future)
        future.add_done_callback(under_way.discard)
        return future

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parallel._pool, "submit", noted)
        yield under_way


@pytest.fixture(autouse=True)
def _nothing_is_remembered(vendor_calls: set[Future[Any]]) -> None:
    """Forget what an earlier test left in this process: ids, tenants and ports are used again. A call that
    still ends would count its failure in the breaker of this test's program."""
    wait(list(vendor_calls), timeout=2)
    cache.clear()
    program_cache.forget()
    kept.forget()
    sharing.forget_all()
    catalogues.forget_all()
    budget_store.process_store.clear()
    rate_limit.forget()
    for known in (keys._key_sets, troubles._bursts):
        known.clear()


@pytest.fixture(autouse=True)
def _nothing_is_done_behind_a_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread sees nothing of a test's transaction, and would outlive it."""
    monkeypatch.setattr(behind, "start", lambda step: step())
    monkeypatch.setattr(behind, "write", lambda step: step() or True)


@pytest.fixture(autouse=True)
def _answers_are_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close streamed answers that a test did not read to their end, as every WSGI server does. Else the
    garbage collector would, amid a change of a context variable, and CPython crashes (its issue 148891)."""
    begun: list[Generator[bytes]] = []
    logged = request_logs.sync_streaming_content_wrapper

    def noted(content: Iterator[bytes], context: Any) -> Generator[bytes]:
        begun.append(logged(content, context))
        return begun[-1]

    monkeypatch.setattr(request_logs, "sync_streaming_content_wrapper", noted)
    yield
    for answer in begun:
        Context().run(answer.close)


@pytest.fixture(autouse=True)
def _one_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests move the clock of this process; they cannot move the clock of a PostgreSQL server."""
    if connection.vendor == "postgresql":
        monkeypatch.setattr(clock, "now", timezone.now)


@pytest.fixture
def program(db: None) -> Program:
    """The Acme Club with the house program, store US_BOSTON_01."""
    program = Program.objects.create(
        slug="acme",
        name="Acme Club",
        currency="USD",
        country="US",
        newstore_tenant="acme-staging",
        newstore_api_url="http://127.0.0.1:1",
        newstore_identity_url="http://127.0.0.1:1/auth/realms/acme-staging",
        newstore_client_id="loyaltyview",
        newstore_client_secret="s3cret",
        newstore_event_key="event-key",
        provider_kind="house",
    )
    Store.objects.create(program=program, store_id="US_BOSTON_01", name="Boston", provider_store="boston-1")
    return program
