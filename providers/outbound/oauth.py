"""Access tokens by OAuth client credentials: kept encrypted in the cache, fetched by one thread at a time.

The cache may be shared by machines, so a token lies in it as ciphertext.
"""

import hashlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.fernet import InvalidToken
from django.core.cache import cache

from providers.errors import Unavailable
from providers.sealing import box

LONGEST_CACHED_S = 86_400

# One thread of a process fetches; the others wait for its token. The second is when it was fetched.
_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
_fetched: dict[str, tuple[str, float]] = {}


class NoTokenInTime(Unavailable):
    """Another thread fetches a token, and takes longer than this call may wait."""


def token_key(system: str, *credentials: str) -> str:
    """Return the cache key for these credentials: other credentials never use their token."""
    return f"{system}-token-" + hashlib.sha256("\n".join(credentials).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCache:
    """The token of one set of credentials. Cheap to create. `fetch` gets its time limit. It returns a token
    and its lifetime in seconds; 0 for a token that must not be kept."""

    key: str
    fetch: Callable[[float], tuple[str, int]]
    renew_before_s: int = 30

    def get(self, *, timeout_s: float, refused: str = "") -> str:
        """Return a token, from the cache or freshly fetched. `refused` is one that the other side no longer
        takes: it is never returned again. Raises NoTokenInTime, and what `fetch` raises."""
        started = time.monotonic()
        cached = self._cached()
        if cached and cached != refused:
            return cached
        lock = _locks[self.key]
        if not lock.acquire(timeout=max(timeout_s, 0)):
            raise NoTokenInTime("the token endpoint is slow")
        try:
            # A token with a very short life is never in the cache.
            token, fetched_at = _fetched.get(self.key, ("", 0.0))
            if token and token != refused and fetched_at >= started:
                return token
            token, lives_s = self.fetch(timeout_s - (time.monotonic() - started))
            self._keep(token, min(lives_s, LONGEST_CACHED_S) - self.renew_before_s)
            _fetched[self.key] = (token, time.monotonic())
        finally:
            lock.release()
        return token

    def _keep(self, token: str, seconds: int) -> None:
        if seconds > 0:
            cache.set(self.key, box().encrypt(token.encode()).decode(), seconds)
        else:
            cache.delete(self.key)

    def _cached(self) -> str:
        stored = cache.get(self.key)
        if not isinstance(stored, str):
            return ""
        try:
            return box().decrypt(stored.encode()).decode()
        except InvalidToken:  # CREDENTIAL_KEYS were changed: fetch another
            return ""
