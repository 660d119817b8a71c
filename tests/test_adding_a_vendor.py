"""The guide for a vendor's author shows the real example: every block of code is in its file."""

import re
from pathlib import Path
from textwrap import dedent

from tests.providers.stampcard.faults import FAULTS

ROOT = Path(__file__).resolve().parent.parent
GUIDE = ROOT / "docs" / "adding-a-vendor.md"
BLOCK = re.compile(r'^```python title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)


def test_every_block_of_code_is_taken_from_the_example() -> None:
    guide = GUIDE.read_text()
    blocks = BLOCK.findall(guide)

    assert len(blocks) == guide.count("```python"), "a block without its file"
    lost = [
        f"{path}: {piece.splitlines()[0]}"
        for path, code in blocks
        for piece in code.split("...\n")
        if dedent(piece) not in dedent((ROOT / path).read_text()) and piece not in (ROOT / path).read_text()
    ]
    assert not lost


def test_every_planted_fault_is_named() -> None:
    section = GUIDE.read_text().partition("## 12 Errors to avoid")[2].partition("\n## ")[0]

    assert set(re.findall(r"`([A-Z]\w+)`", section)) - {"Spend"} == {each.adapter.__name__ for each in FAULTS}
