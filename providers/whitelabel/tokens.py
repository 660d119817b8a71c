"""The admin token: lives 24 hours, shared through the cache as ciphertext, asked for again when refused.

Source: docs/contracts/whitelabel.md 1.3. A token per call may be throttled or billed, so nobody asks while
one is good.
"""

import threading
from dataclasses import dataclass

from cryptography.fernet import InvalidToken
from django.core.cache import cache

from providers.errors import AuthFailed, UnexpectedAnswer
from providers.outbound.exchange import Call
from providers.outbound.vendor_session import VendorSession
from providers.sealing import box

EARLIER_S = 60
LONGEST_S = 86_400

_locks: dict[str, threading.Lock] = {}
_locks_lock = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminToken:
    """The token of one program's credentials. Cheap to create: it lives in the cache."""

    session: VendorSession
    client_id: str
    client_secret: str
    audience: str

    def get(self) -> str:
        """Return a good token. Raises Unavailable, AuthFailed, UnexpectedAnswer."""
        if token := self._cached():
            return token
        with _lock_for(self._key):
            # Whoever waited for the lock finds what the one before it was given.
            return self._cached() or self._ask()

    def refused(self, token: str) -> None:
        """The vendor did not accept `token`: forget it, unless somebody has a newer one already."""
        if self._cached() == token:
            cache.delete(self._key)

    @property
    def _key(self) -> str:
        return f"whitelabel:token:{self.session.program}"

    def _cached(self) -> str:
        sealed = cache.get(self._key)
        if not isinstance(sealed, str):
            return ""
        try:
            client_id, _, token = box().decrypt(sealed.encode()).decode().partition("\n")
        except InvalidToken:
            return ""
        return token if client_id == self.client_id else ""

    def _ask(self) -> str:
        asked = {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "audience": self.audience,
            "grant_type": "client_credentials",
        }
        answer = self.session.read(Call("POST", "/oauth/token", operation="get_token", json=asked))
        if answer.status >= 400:
            raise AuthFailed(f"get_token: {answer.status}")
        data = answer.json()
        token = data.get("access_token") if isinstance(data, dict) else None
        if not isinstance(token, str) or not token:
            raise UnexpectedAnswer("get_token: no access_token")
        lives_s = data.get("expires_in")
        if isinstance(lives_s, int) and lives_s > EARLIER_S:
            sealed = box().encrypt(f"{self.client_id}\n{token}".encode()).decode()
            cache.set(self._key, sealed, timeout=min(lives_s, LONGEST_S) - EARLIER_S)
        return token


def _lock_for(key: str) -> threading.Lock:
    with _locks_lock:
        return _locks.setdefault(key, threading.Lock())
