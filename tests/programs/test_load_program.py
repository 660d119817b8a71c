"""`manage.py load_program`: idempotent, all or nothing, and silent about secrets."""

from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from loyaltyview.programs.access import active_program
from loyaltyview.programs.models import Program
from tests.programs.conftest import SECRETS

pytestmark = pytest.mark.django_db


def load(path: Path) -> str:
    out = StringIO()
    call_command("load_program", path, stdout=out)
    return out.getvalue()


def change(path: Path, old: str, new: str) -> None:
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))


def test_a_file_sets_a_program_up(program_file: Path) -> None:
    told = load(program_file)

    program = Program.objects.get(slug="acme")
    assert "Program acme: created" in told
    assert program.newstore_api_url == "https://acme-staging.p.newstore.net"
    assert program.newstore_client_secret == "a-client-secret"
    assert program.languages == ["fr", "en"]
    assert program.stores.get().provider_store == "boston-1"
    assert program.provider().config.settings["rate"] == Decimal("0.05")
    assert program.provider().config.settings["page_size"] == 50


def program_zone(store_id: str) -> str:
    return Program.objects.get().stores.get(store_id=store_id).time_zone


def test_loading_a_file_again_reports_no_change(program_file: Path) -> None:
    load(program_file)
    before = Program.objects.values().get()

    told = load(program_file)

    assert told == "Program acme: unchanged\n"
    assert Program.objects.values().get() == before


def test_changes_are_printed_and_secrets_only_as_changed(
    program_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(program_file)
    monkeypatch.setenv("ACME_CLIENT_SECRET", "another-secret")
    monkeypatch.setenv("ACME_API_KEY", "another-key")
    change(program_file, 'currency = "EUR"', 'currency = "USD"')
    change(program_file, "rate = 0.05", "rate = 0.10")
    change(program_file, 'name = "Boston"', 'name = "Boston Back Bay"\ntime_zone = "America/New_York"')
    change(program_file, 'country = "FR"', 'country = "FR"\ntime_zone = "Europe/Paris"')
    change(program_file, 'languages = ["fr", "en"]', 'languages = ["en"]')

    told = load(program_file)

    assert told.splitlines() == [
        "Program acme: updated",
        "  currency: EUR -> USD",
        "  time_zone: nothing -> Europe/Paris",
        "  languages: fr, en -> en",
        "  newstore.client_secret: changed",
        "  provider.testvendor.api_key: changed",
        "  provider.testvendor.rate: 0.05 -> 0.10",
        "  stores.US_BOSTON_01.name: Boston -> Boston Back Bay",
        "  stores.US_BOSTON_01.time_zone: nothing -> America/New_York",
    ]
    assert Program.objects.get().newstore_client_secret == "another-secret"


def test_a_file_carries_the_secrets_of_a_changed_address(program_file: Path) -> None:
    load(program_file)
    Program.objects.update(provider_webhook_secret="typed into admin")
    change(program_file, "https://vendor.test", "https://elsewhere.example")
    text = program_file.read_text()
    line = next(each for each in text.splitlines() if each.startswith("api_key"))
    program_file.write_text(text.replace(line, ""))
    with pytest.raises(CommandError, match="api_key: missing"):
        load(program_file)
    assert Program.objects.get().provider_settings["base_url"] == "https://vendor.test/api"

    program_file.write_text(text)
    load(program_file)
    program = Program.objects.get()
    assert program.provider_settings["base_url"] == "https://elsewhere.example/api"
    assert program.provider_webhook_secret != "typed into admin"


def test_a_private_address_is_refused_where_it_is_not_allowed(program_file: Path, settings: Settings) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = False
    change(program_file, "https://vendor.test", "https://169.254.169.254")

    with pytest.raises(CommandError, match="base_url: must not be an address of this machine"):
        load(program_file)


def test_no_secret_is_ever_printed(program_file: Path) -> None:
    told = load(program_file)

    assert "a-client-secret" not in told
    assert not any(secret in told for secret in SECRETS.values())


def test_secrets_are_not_readable_in_the_database(program_file: Path) -> None:
    load(program_file)

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM programs_program")
        stored = str(cursor.fetchall())
    assert not any(
        SECRETS[name] in stored for name in ("ACME_CLIENT_SECRET", "ACME_EVENT_KEY", "ACME_API_KEY")
    )


def test_stores_that_are_not_in_the_file_are_kept_and_named(program_file: Path) -> None:
    load(program_file)
    change(program_file, "[stores.US_BOSTON_01]", '[stores.US_NYC_01]\ntime_zone = "America/New_York"')

    told = load(program_file)

    assert "  stores.US_NYC_01: added" in told
    assert program_zone("US_NYC_01") == "America/New_York"
    assert "  stores.US_BOSTON_01: not in the file, kept" in told
    assert Program.objects.get().stores.count() == 2


def test_a_refused_file_writes_nothing(program_file: Path) -> None:
    load(program_file)
    change(program_file, 'name = "Acme Club"', 'name = "Another Club"')
    change(program_file, "[stores.US_BOSTON_01]", "[stores.US_NYC_01]\nzip = 1")

    with pytest.raises(CommandError) as refusal:
        load(program_file)

    assert "acme.toml was not applied" in str(refusal.value)
    assert "stores.US_NYC_01.zip: unknown key" in str(refusal.value)
    program = Program.objects.get()
    assert (program.name, program.stores.get().store_id) == ("Acme Club", "US_BOSTON_01")


def test_a_database_error_half_way_writes_nothing(
    program_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM no_such_table")

    monkeypatch.setattr("loyaltyview.programs.load._set_store", refuse)

    with pytest.raises(CommandError, match="the database refused"):
        load(program_file)

    assert not Program.objects.exists()


def test_a_file_that_is_not_there_is_a_plain_message(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        load(tmp_path / "absent.toml")


def test_a_file_that_is_not_text_is_a_plain_message(tmp_path: Path) -> None:
    path = tmp_path / "acme.toml"
    path.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(CommandError, match="cannot be read"):
        load(path)


def test_credentials_without_their_key_are_a_plain_message(program_file: Path, settings: Settings) -> None:
    load(program_file)
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(CommandError, match="CREDENTIAL_KEYS"):
        load(program_file)


def test_loading_does_not_switch_a_program_on_again(program_file: Path) -> None:
    load(program_file)
    Program.objects.update(is_active=False)

    load(program_file)

    assert active_program("acme") is None


def test_the_file_can_switch_a_program_off(program_file: Path) -> None:
    change(program_file, 'name = "Acme Club"', 'name = "Acme Club"\nis_active = false')

    load(program_file)

    assert active_program("acme") is None


def test_an_active_program_is_found_by_its_slug(program_file: Path) -> None:
    load(program_file)

    found = active_program("acme")
    assert found is not None
    assert found.name == "Acme Club"
    assert active_program("other") is None


def test_another_vendor_replaces_the_settings_of_the_former_vendor(
    program_file: Path, vendor: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(program_file)
    program = Program.objects.get()
    program.provider_settings = program.provider_settings | {"former": "a former secret"}
    program.save()

    told = load(program_file)

    assert "provider.testvendor.former: changed" in told
    assert "a former secret" not in told
    assert "former" not in Program.objects.get().provider_settings
