"""Deliveries that come at the same time share a commit, and each is answered only after it."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event as Signal
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError

from loyaltyview.events.group_commit import GroupCommit


class Database:
    """Stands in for the table: its first commit waits until the test lets it go on."""

    def __init__(self) -> None:
        self.commits: list[list[int]] = []
        self.entered = Signal()
        self.may_go_on = Signal()
        self.error: Exception | None = None

    def write(self, rows: list[int]) -> None:
        self.commits.append(rows)
        if len(self.commits) == 1:
            self.entered.set()
            assert self.may_go_on.wait(10)
        elif self.error:
            raise self.error


@pytest.fixture
def database() -> Database:
    return Database()


def store_at_once(writer: GroupCommit[int], database: Database, count: int) -> list[Any]:
    """One thread commits; `count` more come meanwhile. Returns what each of them met: None or its error."""
    with ThreadPoolExecutor(count + 1) as pool:
        first = pool.submit(writer.store, 0)
        assert database.entered.wait(10)
        others = [pool.submit(writer.store, number) for number in range(1, count + 1)]
        while len(writer._tickets) < count:
            Signal().wait(0.001)
        assert not any(future.done() for future in [first, *others])
        database.may_go_on.set()
        assert first.exception() is None
        return [future.exception() for future in others]


def test_deliveries_that_came_during_a_commit_share_the_next(database: Database) -> None:
    assert store_at_once(GroupCommit(database.write), database, 8) == [None] * 8
    assert [sorted(rows) for rows in database.commits] == [[0], [1, 2, 3, 4, 5, 6, 7, 8]]


@pytest.mark.parametrize("error", [OperationalError("disk full"), ValueError("not a database error")])
def test_when_a_shared_commit_fails_every_caller_gets_an_error(database: Database, error: Exception) -> None:
    database.error = error
    met = store_at_once(GroupCommit(database.write), database, 4)
    assert sorted(type(found).__name__ for found in met) == sorted([type(error).__name__, *["NotStored"] * 3])


def test_after_a_failure_the_next_delivery_is_stored(database: Database) -> None:
    writer = GroupCommit(database.write)
    database.error = DatabaseError("gone")
    store_at_once(writer, database, 1)
    database.error = None
    writer.store(7)
    assert database.commits[-1] == [7]
