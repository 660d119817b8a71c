"""Search by indexes: one small query a field, and the rows of all of them."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, models
from django.db.models import Q

FOUND = 1000  # rows of each field
MOST_VALUES = 1000


def find(
    model: type[models.Model], paths: Sequence[str], texts: Sequence[str], beginnings: Sequence[str] = ()
) -> list[Any]:
    """Return the keys of the rows where a field is one of `texts`, or begins with one of them if the field is
    among `beginnings`. At most FOUND rows a field."""
    found: dict[Any, None] = {}
    for path in paths:
        for keys in _matches(model, path, texts, is_beginning=path in beginnings):
            found.update(dict.fromkeys(keys))
    return list(found)


def _matches(
    model: type[models.Model], path: str, texts: Sequence[str], *, is_beginning: bool
) -> Iterator[list[Any]]:
    relation, _sep, name = path.rpartition("__")
    if relation:
        related: Any = model._meta.get_field(relation)
        if related.concrete:
            others = find(related.related_model, [name], texts)
            yield list(
                _manager(model).filter(**{f"{relation}__in": others}).values_list("pk", flat=True)[:FOUND]
            )
        else:
            rows = _narrowed(related.related_model, name).filter(**{f"{name}__in": texts})
            yield list(rows.values_list(related.field.attname, flat=True)[:FOUND])
        return
    if is_beginning:
        for text in texts:
            yield _keys(_manager(model).filter(_begins(name, text)))
        return
    known = [text for text in texts if _fits(model._meta.get_field(name), text)]
    if known:
        yield _keys(_narrowed(model, name).filter(**{f"{name}__in": known}))


def _manager(model: type[models.Model]) -> Any:
    return model._default_manager.order_by()


def _keys(rows: Any) -> list[Any]:
    return list(rows.values_list("pk", flat=True)[:FOUND])


def _fits(field: Any, text: str) -> bool:
    """Return whether the column could hold `text`: a text that is no UUID is no key of one."""
    try:
        field.to_python(text)
    except (ValidationError, ValueError):
        return False
    return True


def _begins(name: str, text: str) -> Q:
    """Return the condition in the form that an index answers. PostgreSQL's index is one of patterns."""
    if connection.vendor == "postgresql":
        return Q(**{f"{name}__startswith": text})
    return Q(**{f"{name}__gte": text, f"{name}__lt": f"{text}\U0010ffff"})


def _narrowed(model: type[models.Model], name: str) -> Any:
    """Return the rows of `model`, with what the columns before `name` in its index need."""
    leading, is_partial = index_of(model, name)
    rows = _manager(model)
    for column in leading:
        rows = rows.filter(**{f"{column}__in": values_of(model, column)})
    # SQLite uses an index of some rows only where the query repeats its condition.
    return rows.exclude(**{name: ""}) if is_partial else rows


def index_of(model: type[models.Model], name: str) -> tuple[tuple[str, ...], bool]:
    """Return the columns before `name` in the shortest index that finds it, and whether that index has only
    the rows where `name` is not empty. Raise LookupError without an index."""
    field: Any = model._meta.get_field(name)
    if field.unique or field.db_index:
        return (), False
    indexes: list[Any] = [*model._meta.indexes, *model._meta.constraints]
    found = []
    for index in indexes:
        fields = tuple(each.lstrip("-") for each in getattr(index, "fields", ()))
        condition = getattr(index, "condition", None)
        if name in fields and condition in (None, ~Q(**{name: ""})):
            found.append((fields[: fields.index(name)], condition is not None))
    if not found:
        raise LookupError(f"{model._meta.label}.{name} has no index")
    return min(found, key=lambda each: len(each[0]))


def values_of(model: type[models.Model], name: str) -> list[Any]:
    """Return the values of a column with few of them, by its index: one look a value."""
    field: Any = model._meta.get_field(name)
    if field.remote_field:
        return list(field.related_model._default_manager.order_by().values_list("pk", flat=True))
    if field.choices:
        return [value for value, _label in field.flatchoices]
    rows = _manager(model).order_by(name).values_list(name, flat=True)
    values: list[Any] = []
    while len(values) < MOST_VALUES and (
        row := (rows.filter(**{f"{name}__gt": values[-1]}) if values else rows)[:1]
    ):
        values.append(row[0])
    return values
