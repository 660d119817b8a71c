"""New rows in one statement. `save` and `bulk_create` do more (signals, new keys read back, a choice between
INSERT and UPDATE) and take three times as long: measured by `tests/load/redeem.py`."""

from collections.abc import Sequence

from django.db import connection, models


def insert(rows: Sequence[models.Model], *, may_be_there: bool = False) -> int:
    """Insert `rows`, at least one and all of one model, within the caller's transaction, or else in one of
    their own. A key that the database makes is not set on them. With `may_be_there` those that a unique
    constraint refuses are left out. Returns how many were inserted. Raises django.db.Error."""
    meta = rows[0]._meta
    fields = [field for field in meta.concrete_fields if not isinstance(field, models.AutoField)]
    names = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    one = f"({', '.join(['%s'] * len(fields))})"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {connection.ops.quote_name(meta.db_table)} ({names})"  # noqa: S608 - names of ours
            f" VALUES {', '.join([one] * len(rows))}{' ON CONFLICT DO NOTHING' if may_be_there else ''}",
            [
                field.get_db_prep_save(getattr(row, field.attname), connection)
                for row in rows
                for field in fields
            ],
        )
        return int(cursor.rowcount)
