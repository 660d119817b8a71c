"""Wrong settings of the work engine stop the start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_django import Settings

from loyaltyview.checks import check_engine

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("work_engine", "database", "expected"),
    [
        ("rows", "sqlite3", []),
        ("rows", "postgresql", []),
        ("procrastinate", "postgresql", []),
        ("procrastinate", "sqlite3", ["loyaltyview.E005"]),
    ],
)
def test_procrastinate_needs_postgresql(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    work_engine: str,
    database: str,
    expected: list[str],
) -> None:
    settings.WORK_ENGINE = work_engine
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", f"django.db.backends.{database}")
    assert [message.id for message in check_engine()] == expected


@pytest.mark.parametrize(
    ("work_engine", "refusal"), [("celery", "celery"), ("procrastinate", "loyaltyview.E005")]
)
def test_a_worker_with_a_wrong_engine_does_not_start(work_engine: str, refusal: str, tmp_path: Path) -> None:
    environ = os.environ | {
        "DJANGO_SETTINGS_MODULE": "loyaltyview.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "WORK_ENGINE": work_engine,
    }
    worker = [sys.executable, "manage.py", "worker"]
    done = subprocess.run(worker, cwd=ROOT, env=environ, capture_output=True, text=True)
    assert done.returncode != 0
    assert refusal in done.stderr
