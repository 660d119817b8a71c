"""New rows, conditional changes of them, and rows read, in one statement each. The ORM does more (signals,
new keys read back, expressions, joins) and takes three times as long: measured by `tests/load/redeem.py`."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from django.db import connection, models, transaction

Row = TypeVar("Row", bound=models.Model)


def insert(rows: Sequence[models.Model], *, may_be_there: bool = False) -> int:
    """Insert `rows`, at least one and all of one model, within the caller's transaction, or else in one of
    their own. A key that the database makes is not set on them. With `may_be_there`, rows that a unique
    constraint refuses are left out. Returns how many were inserted. Raises django.db.Error."""
    columns = _columns_to_insert(type(rows[0]))
    return insert_values(type(rows[0]), columns, list(map(_values_of, rows)), may_be_there=may_be_there)


def insert_values(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    may_be_there: bool = False,
) -> int:
    """Do what `insert` does with rows of values, one for each of `columns`, that the database's driver takes
    as they are. A column that is not named must have a default in the database, or take NULL."""
    start, one = _insertion(model, tuple(columns))
    return _execute(
        f"{start} VALUES {', '.join([one] * len(rows))}{' ON CONFLICT DO NOTHING' if may_be_there else ''}",
        [value for row in rows for value in row],
    )


def put(row: models.Model, key: Sequence[str], changes: Sequence[str]) -> None:
    """Insert `row`, or set its fields `changes` in the row that has the same fields `key`, which a unique
    constraint holds. Raises django.db.Error."""
    start, one = _insertion(type(row), _columns_to_insert(type(row)))
    keys, columns = ([_column(row._meta.get_field(name)) for name in names] for names in (key, changes))
    assignments = ", ".join(f"{column} = excluded.{column}" for column in columns)
    _execute(
        f"{start} VALUES {one} ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {assignments}", _values_of(row)
    )


@cache
def _fields_to_insert(model: type[models.Model]) -> tuple[Any, ...]:
    return tuple(field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField))


@cache
def _columns_to_insert(model: type[models.Model]) -> tuple[str, ...]:
    return tuple(str(field.column) for field in _fields_to_insert(model))


def _values_of(row: models.Model) -> list[Any]:
    return [_stored(field, getattr(row, field.attname)) for field in _fields_to_insert(type(row))]


@cache
def _insertion(model: type[models.Model], columns: tuple[str, ...]) -> tuple[str, str]:
    """Return the words before the rows or VALUES, and the placeholders of one row."""
    table = connection.ops.quote_name(model._meta.db_table)
    names = ", ".join(map(connection.ops.quote_name, columns))
    return f"INSERT INTO {table} ({names})", f"({', '.join(['%s'] * len(columns))})"


def update(
    model: type[models.Model],
    where: Mapping[str, Any],
    changes: Mapping[str, Any],
    also: Sequence[models.Model] = (),
) -> int:
    """Set `changes` in the rows of `model` whose fields match `where`: equal to a value, NULL for None, one
    of the values of a list. If any row matched, insert the rows `also`, of any models and in this order, in
    the same commit: on PostgreSQL in the same statement. Returns how many rows matched.
    Raises django.db.Error."""
    change, values = _update(model, where, changes)
    if also and connection.vendor != "postgresql":
        with transaction.atomic():
            if matched := _execute(change, values):
                for row in also:
                    insert([row])
        return matched
    if not also:
        return _execute(change, values)
    parts = [f"done_0 AS ({change} RETURNING 1)"]
    for number, row in enumerate(also):
        start, one = _insertion(type(row), _columns_to_insert(type(row)))
        # Each looks for the one before: only so their order, and that of their keys, is certain.
        selected = f"SELECT {one.strip('()')} WHERE EXISTS (SELECT FROM done_{number})"  # noqa: S608 - placeholders
        parts.append(f"done_{number + 1} AS ({start} {selected} RETURNING 1)")
        values += _values_of(row)
    return _execute(f"WITH {', '.join(parts)} SELECT FROM done_0", values)


def _update(
    model: type[models.Model], where: Mapping[str, Any], changes: Mapping[str, Any]
) -> tuple[str, list[Any]]:
    """Return the statement that sets `changes`, and its values."""
    fields = [model._meta.get_field(name) for name in changes]
    assignments = ", ".join(f"{_column(field)} = %s" for field in fields)
    condition, values = _condition(model, where)
    table = connection.ops.quote_name(model._meta.db_table)
    change = f"UPDATE {table} SET {assignments} WHERE {condition}"  # noqa: S608 - names of ours
    return change, [*map(_stored, fields, changes.values()), *values]


def _execute(statement: str, values: Sequence[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)


def select(model: type[Row], where: Mapping[str, Any], *, order_by: str, limit: int) -> list[Row]:
    """Return at most `limit` rows of `model` whose fields match `where` (see `update`), in the order of the
    field `order_by`, descending with "-" before it. Raises django.db.Error."""
    order = _column(model._meta.get_field(order_by.removeprefix("-"))) + " DESC" * order_by.startswith("-")
    condition, values = _condition(model, where)
    names, columns, conversions = _reading(model)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns} FROM {connection.ops.quote_name(model._meta.db_table)}"  # noqa: S608 - names of ours
            f" WHERE {condition} ORDER BY {order} LIMIT %s",
            [*values, limit],
        )
        found = cursor.fetchall()
    rows = []
    for row in map(list, found):
        for index, column, convert in conversions:
            row[index] = convert(row[index], column, connection)
        rows.append(model.from_db(connection.alias, names, row))
    return rows


@cache
def _reading(model: type[models.Model]) -> tuple[list[str], str, list[tuple[int, Any, Callable[..., Any]]]]:
    """Return the names of the model's attributes, its columns, and the converters from a column's value to
    the field's: index, column and function of each."""
    fields: Sequence[Any] = model._meta.concrete_fields
    conversions = [
        (index, column, convert)
        for index, column in enumerate(field.cached_col for field in fields)
        for convert in (
            *connection.ops.get_db_converters(column),
            *column.get_db_converters(connection),
        )
    ]
    return [field.attname for field in fields], ", ".join(map(_column, fields)), conversions


def _condition(model: type[models.Model], where: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """Return the condition after WHERE, and its values."""
    conditions, values = [], []
    for name, value in where.items():
        field = model._meta.get_field(name)
        allowed = value if isinstance(value, list) else [value]
        if value is None:
            conditions.append(f"{_column(field)} IS NULL")
        else:
            conditions.append(f"{_column(field)} IN ({', '.join(['%s'] * len(allowed))})")
            values += [_stored(field, each) for each in allowed]
    return " AND ".join(conditions), values


def _column(field: Any) -> str:
    return connection.ops.quote_name(str(field.column))


def _stored(field: Any, value: Any) -> Any:
    return field.get_db_prep_save(value, connection)
