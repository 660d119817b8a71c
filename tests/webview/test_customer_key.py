"""The hash by which a customer's launches are found: no key that rotates changes it."""

import importlib
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from loyaltyview.programs.models import Program
from loyaltyview.webview.models import Launch
from loyaltyview.webview.sessions import customer_key

migration = importlib.import_module("loyaltyview.webview.migrations.0006_customer_key_of_the_program")
pytestmark = pytest.mark.django_db


def launch(program: Program, email: str) -> Launch:
    return Launch.objects.create(
        program=program, secret_hash="x", cart={}, customer_email=email,
        customer_key="of-the-former-key" if email else "", expires_at=timezone.now() + timedelta(hours=1),
    )  # fmt: skip


def test_it_stays_when_the_keys_of_the_installation_rotate(program: Program, settings: Settings) -> None:
    before = customer_key(program, "Mia@example.test")
    settings.SECRET_KEY = "another-one-another-one-another-one-another-one-1234567"
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode(), *settings.CREDENTIAL_KEYS]

    assert customer_key(Program.objects.get(), "mia@example.test") == before


def test_each_program_has_a_key_of_its_own(program: Program) -> None:
    other = Program.objects.create(slug="other", name="Other", currency="EUR", country="FR")

    assert customer_key(program, "mia@example.test") != customer_key(other, "mia@example.test")


def test_existing_launches_are_rehashed_in_batches(
    program: Program, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setattr(migration, "BATCH", 2)
    known = [launch(program, f"member-{number}@example.test") for number in range(5)]
    nobody = launch(program, "")
    stored, settings.CREDENTIAL_KEYS = settings.CREDENTIAL_KEYS, [Fernet.generate_key().decode()]
    lost = launch(program, "lost@example.test")
    settings.CREDENTIAL_KEYS = stored
    migration.hash_anew(apps, type("Editor", (), {"connection": connection}))
    keys = dict(Launch.objects.values_list("pk", "customer_key"))

    assert [keys[each.pk] for each in known] == [customer_key(program, each.customer_email) for each in known]
    assert (keys[nobody.pk], keys[lost.pk]) == ("", "")
