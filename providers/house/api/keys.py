"""Keys: made, recognised, revoked. A key looks like `lvh_<12 characters>_<43 characters>`; the first part
finds the row, so one read decides."""

import hashlib
import hmac
import re
import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Q

from providers import clock
from providers.house.api.models import ApiKey

KEY = re.compile(r"lvh_([a-z0-9]{12})_[A-Za-z0-9_-]{43}")
ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
# Reading is frequent: the time of the last use is written once in this time.
USED_NOTED_EVERY = timedelta(minutes=1)


class Refused(StrEnum):
    """Why a key is refused."""

    UNKNOWN = "invalid_key"
    REVOKED = "key_revoked"
    EXPIRED = "key_expired"


def make_key(key: ApiKey) -> str:
    """Save a new `key`, and return the text that the web shop sends. It cannot be read again."""
    key.prefix = "".join(secrets.choice(ALPHABET) for _ in range(12))
    text = f"lvh_{key.prefix}_{secrets.token_urlsafe(32)}"
    key.digest = _digest(text)
    key.save(force_insert=True)
    return text


def recognise(program: str, text: str) -> ApiKey | Refused:
    """Return the program's key that `text` is, or why it is refused."""
    form = KEY.fullmatch(text)
    key = ApiKey.objects.filter(prefix=form[1]).first() if form else None
    # Compared also without a row, so that the time tells nothing.
    is_right = hmac.compare_digest(_digest(text), key.digest if key else "")
    if key is None or not is_right or key.program != program:
        return Refused.UNKNOWN
    now = clock.now()
    if key.revoked_at:
        return Refused.REVOKED
    if key.expires_at and key.expires_at <= now:
        return Refused.EXPIRED
    _note_use(key, now)
    return key


def revoke(prefix: str) -> bool:
    """Revoke a key at once; False where there is none that could be used."""
    return ApiKey.objects.filter(prefix=prefix, revoked_at=None).update(revoked_at=clock.now()) == 1


def _note_use(key: ApiKey, now: datetime) -> None:
    if key.last_used_at is None or key.last_used_at < now - USED_NOTED_EVERY:
        noted = Q(last_used_at=None) | Q(last_used_at__lt=now - USED_NOTED_EVERY)
        ApiKey.objects.filter(noted, pk=key.pk).update(last_used_at=now)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
