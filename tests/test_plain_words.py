"""Words that CONTRIBUTING's plain English leaves out do not stand in code, documents or templates."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("docs", "loyaltyview", "providers", "samples", "static", "templates", "tests")
SUFFIXES = {".css", ".html", ".js", ".lua", ".md", ".py", ".toml", ".txt"}
# Migrations are never edited; vendored files and captured answers have other authors.
SKIPPED = {"migrations", "vendor", "fixtures", "__pycache__", "node_modules"}

# Each with the plain word. A word between underscores, as in a test's name, counts too.
WORDS = {
    "she|her|hers|herself|he|him|his|himself": "the member, the associate, or they",
    "lapse|lapses|lapsed|lapsing": "expire",
    "whoever|whomever": "name the person or the system",
    "nobody's|somebody's|everybody's": "name the owner",
    "dear": "costly",
    "heard|unheard|heard of": "received, answered, known",
    "heed|heeds|heeded": "follow",
    "hitherto": "so far",
    "lest": "so that ... not",
    "hence|thereby|thereof|wherein": "so",
    "amiss": "wrong",
    "in hand": "current",
    "ere|nay|naught|nought": "say it in a modern word",
}
FORBIDDEN = re.compile(rf"(?<![A-Za-z])({'|'.join(WORDS)})(?![A-Za-z'])", re.IGNORECASE)

# Files that may contain a word, with the reason.
EXCEPTIONS = {
    "tests/test_plain_words.py": "the list itself",
}


def files() -> Iterator[Path]:
    """Yield every text file that people read."""
    yield from ROOT.glob("*.md")
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in SUFFIXES and not SKIPPED & set(path.relative_to(ROOT).parts):
                yield path


def forbidden_in(text: str) -> Iterator[tuple[int, str]]:
    """Yield each forbidden word of `text` with its line."""
    for number, line in enumerate(text.splitlines(), start=1):
        for found in FORBIDDEN.finditer(line):
            yield number, found[1]


def test_no_file_contains_a_forbidden_word() -> None:
    found = [
        f"{name}:{number}: {word}"
        for path in files()
        if (name := path.relative_to(ROOT).as_posix()) not in EXCEPTIONS
        for number, word in forbidden_in(path.read_text(encoding="utf-8"))
    ]
    assert not found, "say it in plain words (see WORDS):\n" + "\n".join(found)


def test_every_exception_is_needed() -> None:
    assert [name for name in EXCEPTIONS if not any(forbidden_in((ROOT / name).read_text()))] == []


@pytest.mark.parametrize("text", ["points lapse", "Whoever", "test_the_end_of_her_points", "the row in hand"])
def test_a_forbidden_word_is_found(text: str) -> None:
    assert [number for number, _ in forbidden_in(text)] == [1]


@pytest.mark.parametrize("text", ["other", "there", "collapse", "when the", "Fisher", "dearth", "for every"])
def test_other_words_are_allowed(text: str) -> None:
    assert list(forbidden_in(text)) == []
