"""Rotating CREDENTIAL_KEYS: every encrypted column of every app is readable without the old key."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.core.management import call_command
from django.db import models
from django.utils import timezone
from pytest_django import Settings

from loyaltyview.newstore.context import Associate
from loyaltyview.newstore.identity import issue_identity, read_identity
from loyaltyview.ops.encrypted import EncryptedJSONField, EncryptedTextField
from loyaltyview.ops.management.commands import rotate_credentials
from loyaltyview.ops.management.commands.rotate_credentials import sealed_names
from loyaltyview.programs.models import Program
from providers.sealing import SealedTextField, seal, unseal
from tests.test_architecture import ROOT, modules

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
SEALED = {model: names for model in apps.get_models() if (names := sealed_names(model))}
# The last one makes a key for the demo.
FERNET = {
    "providers/sealing.py",
    "loyaltyview/ops/encrypted.py",
    "loyaltyview/checks.py",
    "loyaltyview/sandbox/demo_environment.py",
}
# Their values end by themselves: choices in a list within minutes, identities after IDENTITY_HOURS; cached
# tokens are fetched again. The warm-up keeps nothing.
SHORT_LIVED = {
    "loyaltyview/webview/enrol_prefill.py",
    "loyaltyview/webview/members.py",
    "loyaltyview/webview/warm_up.py",
    "loyaltyview/newstore/identity.py",
    "providers/outbound/oauth.py",
}


def value_of(field: "models.Field[Any, Any]", program: Program) -> Any:
    if isinstance(field, EncryptedJSONField):
        return {"secret": field.name}
    if isinstance(field, EncryptedTextField):
        return field.name
    if isinstance(field, SealedTextField):
        return seal(field.name)
    if isinstance(field, models.ForeignKey):
        return program
    if isinstance(field, models.DateTimeField):
        return timezone.now()
    return {} if isinstance(field, models.JSONField) else 1 if isinstance(field, models.IntegerField) else "x"


def plant(model: type[models.Model], program: Program) -> models.Model:
    fields = [
        field
        for field in model._meta.local_concrete_fields
        if not field.primary_key and (field.name in SEALED[model] or not (field.has_default() or field.blank))
    ]
    return model._default_manager.create(**{field.name: value_of(field, program) for field in fields})


def opened(row: models.Model, name: str) -> Any:
    value = getattr(row, name)
    return unseal(value) if isinstance(row._meta.get_field(name), SealedTextField) else value


@pytest.mark.django_db
@pytest.mark.parametrize("model", SEALED, ids=lambda model: model._meta.label)
def test_every_sealed_column_is_readable_without_the_old_key(
    model: type[models.Model], program: Program, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotate_credentials, "BATCH", 1)
    settings.CREDENTIAL_KEYS = [OLD]
    program.save()
    pk = (plant(model, program) if model is not Program else program).pk
    if model is Program:
        fields = [Program._meta.get_field(name) for name in SEALED[Program]]
        Program.objects.filter(pk=pk).update(**{field.name: value_of(field, program) for field in fields})
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    call_command("rotate_credentials", verbosity=0)

    settings.CREDENTIAL_KEYS = [NEW]
    row = model._default_manager.get(pk=pk)
    expected = {
        name: {"secret": name} if isinstance(model._meta.get_field(name), EncryptedJSONField) else name
        for name in SEALED[model]
    }
    assert {name: opened(row, name) for name in SEALED[model]} == expected


def test_only_sealed_columns_and_short_lived_values_use_the_keys() -> None:
    imports = {path for path, name in names_imported() if name in ("Fernet", "MultiFernet")}
    boxes = {path for path, name in names_imported() if name == "box"}

    assert imports == FERNET
    assert boxes == SHORT_LIVED


def test_values_sealed_by_hand_go_into_columns_that_rotation_finds() -> None:
    columns = {name for names in SEALED.values() for name in names}
    named_so = {
        field.name
        for model in apps.get_models()
        for field in model._meta.local_fields
        if "sealed" in field.name
    }
    wrong = [f"{path}:{line}" for path, line, target in calls_of_seal() if target not in columns]

    assert named_so <= columns
    assert not wrong


@pytest.mark.django_db
def test_an_associate_stays_logged_in_while_both_keys_are_set(program: Program, settings: Settings) -> None:
    kim = Associate(associate_id="a-17", device_id="ipad-1")
    settings.CREDENTIAL_KEYS = [OLD]
    program.save()
    identity = issue_identity(program, kim)
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    call_command("rotate_credentials", verbosity=0)

    assert read_identity(program, identity) == kim
    assert read_identity(program, issue_identity(program, kim)) == kim


def sources() -> Iterator[tuple[str, ast.Module]]:
    for path in [*modules("loyaltyview"), *modules("providers")]:
        yield str(path.relative_to(ROOT)), ast.parse(Path(path).read_text())


def names_imported() -> Iterator[tuple[str, str]]:
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                yield from ((path, alias.name) for alias in node.names)


def calls_of_seal() -> Iterator[tuple[str, int, str]]:
    """Yield each call of `seal` with the name of the keyword or the key of the dict that takes its result."""
    for path, tree in sources():
        targets = {
            id(value): key.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Dict)
            for key, value in zip(node.keys, node.values, strict=True)
            if isinstance(key, ast.Constant)
        } | {id(node.value): node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "seal":
                yield path, node.lineno, str(targets.get(id(node), ""))
