"""Rows of a vendor's former tables, brought into the journal by that vendor's migration."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.migrations.executor import MigrationExecutor


@contextmanager
def former_tables(app: str, before: str) -> Iterator[Callable[[str], Any]]:
    """Migrate the app back to `before`; yield a function that returns a former model by its name.
    Everything is migrated forward at the end of the block. Needs `django_db(transaction=True)`."""
    executor = MigrationExecutor(connection)
    latest = [node for node in executor.loader.graph.leaf_nodes() if node[0] == app]
    executor.migrate([(app, before)])
    try:
        state = MigrationExecutor(connection).loader.project_state([(app, before)])
        yield lambda name: state.apps.get_model(app, name)
    finally:
        MigrationExecutor(connection).migrate(latest)
