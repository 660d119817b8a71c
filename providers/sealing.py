"""Secrets and personal data that an adapter stores: Fernet with CREDENTIAL_KEYS, the newest key first.

A column for them is a `SealedTextField`: `manage.py rotate_credentials` finds it by its type. Values that are
compared or looked up must not depend on these keys, because the keys rotate (docs/decisions/0007).
"""

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models

from providers.errors import AuthFailed


class SealedTextField(models.TextField):  # type: ignore[type-arg]
    """Holds the result of `seal`; `unseal` decrypts it. Empty stays empty."""

    def rotated(self, stored: str) -> str:
        """Return `stored` sealed with the newest key. Raises InvalidToken when no key opens it."""
        return box().rotate(stored.encode()).decode() if stored else ""


def seal(text: str) -> str:
    """Return `text` as ciphertext; empty stays empty."""
    return box().encrypt(text.encode()).decode() if text else ""


def unseal(sealed: str) -> str:
    """Return the text; raise AuthFailed when no key opens it (one was removed too early)."""
    try:
        return box().decrypt(sealed.encode()).decode() if sealed else ""
    except InvalidToken as error:
        raise AuthFailed("no key in CREDENTIAL_KEYS opens the stored secret") from error


@lru_cache(maxsize=8)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def box() -> MultiFernet:
    """Return the cipher for the keys now in the settings."""
    return _box(tuple(settings.CREDENTIAL_KEYS))
