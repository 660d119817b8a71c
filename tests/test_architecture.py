"""The layout of the tree (docs/architecture.md 3): imports between apps, names of vendors, length of
files."""

import ast
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from providers.registry import PROVIDERS

ROOT = Path(__file__).resolve().parent.parent
VENDORS = tuple(PROVIDERS)
LONGEST_FUNCTION = 60
LONGEST = {"loyaltyview": 400, "providers": 400, "tests": 600}

# What each app may import besides itself, Django and libraries.
ALLOWED = {
    "ops": {"checks"},
    "work": {"ops"},
    "brand": {"providers"},
    "programs": {"brand", "ops", "work", "providers"},
    "newstore": {"programs", "work", "ops"},
    "redemptions": {"newstore", "programs", "work", "ops", "providers"},
    "webview": {"brand", "redemptions", "newstore", "programs", "work", "ops", "providers"},
    "events": {"redemptions", "newstore", "programs", "work", "ops", "providers"},
    "sandbox": set(),
}
# Packages of `providers` that do not belong to a vendor.
COMMON = {"outbound", "journal"}
# Parts of `providers` that are independent of any vendor, so that NewStore's client may use them too
# (decision 0028).
SHARED = {"newstore": ("providers.outbound.", "providers.retention.", "providers.texts.")}


def modules(package: str) -> list[Path]:
    return sorted(path for path in (ROOT / package).rglob("*.py") if "migrations" not in path.parts)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def imports_of(path: Path) -> tuple[str, ...]:
    """Return the dotted names of everything `path` imports, wherever in the file. Imports for type checkers
    are left out."""
    return tuple(_imports_of(path))


def _imports_of(path: Path) -> Iterator[str]:
    for_checkers = {
        id(node)
        for block in ast.walk(tree_of(path))
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for statement in block.body
        for node in ast.walk(statement)
    }
    for node in ast.walk(tree_of(path)):
        if id(node) in for_checkers:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level or (ROOT / "tests") in path.parents, f"{path}: relative import"
            package = path.relative_to(ROOT).parts[: -node.level] if node.level else ()
            source = ".".join([*package, *([node.module] if node.module else [])])
            yield from (f"{source}.{alias.name}" for alias in node.names)


def ours(name: str) -> str | None:
    """Return the app of LoyaltyView (or "providers") that an imported name belongs to."""
    first, _, rest = name.partition(".")
    if first == "providers":
        return "providers"
    return rest.partition(".")[0] if first == "loyaltyview" else None


@pytest.mark.parametrize("app", ALLOWED)
def test_an_app_imports_only_what_lies_below_it(app: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(f"loyaltyview/{app}")
        for name in imports_of(path)
        if ours(name) not in {None, app, *ALLOWED[app]} and not name.startswith(SHARED.get(app, ()))
    ]

    assert not wrong


def test_apps_do_not_import_each_other_in_a_circle() -> None:
    assert not circle_in(ALLOWED)


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    paths = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for package in LONGEST
        for path in modules(package)
    }
    imported = {
        module: {found for name in imports_of(path) if (found := module_of(name, paths))} - {module}
        for module, path in paths.items()
    }

    assert any(imported.values())
    assert not circle_in(imported)


