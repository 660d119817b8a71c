"""A database that does not answer ends in an error, not in a thread that waits."""

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from django.db import OperationalError, connection, connections

from loyaltyview.ops import database

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_process_s", 0.2)


@pytest.fixture
def fresh(limited: None) -> Iterator[Any]:
    """A connection of its own, made under the limit."""
    with closing(connections.create_connection("default")) as wrapper:
        yield wrapper


@pytest.mark.postgres
def test_a_frozen_server_ends_the_statement_and_the_next_connection_works(fresh: Any) -> None:
    with fresh.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [server] = cursor.fetchone()
    os.kill(server, signal.SIGSTOP)
    try:
        with fresh.cursor() as cursor, pytest.raises(OperationalError, match="did not answer"):
            cursor.execute("SELECT 1")
        assert not fresh.is_usable()
    finally:
        os.kill(server, signal.SIGCONT)
    fresh.close()
    with fresh.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


@pytest.mark.postgres
def test_a_statement_that_takes_too_long_is_ended_by_the_server(fresh: Any) -> None:
    with fresh.cursor() as cursor, pytest.raises(OperationalError, match="statement timeout"):
        cursor.execute("SELECT pg_sleep(60)")


@pytest.mark.postgres
def test_periodic_work_has_no_limit_and_later_work_has_one(limited: None) -> None:
    connection.close()
    limits = []
    for _ in range(2):
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            limits.append(cursor.fetchone()[0])
        with database.unlimited(), connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            limits.append(cursor.fetchone()[0])
    connection.close()

    assert limits == ["200ms", "0", "200ms", "0"]


def test_sqlite_waits_no_longer_for_another_writer(limited: None) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("SQLite's own")
    with closing(connections.create_connection("default")) as wrapper, wrapper.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        assert cursor.fetchone() == (200,)
