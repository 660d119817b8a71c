"""docs/architecture.md 9 is true: modules of events import downwards only, each step of its way exists."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EVENTS = ROOT / "loyaltyview" / "events"
TEXT = (ROOT / "docs" / "architecture.md").read_text()
SECTION = TEXT[TEXT.index("## 9 Events") : TEXT.index("## 10 ")]
LAYERS = [line.split() for line in SECTION.split("```")[1].strip().splitlines()]
LAYER = {module: number for number, layer in enumerate(LAYERS) for module in layer}
STEP = re.compile(r"`((?:events|redemptions)/\w+\.py)` `(\w+)`")


def files() -> dict[Path, str]:
    """Return the files of events, and the name by which the list has each: that of its package or module."""
    found = [path for path in sorted(EVENTS.rglob("*.py")) if path.name != "__init__.py"]
    names = {path: path.relative_to(EVENTS).with_suffix("").parts[0] for path in found}
    return {path: name for path, name in names.items() if name != "migrations"}


def imports(path: Path) -> set[str]:
    """Return the modules of events that the file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "loyaltyview.events":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and f"{node.module}".startswith("loyaltyview.events."):
            found.add(f"{node.module}".split(".")[2])
    return found


def test_each_module_stands_in_one_layer() -> None:
    assert sorted(module for layer in LAYERS for module in layer) == sorted(set(files().values()))


def test_a_module_imports_only_modules_of_lower_layers() -> None:
    wrong = [
        f"{path.name} imports {module}"
        for path, name in files().items()
        for module in imports(path) - {name}
        if LAYER[module] <= LAYER[name]
    ]

    assert not wrong


def test_only_the_app_imports_inside_a_function() -> None:
    inside = {
        path.name
        for path in files()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
        for line in ast.walk(node)
        if isinstance(line, ast.Import | ast.ImportFrom)
    }

    assert inside == {"apps.py"}


def test_each_step_of_the_way_is_a_function() -> None:
    steps = STEP.findall(SECTION)
    lost = [
        (file, name)
        for file, name in steps
        if f"\ndef {name}(" not in (ROOT / "loyaltyview" / file).read_text()
    ]

    assert len(steps) == 9
    assert not lost
