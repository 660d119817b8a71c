"""A program whose purchases go by daily files, and its folder."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine

from providers.antavo.provider import AntavoProvider
from providers.journal.models import Write
from tests.providers.antavo.conftest import Connect, Served

SOLD_AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LINES = ["customer", "action", "account", "transaction_id", "total", "amount", "currency", "store"]


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.FEED_FOLDER = str(tmp_path)
    return tmp_path / "acme"


@pytest.fixture
def provider(connect: Connect, folder: Path, vendor: Served) -> AntavoProvider:
    vendor.imports.folder = folder
    return connect(orders="feed")


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(datetime.now(UTC).replace(hour=12), tick=False) as clock:
        yield clock


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def lines_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text())))


def state(key: str) -> str:
    return Write.objects.get(key=key).state
