"""Finding Chromium and PostgreSQL on the machine of the tests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.setup import chromium, needs, postgres, webkit

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with nothing installed and no right to install; returns the only folder of its PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(chromium, "MAC_APPS", ())
    monkeypatch.setattr(webkit, "find_webkit", lambda: True)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return tmp_path


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_an_installed_chromium_is_found(bare: Path, name: str) -> None:
    assert chromium.find_chromium() is None

    program(bare / name)

    assert chromium.find_chromium() == str(bare / name)


def test_the_one_that_playwright_installed_is_found(bare: Path) -> None:
    path = program(bare / ".cache/ms-playwright/chromium-1234/chrome-linux/chrome")

    assert chromium.find_chromium() == str(path)


def test_the_one_in_the_environment_is_used_and_a_wrong_path_is_none(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(bare / "chromium")
    monkeypatch.setenv("CHROMIUM", str(program(bare / "mine")))
    assert chromium.find_chromium() == str(bare / "mine")

    monkeypatch.setenv("CHROMIUM", str(bare / "absent"))
    assert chromium.find_chromium() is None


@pytest.fixture
def nothing_can_be_installed(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A minimal Debian for an ordinary user: not even Playwright's node program starts."""
    monkeypatch.setattr(postgres, "find_server_programs", lambda: None)
    monkeypatch.setattr(sys, "executable", str(program(bare / "python")))
    (bare / "python").write_text("#!/bin/sh\nexit 127\n")


def test_missing_programs_are_named_with_the_command_that_installs_them(
    nothing_can_be_installed: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert needs.main() == 1

    told = capsys.readouterr().err
    assert "apt-get install --yes --no-install-recommends chromium libatomic1 postgresql\n" in told
    assert "libatomic for Playwright's driver" in told


def test_a_machine_without_the_drivers_library_runs_no_test(
    nothing_can_be_installed: None,
    bare: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    program(bare / "chromium")
    monkeypatch.setattr(postgres, "find_server_programs", lambda: bare)

    assert needs.main() == 1

    assert "--no-install-recommends libatomic1\n" in capsys.readouterr().err


def test_without_webkit_its_stories_alone_are_left_out(
    bare: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program(bare / "chromium")
    monkeypatch.setattr(postgres, "find_server_programs", lambda: bare)
    monkeypatch.setattr(webkit, "find_webkit", lambda: False)

    assert needs.main() == 0

    told = capsys.readouterr().err
    assert "--no-install-recommends gir1.2-webkit2-4.1 python3-gi python3-gi-cairo xauth xvfb\n" in told
    assert "Without WebKitGTK its stories are left out." in told


@pytest.mark.parametrize(("required", "code"), [("", 0), ("1", 1)])
def test_missing_postgresql_is_reported_before_any_test_runs(
    bare: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    required: str,
    code: int,
) -> None:
    program(bare / "chromium")
    monkeypatch.setattr(postgres, "find_server_programs", lambda: None)
    monkeypatch.setenv("REQUIRE_POSTGRES", required)

    assert needs.main() == code

    told = capsys.readouterr().err
    assert "--no-install-recommends postgresql\n" in told
    assert ("ITS TESTS WERE LEFT OUT" in told) == (code == 0)


@pytest.mark.parametrize(("required", "code"), [("", 0), ("1", 1)])
def test_missing_postgresql_is_reported_and_fails_only_where_it_is_required(
    bare: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    required: str,
    code: int,
) -> None:
    monkeypatch.setattr(postgres, "find_server_programs", lambda: None)
    monkeypatch.setattr(sys, "argv", ["postgres", "--", "pytest"])
    monkeypatch.setenv("REQUIRE_POSTGRES", required)

    assert postgres.main() == code

    assert "ITS TESTS WERE LEFT OUT" in capsys.readouterr().err


def test_a_command_gets_a_server_of_its_own_and_its_exit_code_counts() -> None:
    if postgres.find_server_programs() is None:
        pytest.skip("no PostgreSQL server on this machine")
    ask = (
        "import os, psycopg, sys\n"
        "with psycopg.connect(os.environ['DATABASE_URL']) as connection:\n"
        "    print(connection.execute('SHOW max_connections').fetchone()[0])\n"
        "    print(connection.execute('SHOW data_directory').fetchone()[0])\n"
        "sys.exit(7)\n"
    )

    done = subprocess.run(
        [sys.executable, "-m", "tests.setup.postgres", "--", sys.executable, "-c", ask],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 7, done.stderr
    connections, folder = done.stdout.splitlines()[-2:]
    assert int(connections) >= 200
    assert not Path(folder).exists()
