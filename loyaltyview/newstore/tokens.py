"""Our own access to NewStore: OAuth client credentials, cached until shortly before they expire.

Source: docs/contracts/newstore.md 5. The cache may be shared by machines, so the token lies in it encrypted.
"""

import hashlib
import re
import threading
import time
from collections import defaultdict

from cryptography.fernet import InvalidToken
from django.core.cache import cache

from loyaltyview.newstore.errors import (
    NewStoreAuthFailed,
    NewStoreRejected,
    NewStoreUnavailable,
    NewStoreUnexpected,
)
from loyaltyview.newstore.http import send
from loyaltyview.ops.encrypted import box
from loyaltyview.programs.models import Program
from providers.outbound.exchange import Call

RENEW_BEFORE_S = 30
LONGEST_CACHED_S = 86_400
NO_USE_S = 5  # how long no new token is fetched for calls that refused a new one with 403

# One thread of a process fetches; the others wait for its token. The second is when it was fetched.
_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
_fetched: dict[str, tuple[str, float]] = {}


def access_token(program: Program, *, timeout_s: float, refused: str = "") -> str:
    """Return an access token for the program's tenant, from the cache or freshly fetched.

    `refused` is a token that NewStore no longer takes: it is never returned again.
    Raises NewStoreAuthFailed, NewStoreUnavailable, NewStoreUnexpected.
    """
    key, started = _cache_key(program), time.monotonic()
    cached = _decrypt(cache.get(key))
    if cached and cached != refused:
        return cached
    lock = _locks[key]
    if not lock.acquire(timeout=max(timeout_s, 0)):
        raise NewStoreUnavailable("no time left: the token endpoint is slow")
    try:
        # Not from the cache: a token that lives for a moment only is never in it.
        token, fetched_at = _fetched.get(key, ("", 0.0))
        if token and token != refused and fetched_at >= started:
            return token
        token = _fetch_and_keep(program, key, timeout_s - (time.monotonic() - started))
        _fetched[key] = (token, time.monotonic())
    finally:
        lock.release()
    return token


def _fetch_and_keep(program: Program, key: str, timeout_s: float) -> str:
    token, lives_s = fetch_token(program, timeout_s)
    cached_s = min(lives_s - RENEW_BEFORE_S, LONGEST_CACHED_S)
    if cached_s > 0:
        cache.set(key, box().encrypt(token.encode()).decode(), cached_s)
    else:
        cache.delete(key)
    return token


def note_no_use(program: Program, area: str) -> None:
    """Note that NewStore refused a new token with 403 for calls of this `area`: our client lacks a scope."""
    cache.set(_no_use_key(program, area), True, NO_USE_S)


def is_no_use(program: Program, area: str) -> bool:
    """Return whether a new token was refused for `area` a moment ago: to fetch another is of no use."""
    return bool(cache.get(_no_use_key(program, area)))


def _no_use_key(program: Program, area: str) -> str:
    return f"{_cache_key(program)}-{area.replace('/', '-')}"


def _cache_key(program: Program) -> str:
    # Changed credentials must not go on with the old ones' token.
    parts = (
        program.slug,
        program.newstore_identity_url,
        program.newstore_api_url,
        program.newstore_client_id,
        program.newstore_client_secret,
    )
    return "newstore-token-" + hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _decrypt(stored: object) -> str:
    if not isinstance(stored, str):
        return ""
    try:
        return box().decrypt(stored.encode()).decode()
    except InvalidToken:  # CREDENTIAL_KEYS were changed: fetch another
        return ""


def fetch_token(program: Program, timeout_s: float) -> tuple[str, int]:
    """Return a new token and the seconds that it lives. Raises as `access_token`."""
    form = {
        "grant_type": "client_credentials",
        "client_id": program.newstore_client_id,
        "client_secret": program.newstore_client_secret,
    }
    call = Call("POST", "/protocol/openid-connect/token", form=form)
    try:
        answer = send(program.slug, program.newstore_identity_url, call, timeout_s=timeout_s)
    except NewStoreRejected as error:
        raise NewStoreAuthFailed(f"token endpoint: {error.detail}", error.request_id) from error
    body = answer.body if isinstance(answer.body, dict) else {}
    token, expires_in = body.get("access_token"), body.get("expires_in")
    if not isinstance(token, str) or not re.fullmatch(r"[!-~]{1,16384}", token):
        raise NewStoreUnexpected("token endpoint: no access_token", answer.request_id)
    if not isinstance(expires_in, int) or isinstance(expires_in, bool):
        raise NewStoreUnexpected("token endpoint: no expires_in", answer.request_id)
    return token, expires_in
