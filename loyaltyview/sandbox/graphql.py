"""The part of GraphQL that the sandbox understands: one query with fields, arguments and literal values.

No fragments, directives, aliases or variables. A text outside of this is refused with the place of the fault.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TOKEN = re.compile(
    r'\s*(?:#[^\n]*\s*)*([_A-Za-z][_0-9A-Za-z]*|-?\d+|"(?:[^"\\\n]|\\.)*"|[{}()\[\]:,]|\Z)', re.DOTALL
)
CONSTANTS: Mapping[str, object] = {"true": True, "false": False, "null": None}


class GraphqlError(Exception):
    """The query is refused; the text is GraphQL's message."""


class Enum(str):
    """A bare name as a value."""

    __slots__ = ()


@dataclass(slots=True, kw_only=True)
class Field:
    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    selection: tuple["Field", ...] = ()


def parse_query(text: str) -> tuple[Field, ...]:
    """Return the fields of the query's root. Raises GraphqlError."""
    parser = _Parser(text)
    if parser.next == "query":
        parser.take()
        if parser.next != "{":
            parser.name()
    selection = parser.selection()
    parser.expect("")
    return selection


class _Parser:
    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self.next = self._read()

    def take(self) -> str:
        taken, self.next = self.next, self._read() if self.next else ""
        return taken

    def expect(self, token: str) -> None:
        if self.next != token:
            raise GraphqlError(f"Syntax Error: Expected {token or '<EOF>'}, found {self.next or '<EOF>'}.")
        self.take()

    def name(self) -> str:
        if not re.match(r"[_A-Za-z]", self.next):
            raise GraphqlError(f"Syntax Error: Expected Name, found {self.next or '<EOF>'}.")
        return self.take()

    def selection(self) -> tuple[Field, ...]:
        self.expect("{")
        fields = []
        while self.next != "}":
            found = Field(name=self.name())
            if self.next == "(":
                found.arguments = self._pairs("(", ")")
            if self.next == "{":
                found.selection = self.selection()
            fields.append(found)
        self.expect("}")
        if not fields:
            raise GraphqlError("Syntax Error: Expected Name, found }.")
        return tuple(fields)

    def _pairs(self, opening: str, closing: str) -> dict[str, Any]:
        self.expect(opening)
        found: dict[str, Any] = {}
        while self.next != closing:
            name = self.name()
            self.expect(":")
            if name in found:
                raise GraphqlError(f'There can be only one argument named "{name}".')
            found[name] = self._value()
            if self.next == ",":
                self.take()
        self.expect(closing)
        return found

    def _value(self) -> Any:
        if self.next == "{":
            return self._pairs("{", "}")
        if self.next == "[":
            self.take()
            values = []
            while self.next != "]":
                values.append(self._value())
                if self.next == ",":
                    self.take()
            self.take()
            return values
        token = self.take()
        if token.startswith('"'):
            return json.loads(token)
        if re.fullmatch(r"-?\d+", token):
            return int(token)
        if not re.match(r"[_A-Za-z]", token):
            raise GraphqlError(f"Syntax Error: Unexpected {token or '<EOF>'}.")
        return CONSTANTS[token] if token in CONSTANTS else Enum(token)

    def _read(self) -> str:
        found = TOKEN.match(self._text, self._at)
        if found is None:
            raise GraphqlError(f"Syntax Error: Unexpected character at {self._at}.")
        self._at = found.end()
        return found[1]
