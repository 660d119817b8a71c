"""Readers for the oddities of Antavo's JSON: empty objects come as [], empty lists as null, times also as
Unix seconds, names in several languages. `providers.answers` reads the rest."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from providers import answers
from providers.answers import Json
from providers.errors import UnexpectedAnswer


def rows(answer: Any, *path: str) -> list[Json]:
    """Return the objects under `path`: of a list, of an object's values, or none for null."""
    found = answers.at(answer, ".".join(path)) if path else answer
    return answers.rows(list(found.values()) if isinstance(found, dict) else found)


def listed(answer: Any) -> list[Json]:
    """Return the objects of a whole answer that is a list, or has one (or null) under `data`. Raise
    UnexpectedAnswer for any other, a bare null too: it does not prove that there are none."""
    if isinstance(answer, dict) and "data" in answer:
        answer = [] if answer["data"] is None else answer["data"]
        if isinstance(answer, dict):
            answer = list(answer.values())
    if not isinstance(answer, list):
        raise UnexpectedAnswer("a list was expected")
    return answers.rows(answer)


def table(answer: Any) -> Json:
    """Return an object; {} for the [] that PHP makes of an empty one. Raise UnexpectedAnswer for others."""
    return {} if answer is None or answer == [] else answers.object_in(answer, "answer")


def text(value: Any, language: str = "") -> str:
    """Return a text, one of its translations, or a number, true or false as text; "" for anything else."""
    if isinstance(value, dict):
        value = value.get(language) or value.get("en") or next(iter(value.values()), "")
    return str(value).lower() if isinstance(value, bool) else answers.text(value)


def number(value: Any) -> Decimal:
    """Return a number, written as one or as text; 0 for anything else."""
    return answers.number(value) or Decimal(0)


def whole(value: Any) -> int:
    """Return whole points, rounded down."""
    return int(number(value).to_integral_value("ROUND_FLOOR"))


def moment(value: Any) -> datetime | None:
    """Return Unix seconds, a date, or an ISO time (with the workspace's offset) as aware UTC."""
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        return answers.moment(value)
    try:
        return datetime.fromtimestamp(float(value), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def properties(value: Any) -> dict[str, str]:
    """Return an event's properties by name, whether they come as a list of {name, value} or an object."""
    if isinstance(value, dict):
        return {name: text(item) for name, item in value.items()}
    return {text(row.get("name")): text(row.get("value")) for row in rows(value)}
