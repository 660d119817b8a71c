"""In which language a page is."""

from pathlib import Path

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from loyaltyview.programs.models import Program
from loyaltyview.webview.languages import language_of, offered_by


@pytest.fixture(autouse=True)
def _catalogues(settings: Settings, tmp_path: Path) -> None:
    """French and simplified Chinese have texts."""
    settings.LOCALE_PATHS = [tmp_path]
    for name in ("fr", "zh_Hans"):
        (tmp_path / name / "LC_MESSAGES").mkdir(parents=True)
        (tmp_path / name / "LC_MESSAGES" / "django.mo").touch()


@pytest.mark.parametrize(
    ("device", "language"),
    [
        ("fr", "fr"),
        ("fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        ("zh-CN", "zh-hans"),
        ("zh-Hans-CN", "zh-hans"),
        ("zh-TW, en;q=0.5", "en"),
        ("de-DE, fr;q=0.5", "fr"),  # German is listed, but has no texts
        ("ja", "en"),
        ("", "en"),
        ("*", "en"),
        ("<script>, ;;q=x", "en"),
    ],
)
def test_the_devices_language_decides_within_those_of_the_program(device: str, language: str) -> None:
    program = Program(languages=["en", "de", "fr", "zh-hans"])
    request = RequestFactory().get("/", headers={"accept-language": device})
    assert language_of(request, program) == language


def test_a_region_of_a_language_has_its_texts() -> None:
    assert offered_by(Program(languages=["fr-CA", "en-GB"])) == ["fr-ca", "en-gb"]


def test_a_program_without_a_language_that_has_texts_speaks_english() -> None:
    assert offered_by(Program(languages=["de", "ja"])) == offered_by(Program(languages=[])) == ["en"]
