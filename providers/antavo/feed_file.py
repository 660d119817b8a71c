"""The lines of a file for Antavo's import of events, and of a list of refused lines.

The import takes CSV or JSON. The template of the columns is in the workspace and not public, so their names
are assumed (docs/contracts/antavo.md 3.9).
"""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from providers.antavo.client import Client
from providers.antavo.settings import DELIMITERS
from providers.errors import UnexpectedAnswer
from providers.journal.models import Write, WriteKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A line that Antavo refused. `action` is "" where the list does not say it."""

    transaction_id: str
    action: str
    reason: str


def event_of(write: Write) -> tuple[str, dict[str, Any]]:
    """Return the action and the data of a sale, a return or a cancelled order."""
    if write.kind == WriteKind.SALE:
        return "checkout", write.detail
    return write.detail["action"], write.detail["data"]


def transaction_of(write: Write) -> str:
    """Return the transaction id of a sale, a return or a cancelled order."""
    return write.key if write.kind == WriteKind.SALE else str(write.detail["checkout"])


def render(client: Client, writes: Sequence[Write]) -> str:
    """Return the content of a file with these writes, one event each."""
    bodies = [client.event_body(*_member_first(write)) for write in writes]
    if client.settings.feed_format == "json":
        return "[\n" + ",\n".join(json.dumps(body, ensure_ascii=False) for body in bodies) + "\n]\n"
    columns = [name for name, column in client.settings.feed_columns.items() if column and name != "error"]
    names = client.names
    # What the workspace calls them in an event.
    sources = {
        "store": [names["store"]],
        "amount": [names["refund_amount"]],
        "total": ["total", names["update_total"]],
    }
    file = io.StringIO()
    rows = csv.writer(file, delimiter=DELIMITERS[client.settings.feed_delimiter], lineterminator="\n")
    rows.writerow(client.settings.feed_columns[name] for name in columns)
    for body in bodies:
        values = {**body, **body["data"]}
        rows.writerow(_value(values, sources.get(name, [name])) for name in columns)
    return file.getvalue()


def refusals(client: Client, content: bytes) -> Iterator[Refusal]:
    """Return the lines of a list of refused lines. Raise UnexpectedAnswer where it cannot be read."""
    columns = client.settings.feed_columns
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnexpectedAnswer("refused lines: not UTF-8") from error
    rows = csv.DictReader(io.StringIO(text), delimiter=DELIMITERS[client.settings.feed_delimiter])
    try:
        if not {columns["transaction_id"], columns["error"]} <= set(rows.fieldnames or ()):
            raise UnexpectedAnswer("refused lines: a column is missing")
        for row in rows:
            yield Refusal(
                transaction_id=_cell(row, columns["transaction_id"]),
                action=_cell(row, columns["action"]),
                reason=_cell(row, columns["error"]),
            )
    except csv.Error as error:
        raise UnexpectedAnswer("refused lines: not CSV") from error


def _cell(row: dict[str, str | None], column: str) -> str:
    """Return a value without what is not printable, which a database may not take."""
    return "".join(filter(str.isprintable, row.get(column) or "")).strip()


def _member_first(write: Write) -> tuple[str, str, dict[str, Any]]:
    action, data = event_of(write)
    return action, write.member_ref, data


def _value(values: dict[str, Any], names: list[str]) -> str:
    value = next((values[name] for name in names if values.get(name) is not None), "")
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
