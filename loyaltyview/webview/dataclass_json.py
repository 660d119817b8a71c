"""Frozen dataclasses as JSON text and back, by the annotations of their fields: those of `providers.types`.
pydantic would do it, but its import costs each process more than this file (decision 0051)."""

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


def dump(value: Any) -> str:
    """Return a dataclass as JSON text."""
    return json.dumps(value, default=_written, separators=(",", ":"))


def load(kind: type[T], text: str) -> T:
    """Return the `kind` that `dump` has written as `text`. Raises ValueError for any other text."""
    try:
        value: T = _reader(kind)(json.loads(text))  # type: ignore[arg-type]
    except (KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise ValueError(type(error).__name__) from error
    return value


def _written(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    """Return the function that makes a `kind` of what JSON has for it."""
    if is_dataclass(kind) and isinstance(kind, type):
        readers = {name: _reader(hint) for name, hint in get_type_hints(kind).items()}
        return lambda data: kind(**{name: read(data[name]) for name, read in readers.items()})
    if get_origin(kind) is tuple:
        each = _reader(get_args(kind)[0])
        return lambda data: tuple(map(each, data))
    if get_origin(kind) is UnionType:
        (inner,) = (_reader(one) for one in get_args(kind) if one is not NoneType)
        return lambda data: None if data is None else inner(data)
    if get_origin(kind) is Literal:
        return lambda data: get_args(kind)[get_args(kind).index(data)]
    if kind is datetime:
        return datetime.fromisoformat
    if kind is Decimal or issubclass(kind, Enum):
        return kind  # type: ignore[no-any-return]
    return lambda data: _checked(kind, data)


def _checked(kind: type, data: Any) -> Any:
    if type(data) is not kind:
        raise TypeError(f"{data!r} is no {kind.__name__}")
    return data
