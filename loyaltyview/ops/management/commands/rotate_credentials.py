"""Encrypt every stored secret anew with the first of CREDENTIAL_KEYS, so that older keys can be dropped."""

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import models, transaction

from loyaltyview.ops.encrypted import CredentialsUnreadable, EncryptedJSONField, EncryptedTextField


class Command(BaseCommand):
    help = "Encrypt all stored secrets anew with the first key of CREDENTIAL_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        for model in apps.get_models():
            names = [
                field.name
                for field in model._meta.local_fields
                if isinstance(field, EncryptedTextField | EncryptedJSONField)
            ]
            if names:
                count = sum(
                    rotate(model, pk, names) for pk in model._default_manager.values_list("pk", flat=True)
                )
                self.stdout.write(f"{model._meta.label}: {count}")


def rotate(model: type[models.Model], pk: Any, names: list[str]) -> int:
    """Write the fields `names` of one row again; return 1, or 0 when the row is gone."""
    with transaction.atomic():
        try:
            row = model._default_manager.select_for_update().filter(pk=pk).values(*names).first()
        except CredentialsUnreadable as error:
            raise CommandError(f"{model._meta.label} {pk}: no key in CREDENTIAL_KEYS opens it") from error
        return model._default_manager.filter(pk=pk).update(**row) if row else 0
