"""Production has no sandbox: it is not installed, cannot be imported, and its folder may be absent."""

import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Libraries of development (pyproject.toml, extra "dev") that the sandbox or the demo imports.
ABSENT = ("werkzeug", "honcho", "segno", "pytest", "tests")
DEPLOYMENT = f"""
import sys
from importlib import import_module
from pathlib import Path

sys.modules.update(dict.fromkeys({ABSENT!r}))
import loyaltyview.wsgi
from django.core.management import call_command, get_commands

call_command("check")
for package in ("loyaltyview", "providers"):
    for path in Path(package).rglob("*.py"):
        if path.name != "gunicorn.py":  # gunicorn's own configuration reads the limits of its process
            import_module(".".join(path.with_suffix("").parts).removesuffix(".__init__"))
print(*sorted({{"sandbox", "demo_admin"}} & set(get_commands())))
"""


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of the tests without SANDBOX."""
    monkeypatch.delenv("SANDBOX")


@pytest.mark.usefixtures("production")
def test_the_sandbox_is_not_installed() -> None:
    installed = runpy.run_path(str(ROOT / "loyaltyview" / "settings.py"))["INSTALLED_APPS"]

    assert "loyaltyview.events" in installed
    assert not [app for app in installed if "sandbox" in app]


@pytest.mark.usefixtures("production")
def test_an_import_is_refused_and_says_why() -> None:
    with pytest.raises(ImportError, match="for development only: set SANDBOX=true"):
        runpy.run_path(str(ROOT / "loyaltyview" / "sandbox" / "__init__.py"))


def test_a_deployment_works_without_the_folder(tmp_path: Path) -> None:
    for name in ("loyaltyview", "providers", "templates", "static"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("sandbox", "__pycache__"))
    environ = {name: value for name, value in os.environ.items() if name not in {"SANDBOX", "PYTHONPATH"}}
    environ |= {"DJANGO_SETTINGS_MODULE": "loyaltyview.settings", "WORK_ENGINE": "rows"}

    done = subprocess.run(
        [sys.executable, "-c", DEPLOYMENT], cwd=tmp_path, env=environ, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "System check identified no issues (0 silenced)."