def module_of(name: str, modules: Container[str]) -> str:
    """Return the module that an imported name belongs to, "" for another's."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name


def circle_in(imported: Mapping[str, Iterable[str]]) -> list[str]:
    """Return one circle of modules that import each other, [] where there is none."""
    try:
        TopologicalSorter(imported).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_a_circle_of_imports_is_found() -> None:
    assert circle_in({"ops": ["work"], "work": ["events", "ops"]}) == ["ops", "work", "ops"]


def test_all_calls_to_other_systems_go_through_the_checked_sessions() -> None:
    libraries = {
        "urllib.request",
        "http.client",
        "httpx",
        "urllib3.PoolManager",
        "requests.get",
        "requests.post",
    }
    libraries |= {
        "requests.request",
        "requests.Session",
        "urllib3.request",
        "aiohttp",
        "socket.create_connection",
    }
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in [*modules("loyaltyview"), *modules("providers")]
        if "sandbox" not in path.parts and path != ROOT / "providers" / "outbound" / "transport.py"
        for name in [*imports_of(path), *_dotted_names(path)]
        if any(name == library or name.startswith(library + ".") for library in libraries)
    ]

    assert not wrong


def _dotted_names(path: Path) -> Iterator[str]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"


def test_every_app_has_its_rule() -> None:
    apps = {path.parent.name for path in (ROOT / "loyaltyview").glob("*/apps.py")}

    assert apps == set(ALLOWED)


def test_providers_import_nothing_of_loyaltyview() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules("providers")
        for name in imports_of(path)
        if name.partition(".")[0] == "loyaltyview"
    ]

    assert not wrong


def test_no_vendor_imports_another_and_the_shared_part_imports_none() -> None:
    packages = {path.parent.name for path in (ROOT / "providers").glob("*/__init__.py")} - COMMON
    wrong = []
    for path in modules("providers"):
        own = path.relative_to(ROOT / "providers").parts[0]
        for name in imports_of(path):
            first, _, rest = name.partition(".")
            vendor = rest.partition(".")[0]
            if first == "providers" and vendor in packages and vendor != own:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")

    assert not wrong


def test_vendors_leave_transactions_leases_and_retries_to_the_journal() -> None:
    """The house program is its own vendor: its ledger needs transactions."""
    words = re.compile(r"\batomic\b|select_for_update|IntegrityError|\bleases?\b|\bretr(?:y|ies)\b|\bF\(")
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for vendor in set(PROVIDERS) - {"house"}
        for path in modules(f"providers/{vendor}")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if words.search(line)
    ]

    assert not wrong


def test_only_tests_import_tests() -> None:
    wrong = [
        str(path)
        for path in [*modules("loyaltyview"), *modules("providers")]
        for name in imports_of(path)
        if name.partition(".")[0] == "tests"
    ]

    assert not wrong


def names_and_texts_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield every identifier and every text constant of `path` but docstrings, with its line."""
    tree = tree_of(path)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value
        elif isinstance(node, ast.Name):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute):
            yield node.lineno, node.attr
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            yield node.lineno, ".".join([getattr(node, "module", None) or "", *names])


def test_only_the_registry_names_vendors() -> None:
    vendor = re.compile(rf"(?<![A-Za-z])({'|'.join(VENDORS)})(?![A-Za-z])", re.IGNORECASE)
    # The default of a new program; the sandbox has the vendors' side, too.
    exempt = ROOT / "loyaltyview" / "programs" / "models.py"
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in modules("loyaltyview")
        if path != exempt and (ROOT / "loyaltyview" / "sandbox") not in path.parents
        for line, text in names_and_texts_of(path)
        if vendor.search(text)
    ]

    assert not wrong


def test_the_default_provider_is_the_only_vendor_that_programs_know() -> None:
    named = [
        text
        for _line, text in names_and_texts_of(ROOT / "loyaltyview" / "programs" / "models.py")
        if text in VENDORS
    ]

    assert named == ["house"]


@pytest.mark.parametrize("package", LONGEST)
def test_no_file_is_too_long(package: str) -> None:
    lengths = {path.relative_to(ROOT): len(path.read_text().splitlines()) for path in modules(package)}

    assert not {path: length for path, length in lengths.items() if length > LONGEST[package]}


def test_no_function_is_longer_than_a_screen() -> None:
    longer = {
        f"{path.relative_to(ROOT).as_posix()}:{node.name}"
        for package in ("loyaltyview", "providers")
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if node.end_lineno is not None and node.end_lineno - node.lineno >= LONGEST_FUNCTION
    }

    assert not longer


def test_data_migrations_write_to_the_requested_database() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for package in ("loyaltyview", "providers")
        for path in sorted((ROOT / package).rglob("migrations/*.py"))
        if "RunPython" in (text := path.read_text())
        and ".objects" in text
        and "schema_editor.connection.alias" not in text
    ]

    assert not wrong
