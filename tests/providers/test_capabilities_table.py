"""The table in providers/README.md says what the adapters can do, no more and no less."""

from pathlib import Path

import providers
from providers.base import Capability
from providers.registry import PROVIDERS, provider_class

README = Path(providers.__file__).parent / "README.md"


def table() -> dict[str, dict[str, str]]:
    """Return the cells of the table, by capability and provider kind."""
    rows = [
        [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        for line in README.read_text(encoding="utf-8").splitlines()
        if line.startswith(("| `", "| capability"))
    ]
    head, *body = rows
    return {row[0]: dict(zip(head[2:], row[2:], strict=True)) for row in body}


def test_the_table_names_every_capability_and_every_provider() -> None:
    assert list(table()) == [capability.name for capability in Capability]
    assert all(set(cells) == set(PROVIDERS) for cells in table().values())


def test_the_table_says_what_the_code_says() -> None:
    for name, cells in table().items():
        for kind, cell in cells.items():
            can = Capability[name] in provider_class(kind).capabilities
            assert cell == ("yes" if can else "-"), f"{kind} {name}"
