"""For migrations that bring the rows of a vendor's former tables into the journal."""

from collections.abc import Callable, Iterable
from typing import Any

BATCH = 1000


def carry_over(
    apps: Any,
    schema_editor: Any,
    vendor: str,
    old: tuple[str, str],
    to_columns: Callable[[Any], dict[str, Any] | None],
) -> None:
    """Write one row of the journal for each row of the model `old` (app and name), with what `to_columns`
    returns: None for one that is passed over. Times that it leaves out are those of the migration."""
    alias = schema_editor.connection.alias
    write = apps.get_model("journal", "Write")
    rows: Iterable[Any] = apps.get_model(*old).objects.using(alias).order_by("pk").iterator(BATCH)
    batch: list[Any] = []
    for row in rows:
        if (columns := to_columns(row)) is not None:
            batch.append(write(vendor=vendor, **columns))
        if len(batch) == BATCH:
            write.objects.using(alias).bulk_create(batch)
            batch = []
    write.objects.using(alias).bulk_create(batch)
