"""Secrets at rest: Fernet with CREDENTIAL_KEYS, the newest first; older ones still open."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from providers.errors import AuthFailed


def seal(text: str) -> str:
    """Return `text` as ciphertext; empty stays empty."""
    return _box().encrypt(text.encode()).decode() if text else ""


def unseal(sealed: str) -> str:
    """Return the text; raise AuthFailed when no key opens it (one was removed too early)."""
    try:
        return _box().decrypt(sealed.encode()).decode() if sealed else ""
    except InvalidToken as error:
        raise AuthFailed("no key in CREDENTIAL_KEYS opens the stored secret") from error


def _box() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.CREDENTIAL_KEYS])
