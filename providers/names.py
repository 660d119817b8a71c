"""Names that a vendor's documents do not give: field names, event names, words of a status.

A vendor declares what it assumes as one table in its `settings.py`. A program corrects an entry by the
setting that `names_setting` makes of the table (`providers/settings.py`).
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from providers.answers import at, number, text, whole


class Names(Mapping[str, str]):
    """The names in use: a vendor's table with a program's corrections.

    A value with commas is a list: all of its words, or several places, of which the first existing one
    counts. A place with dots lies deeper in the answer.
    """

    __slots__ = ("_table",)

    def __init__(self, table: Mapping[str, str]) -> None:
        self._table = table

    def __getitem__(self, name: str) -> str:
        return self._table[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)

    def all(self, name: str) -> tuple[str, ...]:
        """Return the parts of a value with commas."""
        return tuple(part.strip() for part in self._table[name].split(",") if part.strip())

    def found(self, data: Any, name: str) -> Iterator[Any]:
        """Return every existing value (not null) in a place of `name`."""
        return (value for value in (at(data, place) for place in self.all(name)) if value is not None)

    def find(self, data: Any, name: str) -> Any:
        """Return the first existing value, None without one."""
        return next(self.found(data, name), None)

    def number(self, data: Any, name: str) -> Decimal | None:
        """Return the first number, None without one."""
        numbers = (number(value) for value in self.found(data, name))
        return next((value for value in numbers if value is not None), None)

    def whole(self, data: Any, name: str) -> int | None:
        """Return the first whole number, None without one."""
        numbers = (whole(value) for value in self.found(data, name))
        return next((value for value in numbers if value is not None), None)

    def text(self, data: Any, name: str) -> str:
        """Return the first text, "" without one."""
        return next(filter(None, (text(value) for value in self.found(data, name))), "")

    def payload(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return `values` under the vendor's keys, without those whose name is empty."""
        return {self[name]: value for name, value in values.items() if self[name]}
