"""A running stack with two workers that look for work all the time, on PostgreSQL."""

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from tests.kill.stack import Stack, running_stack


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory,
    django_db_setup: None,  # the tests' own databases come first, or they would be made for this one too
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("races")
    with django_db_blocker.unblock(), running_stack(folder, workers=2, WORKER_POLL_S="0.01") as stack:
        yield stack
