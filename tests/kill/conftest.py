"""The running stack. Nothing in its database is rolled back: each test takes a new member."""

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from .stack import Stack, running_stack


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory,
    django_db_setup: None,  # the tests' own databases are created before this one
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Stack]:
    with django_db_blocker.unblock(), running_stack(tmp_path_factory.mktemp("kill")) as stack:
        yield stack
