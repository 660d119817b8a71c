"""Wrong settings are reported at the start, each with its id, and never with a secret in the text."""

from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.checks import CheckMessage, run_checks
from pytest_django import Settings


def found(deploy: bool = False) -> list[CheckMessage]:
    messages = run_checks(include_deployment_checks=deploy)
    return [message for message in messages if str(message.id).startswith("loyaltyview.")]


def ids(deploy: bool = False) -> list[str | None]:
    return [message.id for message in found(deploy)]


def test_the_settings_of_the_tests_are_fine() -> None:
    assert ids() == []


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("CREDENTIAL_KEYS", [], "loyaltyview.E001"),
        ("CREDENTIAL_KEYS", ["short"], "loyaltyview.E001"),
        ("FRAME_ANCESTORS", [], "loyaltyview.E003"),
        ("FRAME_ANCESTORS", ["none"], "loyaltyview.E003"),
        ("FRAME_ANCESTORS", ["'nobody'"], "loyaltyview.E003"),
        ("FRAME_ANCESTORS", ["https://acme.test; script-src *"], "loyaltyview.E003"),
        ("FRAME_ANCESTORS", ["https://acme.test/path"], "loyaltyview.E003"),
        ("FRAME_ANCESTORS", ["'none'", "https://acme.test"], "loyaltyview.E003"),
        ("FRAME_ANCESTORS", ["'self'", "https://*.acme.test:8443", "http://127.0.0.1:8100"], None),
        ("WEB_THREADS", 0, "loyaltyview.E004"),
        ("PAGE_DEADLINE_S", -1.0, "loyaltyview.E004"),
        ("WORK_LEASE_S", 0, "loyaltyview.E004"),
        ("WORK_LEASE_S", 10, "loyaltyview.E007"),
        ("SECRET_KEY", "x", "loyaltyview.E006"),
    ],
)
def test_a_setting_is_checked(settings: Settings, setting: str, value: Any, expected: str | None) -> None:
    setattr(settings, setting, value)

    assert ids() == ([expected] if expected else [])


def test_a_wrong_key_is_named_by_its_position_and_not_shown(settings: Settings) -> None:
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode(), "a-broken-secret-key"]

    [message] = found()

    assert "number 2" in message.msg
    assert "a-broken-secret-key" not in str(message)


def test_the_folder_of_the_database_must_be_there(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    database = settings.DATABASES["default"]
    monkeypatch.setitem(database, "ENGINE", "django.db.backends.sqlite3")

    monkeypatch.setitem(database, "NAME", tmp_path / "absent" / "db.sqlite3")
    assert ids() == ["loyaltyview.E002"]

    monkeypatch.setitem(database, "NAME", tmp_path / "db.sqlite3")
    assert ids() == []


@pytest.mark.parametrize(
    ("is_secure", "is_debug", "expected"),
    [(False, False, ["loyaltyview.W001"]), (True, False, []), (False, True, [])],
)
def test_cookies_without_tls_are_a_warning_before_deployment(
    settings: Settings, is_secure: bool, is_debug: bool, expected: list[str]
) -> None:
    settings.SANDBOX = False
    settings.COOKIE_SECURE = is_secure
    settings.DEBUG = is_debug

    assert ids() == []
    assert ids(deploy=True) == expected


def test_the_sandbox_is_a_warning_before_deployment(settings: Settings) -> None:
    settings.COOKIE_SECURE = True
    settings.SANDBOX = True

    assert ids(deploy=True) == ["loyaltyview.W002"]
