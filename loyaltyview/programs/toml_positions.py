"""Finds the line of a key in a TOML file. Python's parser gives no lines, but it can parse the file's first n
lines. The smallest n that defines the key ends the key's statement."""

import tomllib
from typing import Any


def line_of(text: str, path: tuple[str, ...]) -> int | None:
    """Return the line (from 1) of the key `path`. For a missing key it is the line of its table, or None
    without the table. `text` is valid TOML."""
    lines = text.split("\n")
    while path and not _defines(tomllib.loads(text), path):
        path = path[:-1]
    if not path:
        return None
    low, high = 1, len(lines)
    while low < high:
        middle = (low + high) // 2
        if _defines(_complete(lines, middle)[1], path):
            high = middle
        else:
            low = middle + 1
    before, _ = _complete(lines, low - 1)
    for number in range(before + 1, low):
        if lines[number - 1].strip() and not lines[number - 1].lstrip().startswith("#"):
            return number
    return low


def _complete(lines: list[str], count: int) -> tuple[int, dict[str, Any]]:
    """Return the largest number of lines up to `count` that is complete by itself, and what it defines."""
    for number in range(count, 0, -1):
        try:
            return number, tomllib.loads("\n".join(lines[:number]))
        except tomllib.TOMLDecodeError:
            continue  # in the middle of a text or list of several lines
    return 0, {}


def _defines(table: Any, path: tuple[str, ...]) -> bool:
    for name in path:
        if not isinstance(table, dict) or name not in table:
            return False
        table = table[name]
    return True
