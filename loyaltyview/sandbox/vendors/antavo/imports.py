"""The module Imports, model Events: reads the CSV files of a folder, and lists refused lines in `errors`.

How a workspace reports refused lines outside of its own pages is not public: the list is assumed. A file that
was imported is renamed, as the cleanup of a scheduled import does.
"""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from loyaltyview.sandbox.vendors.antavo.answers import Refusal
from loyaltyview.sandbox.vendors.antavo.state import Json

COLUMNS = (
    "customer", "action", "account", "transaction_id", "total", "amount", "currency", "store",
    "effective_timestamp", "items",
)  # fmt: skip
NEEDED = ("customer", "action", "transaction_id")
NUMBERS = {"total": float, "amount": float, "effective_timestamp": int}
ACTIONS = ("checkout", "checkout_update", "checkout_reject", "refund", "partial_refund")
IMPORTED = ".imported"


class Imports:
    """`apply` does what one event says. Without a `folder` nothing is imported."""

    def __init__(self, apply: Callable[[object], Json]) -> None:
        self._apply = apply
        self.folder: Path | None = None
        self.lists_refused = True

    def run(self) -> None:
        """Import every file that is there, the oldest name first."""
        if self.folder is None or not self.folder.is_dir():
            return
        for path in sorted(self.folder.glob("*.csv")):
            refused = self._import(path.read_text())
            if refused and self.lists_refused:
                errors = self.folder / "errors"
                errors.mkdir(exist_ok=True)
                (errors / path.name).write_text(refused)
            path.rename(path.with_name(path.name + IMPORTED))

    def _import(self, content: str) -> str:
        """Register the events of a file; return the list of refused lines, "" where there are none."""
        rows = csv.DictReader(io.StringIO(content))
        names = rows.fieldnames or []
        unknown = [name for name in names if name not in COLUMNS]
        missing = [name for name in NEEDED if name not in names]
        refused = []
        for row in rows:
            try:
                if unknown or missing:
                    raise Refusal(0, f"Columns: {', '.join(unknown + missing)}")
                self._apply(_event(row))
            except (Refusal, ValueError) as error:
                refused.append({**{name: row.get(name) for name in COLUMNS}, "error": str(error)})
        if not refused:
            return ""
        file = io.StringIO()
        listed = csv.DictWriter(file, [*COLUMNS, "error"], lineterminator="\n")
        listed.writeheader()
        listed.writerows(refused)
        return file.getvalue()


def _event(row: dict[str, str]) -> Json:
    if None in row or row["action"] not in ACTIONS:
        raise Refusal(0, f"Invalid action: {row.get('action')}")
    data: dict[str, Any] = {
        name: NUMBERS[name](value) if name in NUMBERS else value
        for name, value in row.items()
        if value and name not in ("customer", "action", "account", "items")
    }
    if row.get("items"):
        data["items"] = json.loads(row["items"])
    account = {"account": row["account"]} if row.get("account") else {}
    return {"customer": row["customer"], "action": row["action"], **account, "data": data}
