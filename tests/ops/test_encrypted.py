"""Secrets at rest: ciphertext in the database, rotating keys, no silent loss."""

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core import serializers
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from loyaltyview.ops.encrypted import CredentialsUnreadable, EncryptedJSONField
from loyaltyview.programs.models import Program

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def stored(program: Program, column: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM programs_program WHERE id = %s", [program.pk])
        value: str = cursor.fetchone()[0]
    return value


def test_the_database_holds_ciphertext_only(program: Program) -> None:
    program.provider_settings = {"api_key": "hunter2"}
    program.save()
    assert "s3cret" not in stored(program, "newstore_client_secret")
    assert "hunter2" not in stored(program, "provider_settings")
    again = Program.objects.get()
    assert again.newstore_client_secret == "s3cret"
    assert again.provider_settings == {"api_key": "hunter2"}


def test_the_same_secret_is_never_the_same_ciphertext(program: Program) -> None:
    first = stored(program, "newstore_client_secret")
    program.save()
    assert stored(program, "newstore_client_secret") != first


def test_empty_stays_empty(program: Program) -> None:
    program.newstore_event_key = ""
    program.provider_settings = {}
    program.save()
    assert stored(program, "newstore_event_key") == ""
    again = Program.objects.get()
    assert again.newstore_event_key == ""
    assert again.provider_settings == {}


def test_an_older_key_still_decrypts_and_the_first_one_encrypts(program: Program, settings: Settings) -> None:
    settings.CREDENTIAL_KEYS = [OLD]
    program.save()
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    again = Program.objects.get()
    assert again.newstore_client_secret == "s3cret"
    again.save()
    settings.CREDENTIAL_KEYS = [NEW]
    assert Program.objects.get().newstore_client_secret == "s3cret"


def test_a_value_that_no_key_decrypts_is_an_error_not_an_empty_secret(
    program: Program, settings: Settings
) -> None:
    settings.CREDENTIAL_KEYS = [NEW]
    with pytest.raises(CredentialsUnreadable):
        Program.objects.get()
    assert Program.objects.only("slug").get().slug == "acme"


def test_a_value_that_was_never_encrypted_is_an_error(program: Program) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE programs_program SET newstore_client_secret = 'plain'")
    with pytest.raises(CredentialsUnreadable):
        Program.objects.get()


def test_the_old_key_can_be_removed_after_rotating(program: Program, settings: Settings) -> None:
    settings.CREDENTIAL_KEYS = [OLD]
    program.provider_settings = {"api_key": "hunter2"}
    program.save()
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    out = StringIO()
    call_command("rotate_credentials", stdout=out)
    assert "programs.Program: 1" in out.getvalue()
    assert "hunter2" not in out.getvalue()
    settings.CREDENTIAL_KEYS = [NEW]
    again = Program.objects.get()
    assert (again.newstore_client_secret, again.provider_settings) == ("s3cret", {"api_key": "hunter2"})


def test_rotating_names_the_row_that_no_key_decrypts(program: Program, settings: Settings) -> None:
    settings.CREDENTIAL_KEYS = [NEW]
    with pytest.raises(CommandError, match=rf"programs.Program {program.pk}"):
        call_command("rotate_credentials")


def test_settings_that_are_not_json_are_a_form_error() -> None:
    with pytest.raises(ValidationError):
        EncryptedJSONField().to_python("{oops")
    assert EncryptedJSONField().to_python('{"a": 1}') == {"a": 1}
    assert EncryptedJSONField().to_python("") == {}


def test_a_dump_can_be_loaded_again(program: Program) -> None:
    program.provider_settings = {"api_key": "hunter2"}
    program.save()
    dump = serializers.serialize("json", [program])
    (again,) = serializers.deserialize("json", dump)
    assert again.object.provider_settings == {"api_key": "hunter2"}
