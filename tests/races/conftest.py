"""A running stack with two workers, on PostgreSQL."""

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from tests.kill.stack import Stack, running_stack


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory,
    django_db_setup: None,  # the tests' own databases are created before this one
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("races")
    # A page waits without a limit: these tests ask which call wins, not how fast this machine is.
    patient = {"PAGE_DEADLINE_S": "30", "THREAD_WAIT_S": "30"}
    with django_db_blocker.unblock(), running_stack(folder, workers=2, **patient) as stack:
        yield stack
