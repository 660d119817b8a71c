"""A vendor with settings, and a program file that uses it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.urls import get_resolver

from loyaltyview.programs.models import Program
from providers.registry import PROVIDERS
from tests.programs.vendors import TestVendor

PROGRAM_FILE = """\
slug = "acme"
name = "Acme Club"
currency = "EUR"
country = "FR"
languages = ["fr", "en"]

[newstore]
tenant = "acme-staging"
api_url = "https://acme-staging.p.newstore.net"
identity_url = "https://id.p.newstore.net/auth/realms/acme-staging"
client_id = "env:ACME_CLIENT_ID"
client_secret = "env:ACME_CLIENT_SECRET"
event_key = "env:ACME_EVENT_KEY"

[provider]
kind = "testvendor"
[provider.testvendor]
base_url = "https://vendor.test/api"
api_key = "env:ACME_API_KEY"
rate = 0.05

[stores.US_BOSTON_01]
name = "Boston"
provider_store = "boston-1"
"""

SECRETS = {
    "ACME_CLIENT_ID": "client-1",
    "ACME_CLIENT_SECRET": "a-client-secret",
    "ACME_EVENT_KEY": "an-event-key",
    "ACME_API_KEY": "an-api-key",
}


@pytest.fixture(autouse=True)
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[TestVendor]]:
    """The registry with one more vendor."""
    assert get_resolver().url_patterns  # the addresses are made of the vendors that have a package
    monkeypatch.setitem(PROVIDERS, "testvendor", "tests.programs.vendors.TestVendor")
    yield TestVendor
    TestVendor.failure = None
    TestVendor.checked_with.clear()


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The secrets of the program file, set in the environment."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    return SECRETS


@pytest.fixture
def program_file(tmp_path: Path, secrets: dict[str, str]) -> Path:
    """A correct program file whose secrets are set."""
    path = tmp_path / "acme.toml"
    path.write_text(PROGRAM_FILE)
    return path


@pytest.fixture
def acme(program: Program) -> Program:
    """The Acme Club at the test vendor, every secret set."""
    program.provider_kind = "testvendor"
    program.provider_settings = {"base_url": "https://vendor.test", "api_key": "vendor-key", "rate": "0.05"}
    program.provider_webhook_secret = "hook-secret"
    program.save()
    return program
