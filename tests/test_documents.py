"""What a newcomer reads: every decision is in the index, links lead to files, the licence has its name."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from tests.load.capacity import with_tables

ROOT = Path(__file__).resolve().parent.parent
DECISIONS = ROOT / "docs" / "decisions"
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "providers" / "README.md",
]
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")
LISTED = re.compile(r"^- \[(\d{4})\]\((\1-[a-z0-9-]+\.md)\): (.+)$", re.MULTILINE)


def test_every_decision_is_listed_by_its_number_and_title() -> None:
    listed = [
        (number, name, title) for number, name, title in LISTED.findall((DECISIONS / "README.md").read_text())
    ]
    records = [
        (path.name[:4], path.name, path.read_text().splitlines()[0].removeprefix(f"# {path.name[:4]}: "))
        for path in sorted(DECISIONS.glob("0*.md"))
    ]

    assert listed == records


def test_no_two_decisions_have_one_number() -> None:
    numbers = [path.name[:4] for path in DECISIONS.glob("0*.md")]

    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_link_to_a_file_leads_to_one(page: Path) -> None:
    dead = [target for target in LINK.findall(page.read_text()) if not (page.parent / target).exists()]

    assert not dead


def test_the_project_names_its_licence() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert (project["license"], project["license-files"]) == ("BSD-3-Clause", ["LICENSE"])
    assert (ROOT / "LICENSE").read_text().startswith("BSD 3-Clause License")


def test_the_newest_changes_stand_first_in_the_changelog() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert headings[0] == "[Unreleased]"


def test_the_table_of_changes_names_files_that_exist() -> None:
    section = (ROOT / "docs" / "architecture.md").read_text().partition("\n## 13 ")[2].partition("\n## ")[0]
    named = re.findall(r"`((?:loyaltyview|providers|templates|docs)/[^`*<]*)`", section)

    assert named
    assert not [path for path in named if not (ROOT / path).exists()]


def test_the_capacity_tables_are_those_of_the_measured_figures() -> None:
    figures = json.loads((ROOT / "tests" / "load" / "capacity.json").read_text())
    document = (ROOT / "docs" / "capacity.md").read_text()

    assert with_tables(document, figures) == document
    assert all(vendor in document for vendor in figures["calls"])
