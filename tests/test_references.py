"""Code, tests and documents refer to documents by path and number of a heading; each reference must resolve.

The form is `docs/contracts/newstore.md 6.1`, with "," and "to" between several numbers; for decisions the
number is enough (`docs/decisions/0003`, "decision 0003").
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("loyaltyview", "providers", "tests", "templates", "static", "samples", "docs")
CONTRACTS = ("newstore", "yotpo", "antavo", "pongo", "whitelabel")
SUFFIXES = {".py", ".md", ".html", ".txt", ".toml", ".css", ".js", ".svg", ".yml", ".yaml"}
# Licences of third parties have sections, too.
NOT_OURS = (ROOT / "static" / "vendor", ROOT / "tests" / "setup" / "fonts")

NUMBER = r"\d+(?:\.\d+)?"
REFERENCE = re.compile(rf"\b(docs/[\w/-]+\.md)(?:`?,? ({NUMBER}(?:(?:, and |, | and | to ){NUMBER})*))?")
DECISION = re.compile(r"\bdecisions?[ /](\d{4})\b")
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
HEADING = re.compile(rf"^#+ ({NUMBER}) \S", re.MULTILINE)
# Inside a document that has numbers, "section 6.1" is of that document.
OWN = re.compile(rf"(?<!RFC \d{{4}} )\bsections? ({NUMBER}(?:(?:, and |, | and | to ){NUMBER})*)")
DOCUMENTS = ("docs/architecture.md", *(f"docs/contracts/{name}.md" for name in CONTRACTS))
NUMBERED = ("docs/architecture.md", "docs/contracts/")
# A number without its document. Other standards are named before the number: "RFC 9110 section 7".
BARE = re.compile(
    r"(?<!RFC \d{4} )(?<!RFC \d{4}, )\bsections? \d"
    rf"|\b(?:contract|design),? {NUMBER}(?!\d|-)"
    r"|(?<!docs/)(?<![\w./-])contracts/\w+\.md",
    re.IGNORECASE,
)


@cache
def texts() -> tuple[tuple[str, str], ...]:
    """Return the path and the text of each of our files but this one, with wrapped lines joined."""
    inside = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*"))]
    ours = [
        path
        for path in (*sorted(ROOT.iterdir()), *inside)
        if path.suffix in SUFFIXES and not any(other in path.parents for other in NOT_OURS)
    ]
    return tuple(
        (path.relative_to(ROOT).as_posix(), joined(path.read_text()))
        for path in ours
        if path.is_file() and path != Path(__file__).resolve()
    )


def joined(text: str) -> str:
    return re.sub(r"(?<=\S)\n[ \t]*(?:# )?(?=[\w`(])", " ", text)


@cache
def headings(document: str) -> frozenset[str]:
    """Return the numbers of the headings of a document."""
    return frozenset(HEADING.findall((ROOT / document).read_text()))


def lost_references(text: str) -> Iterator[str]:
    """Yield each reference in `text` that leads nowhere."""
    for document, numbers in REFERENCE.findall(text):
        if not (ROOT / document).is_file():
            yield document
            continue
        lost = set(re.findall(NUMBER, numbers)) - headings(document)
        yield from (f"{document} {number}" for number in sorted(lost))
    for number in DECISION.findall(text):
        if not list((ROOT / "docs" / "decisions").glob(f"{number}-*.md")):
            yield f"docs/decisions/{number}"


def test_every_reference_leads_to_a_heading() -> None:
    assert not [f"{path}: {lost}" for path, text in texts() for lost in lost_references(text)]


def test_no_reference_leaves_its_document_out() -> None:
    bare = [
        f"{path}: {text[max(0, found.start() - 30) : found.end() + 20]}"
        for path, text in texts()
        if not path.startswith(NUMBERED)
        for found in BARE.finditer(text)
    ]

    assert not bare


def test_a_document_refers_to_its_own_headings() -> None:
    lost = [
        f"{path} {number}"
        for path, text in texts()
        if path.startswith(NUMBERED)
        for numbers in OWN.findall(text)
        for number in re.findall(NUMBER, numbers)
        if number not in headings(path)
    ]

    assert not lost


def test_links_between_documents_lead_to_files() -> None:
    pages = [path for path in (*ROOT.glob("*.md"), *ROOT.glob("[dps]*/**/*.md")) if path.is_file()]
    lost = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in pages
        if not any(other in page.parents for other in NOT_OURS)
        for link in LINK.findall(page.read_text())
        if not (page.parent / link).exists()
    ]

    assert pages
    assert not lost


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_number_belongs_to_one_heading(document: str) -> None:
    numbers = HEADING.findall((ROOT / document).read_text())

    assert numbers
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize(
    "text",
    [
        "docs/contracts/nobody.md 1",
        "Source: docs/contracts/newstore.md 99.",
        "docs/contracts/newstore.md 1, 2 and 99",
        "docs/contracts/yotpo.md 4 to 99",
        "`docs/architecture.md` 99",
        joined("# (docs/architecture.md\n    # 99)"),
        "docs/decisions/9999",
        "(decision 9999)",
    ],
)
def test_a_reference_that_does_not_resolve_is_found(text: str) -> None:
    assert list(lost_references(text))


@pytest.mark.parametrize(
    "text",
    [
        "contract 2.7",
        "contract, section 10",
        "(section 7)",
        "contract sections 6.1 to 6.3",
        "design section 5",
        "contracts/newstore.md 6.2",
        "Contract 4",
    ],
)
def test_a_reference_without_its_document_is_found(text: str) -> None:
    assert BARE.search(text)


@pytest.mark.parametrize(
    "text",
    [
        "RFC 9110 section 7.6.1",
        "docs/contracts/newstore.md 6.2",
        "[contracts](contracts/)",
        "a contract of 2026",
    ],
)
def test_other_texts_are_no_reference_without_its_document(text: str) -> None:
    assert not BARE.search(text)
