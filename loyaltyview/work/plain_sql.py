"""New rows, and conditional changes of them, in one statement each. The ORM does more (signals, new keys read
back, expressions, joins) and takes three times as long: measured by `tests/load/redeem.py`."""

from collections.abc import Mapping, Sequence
from typing import Any

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


def update(model: type[models.Model], where: Mapping[str, Any], changes: Mapping[str, Any]) -> int:
    """Set `changes` in the rows of `model` whose fields are all as `where` says: equal, None for one without
    a value, one of several in a list. Returns how many there were. Raises django.db.Error."""
    meta, conditions, values = model._meta, [], []
    for name, value in changes.items():
        values.append(_stored(meta.get_field(name), value))
    for name, value in where.items():
        field = meta.get_field(name)
        allowed = value if isinstance(value, list) else [value]
        if value is None:
            conditions.append(f"{_column(field)} IS NULL")
        else:
            conditions.append(f"{_column(field)} IN ({', '.join(['%s'] * len(allowed))})")
            values += [_stored(field, each) for each in allowed]
    assignments = ", ".join(f"{_column(meta.get_field(name))} = %s" for name in changes)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {connection.ops.quote_name(meta.db_table)} SET {assignments}"  # noqa: S608 - names of ours
            f" WHERE {' AND '.join(conditions)}",
            values,
        )
        return int(cursor.rowcount)


def _column(field: Any) -> str:
    return connection.ops.quote_name(str(field.column))


def _stored(field: Any, value: Any) -> Any:
    return field.get_db_prep_save(value, connection)
