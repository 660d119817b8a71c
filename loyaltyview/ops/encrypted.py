"""Model fields whose values are encrypted at rest with `CREDENTIAL_KEYS`.

Keys rotate: the first encrypts, all decrypt. A value that no key decrypts raises
`CredentialsUnreadable`. It is never returned as ciphertext, and never as an empty text.
"""

import json
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _


class CredentialsUnreadable(Exception):
    """No key in CREDENTIAL_KEYS decrypts the stored value: a key was removed too early."""


@lru_cache(maxsize=8)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def box() -> MultiFernet:
    """Return the cipher for the keys now in the settings."""
    return _box(tuple(settings.CREDENTIAL_KEYS))


def _decrypt(stored: str) -> str:
    try:
        return box().decrypt(stored.encode()).decode()
    except InvalidToken as error:
        raise CredentialsUnreadable("No key in CREDENTIAL_KEYS decrypts this value.") from error


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """A str that is ciphertext in the database; empty stays empty."""

    def get_prep_value(self, value: Any) -> Any:
        return box().encrypt(str(value).encode()).decode() if value else ""

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str:
        return _decrypt(value) if value else ""


class EncryptedJSONField(models.TextField):  # type: ignore[type-arg]
    """A JSON value (dict of settings) that is ciphertext in the database."""

    def get_prep_value(self, value: Any) -> Any:
        return box().encrypt(json.dumps(value, sort_keys=True).encode()).decode()

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        return json.loads(_decrypt(value)) if value else {}

    def to_python(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value or {}
        try:
            return json.loads(value) if value else {}
        except ValueError as error:
            raise ValidationError(_("This is not JSON."), code="invalid") from error

    def value_to_string(self, obj: models.Model) -> str:
        return json.dumps(self.value_from_object(obj), sort_keys=True)
