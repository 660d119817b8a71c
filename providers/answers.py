"""Reading the JSON of a vendor's answer. Vendors keep few promises about types: ids come as numbers, numbers
as text, and objects as lists.

A field that no decision depends on is read leniently: an unreadable value becomes "" or None. Fields that a
decision depends on are read by `needed_text`, `object_in` and `objects_in`, which raise UnexpectedAnswer with
the place: no decision may follow from an incomplete answer.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from providers.errors import UnexpectedAnswer
from providers.outbound.lenient_json import read_json

Json = dict[str, Any]

# A larger number is not an amount of points or cents, and computing with it (1e999999) would take minutes.
MOST = 10**18


def delivered(body: bytes) -> Any:
    """Return the JSON in a delivery; raise UnexpectedAnswer for anything else. Fractions are floats, so that
    the delivery can be written as JSON again."""
    try:
        return read_json(body, float)
    except (ValueError, RecursionError) as error:
        raise UnexpectedAnswer("delivery: not JSON") from error


def text(value: Any) -> str:
    """Return a text without blanks around it, or a number as text; "" for anything else."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else ""


def number(value: Any) -> Decimal | None:
    """Return a number, written as one or as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    try:
        found = Decimal(value)
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found) < MOST else None


def whole(value: Any) -> int | None:
    """Return a whole number, None for anything else."""
    found = number(value)
    return int(found) if found is not None and found == found.to_integral_value() else None


def moment(value: Any) -> datetime | None:
    """Return a date or a time as aware UTC; None for anything else. A date is its midnight, and a time
    without an offset is taken for UTC."""
    try:
        found = datetime.fromisoformat(value.strip()) if isinstance(value, str) else None
        return found and (found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def at(data: Any, place: str) -> Any:
    """Return the value at `place`, whose dots lead deeper; None where it ends early."""
    for name in place.split("."):
        data = data.get(name) if isinstance(data, Mapping) else None
    return data


def rows(value: Any) -> list[Json]:
    """Return the objects in a list, and none where there is no list."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def inner(data: Mapping[str, Any], name: str) -> Json:
    """Return the object under `name`, {} where there is none."""
    value = data.get(name)
    return value if isinstance(value, dict) else {}


def text_of(data: Mapping[str, Any], *names: str) -> str:
    """Return the first text among `names`, "" without one."""
    return next(filter(None, (text(data.get(name)) for name in names)), "")


def whole_of(data: Mapping[str, Any], *names: str) -> int | None:
    """Return the first whole number among `names`, None without one."""
    found = (whole(data.get(name)) for name in names)
    return next((value for value in found if value is not None), None)


def needed_text(data: Mapping[str, Any], *names: str) -> str:
    """Return the first text among `names`; raise UnexpectedAnswer without one."""
    if found := text_of(data, *names):
        return found
    raise UnexpectedAnswer(f"no {' or '.join(names)}")


def object_in(value: Any, what: str) -> Json:
    """Return `value` if it is an object; raise UnexpectedAnswer, which names it as `what`."""
    if isinstance(value, dict):
        return value
    raise UnexpectedAnswer(f"{what}: not an object")


def objects_in(value: Any, what: str) -> list[Json]:
    """Return `value` if it is a list of objects; raise UnexpectedAnswer, which names it as `what`."""
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return value
    raise UnexpectedAnswer(f"{what}: not a list of objects")
