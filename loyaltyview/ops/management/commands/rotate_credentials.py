"""Encrypt every stored secret again with the first of CREDENTIAL_KEYS, so that older keys can be removed.

Finds the columns by the type of their field, in every app and every adapter. May be repeated and interrupted.
"""

from collections.abc import Iterator
from typing import Any

from cryptography.fernet import InvalidToken
from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import models, transaction

from loyaltyview.ops.encrypted import CredentialsUnreadable, EncryptedJSONField, EncryptedTextField

BATCH = 500


class Command(BaseCommand):
    help = "Encrypt all stored secrets again with the first key of CREDENTIAL_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        for model in apps.get_models():
            names = sealed_names(model)
            if names:
                count = sum(rotate(model, pk, names) for pk in _pks(model))
                self.stdout.write(f"{model._meta.label}: {count}")


def sealed_names(model: type[models.Model]) -> list[str]:
    """Return the names of the model's columns that CREDENTIAL_KEYS encrypt. Our fields are known by their
    class; those of providers, which import nothing of ours, have a method `rotated`."""
    return [
        field.name
        for field in model._meta.local_fields
        if isinstance(field, EncryptedTextField | EncryptedJSONField) or hasattr(field, "rotated")
    ]


def rotate(model: type[models.Model], pk: Any, names: list[str]) -> int:
    """Write the columns `names` of one row again; return 1, or 0 when the row is gone."""
    with transaction.atomic():
        try:
            row = model._default_manager.select_for_update().filter(pk=pk).values(*names).first()
            if row is None:
                return 0
            row = {name: _rotated(model, name, value) for name, value in row.items()}
        except (CredentialsUnreadable, InvalidToken) as error:
            raise CommandError(f"{model._meta.label} {pk}: no key in CREDENTIAL_KEYS decrypts it") from error
        return model._default_manager.filter(pk=pk).update(**row)


def _rotated(model: type[models.Model], name: str, value: Any) -> Any:
    field = model._meta.get_field(name)
    return field.rotated(value) if hasattr(field, "rotated") else value


def _pks(model: type[models.Model]) -> Iterator[Any]:
    """Yield the keys of all rows, a batch at a time, so that no query stays open while rows are written."""
    rows = model._default_manager.order_by("pk").values_list("pk", flat=True)
    batch = list(rows[:BATCH])
    while batch:
        yield from batch
        batch = list(rows.filter(pk__gt=batch[-1])[:BATCH])
