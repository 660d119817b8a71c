"""The table of settings in a vendor's README names every setting, its choices, and no other."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from providers.registry import PROVIDERS, package_of, provider_class

ROW = re.compile(r"^\| (`[a-z].+?) \|(.+)\|$", re.MULTILINE)
KINDS = [kind for kind in PROVIDERS if provider_class(kind).setting_specs]


def rows_of(kind: str) -> dict[str, str]:
    """Return the text of the table's row by setting; a row may stand for several."""
    (folder,) = import_module(package_of(kind)).__path__
    readme = (Path(folder) / "README.md").read_text()
    table = readme.partition("| setting | default | what |\n")[2].partition("\n\n")[0]
    return {name: right for left, right in ROW.findall(table) for name in re.findall(r"`(\w+)`", left)}


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_lists_every_setting(kind: str) -> None:
    assert set(rows_of(kind)) == {spec.name for spec in provider_class(kind).setting_specs}


@pytest.mark.parametrize("kind", KINDS)
def test_each_row_lists_every_choice(kind: str) -> None:
    rows = rows_of(kind)
    specs = provider_class(kind).setting_specs
    assert not [
        f"{spec.name}: {choice}"
        for spec in specs
        for choice in spec.choices
        if f"`{choice}`" not in rows[spec.name]
    ]
