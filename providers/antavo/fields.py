"""Reading Antavo's JSON: empty objects come as [], empty lists as null, times in four forms, names in
several languages."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from providers.errors import UnexpectedAnswer


def rows(answer: Any, *path: str) -> list[dict[str, Any]]:
    """Return the objects under `path`: of a list, of an object's values, or none for null."""
    for name in path:
        answer = answer.get(name) if isinstance(answer, dict) else None
    if isinstance(answer, dict):
        answer = list(answer.values())
    return [row for row in answer if isinstance(row, dict)] if isinstance(answer, list) else []


def listed(answer: Any) -> list[dict[str, Any]]:
    """Return the objects of a whole answer that is a list, or has one (or null) under `data`. Raise
    UnexpectedAnswer for any other: it is no proof that there is nothing."""
    if isinstance(answer, dict) and "data" in answer:
        answer = answer["data"]
        if isinstance(answer, dict):
            answer = list(answer.values())
    if answer is not None and not isinstance(answer, list):
        raise UnexpectedAnswer("a list was expected")
    return rows(answer)


def table(answer: Any) -> dict[str, Any]:
    """Return an object; {} for the [] that PHP makes of an empty one. Raise UnexpectedAnswer for others."""
    if answer is None or answer == []:
        return {}
    if not isinstance(answer, dict):
        raise UnexpectedAnswer("an object was expected")
    return answer


def text(value: Any, language: str = "") -> str:
    """Return a text, one of its translations, or a number, true or false as text; "" for anything else."""
    if isinstance(value, dict):
        value = value.get(language) or value.get("en") or next(iter(value.values()), "")
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | Decimal) else ""


def number(value: Any) -> Decimal:
    """Return a number, written as one or as text; 0 for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return Decimal(0)
    try:
        result = Decimal(value)
    except InvalidOperation:
        return Decimal(0)
    return result if result.is_finite() else Decimal(0)


def whole(value: Any) -> int:
    """Return whole points, rounded down."""
    return int(number(value).to_integral_value("ROUND_FLOOR"))


def moment(value: Any) -> datetime | None:
    """Return Unix seconds, a date, or an ISO time (with the workspace's offset) as aware UTC."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(float(value), UTC)
        except (ValueError, OverflowError, OSError):
            return None
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
        # Without an offset it would be the workspace's own time, which nothing tells: taken as UTC.
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def properties(value: Any) -> dict[str, str]:
    """Return an event's properties by name, whether they come as a list of {name, value} or an object."""
    if isinstance(value, dict):
        return {name: text(item) for name, item in value.items()}
    return {text(row.get("name")): text(row.get("value")) for row in rows(value)}
