"""README's table lists every setting the code reads, with its true default, and no other."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
READERS = [ROOT / "loyaltyview" / "settings.py", ROOT / "loyaltyview" / "gunicorn.py"]
ROW = re.compile(r"^\| `([A-Z][A-Z0-9_]+)` \| (.+?) \| (.+) \|$", re.MULTILINE)


def settings_section() -> str:
    readme = (ROOT / "README.md").read_text()
    return readme.partition("\n## Settings\n")[2].partition("\n## ")[0]


def documented() -> dict[str, str]:
    """Return the default of each variable in README."""
    return {name: default for name, default, _ in ROW.findall(settings_section())}


def read_by_code() -> dict[str, str | None]:
    """Return each variable and its default as README writes it; None where the code computes it."""
    found: dict[str, str | None] = {}
    for path in READERS:
        for node in ast.walk(ast.parse(path.read_text())) if path.exists() else ():
            if isinstance(node, ast.Call) and node.args and is_reader(node.func):
                name, default = ast.literal_eval(node.args[0]), written(node)
                if default != "required" or name not in found:  # another read after the one with the default
                    found[name] = default
    return found


def is_reader(function: ast.expr) -> bool:
    """True for env.str, env.int, ..., os.environ.get and os.getenv."""
    if not isinstance(function, ast.Attribute):
        return False
    owner = ast.unparse(function.value)
    return (owner == "env" and function.attr != "read_env") or f"{owner}.{function.attr}" in (
        "os.environ.get",
        "os.getenv",
    )


def written(call: ast.Call) -> str | None:
    given = [keyword.value for keyword in call.keywords if keyword.arg == "default"] or call.args[1:2]
    if not given:
        return "required"
    try:
        value = ast.literal_eval(given[0])
    except ValueError:
        return None
    if isinstance(value, bool):
        value = str(value).lower()
    if isinstance(value, list):
        value = ",".join(value)
    return f"`{value}`" if value != "" else "empty"


def test_the_readme_lists_every_setting_and_no_other() -> None:
    code, readme = read_by_code(), documented()
    assert len(code) > 20
    assert sorted(readme) == sorted(code)


def test_the_readme_shows_true_defaults() -> None:
    code, readme = read_by_code(), documented()
    told = {name: readme[name] for name, default in code.items() if default is not None}
    assert told == {name: default for name, default in code.items() if default is not None}


def test_no_setting_is_listed_twice() -> None:
    names = [name for name, _, _ in ROW.findall(settings_section())]
    assert len(names) == len(set(names))
