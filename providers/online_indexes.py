"""Indexes that a migration adds to a large table while tills and workers write to it."""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.migrations import AddIndex


class AddIndexOnline(AddIndex):
    """Adds an index; on PostgreSQL without locking the table. Its migration needs `atomic = False`, and may
    be repeated after it was interrupted: an index that is there is kept, an incomplete one is made again.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        is_valid = _is_valid(schema_editor, self.index.name)
        if is_valid:
            return
        if is_valid is False:
            name = schema_editor.quote_name(self.index.name)
            schema_editor.execute(f"DROP INDEX CONCURRENTLY {name}", params=None)
        operation = AddIndexConcurrently(self.model_name, self.index)
        operation.database_forwards(app_label, schema_editor, from_state, to_state)


def _is_valid(schema_editor: Any, name: str) -> bool | None:
    """Return whether the index is complete, None where there is none."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [f'"{name}"'])
        row = cursor.fetchone()
    return row[0] if row else None
