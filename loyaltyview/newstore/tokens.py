"""Our own access to NewStore: OAuth client credentials, cached until shortly before they expire.

Source: contract section 5. The cache may be shared by machines, so the token lies in it encrypted.
"""

import hashlib
import re

from cryptography.fernet import InvalidToken
from django.core.cache import cache

from loyaltyview.newstore.errors import NewStoreAuthFailed, NewStoreRejected, NewStoreUnexpected
from loyaltyview.newstore.http import send
from loyaltyview.ops.encrypted import box
from loyaltyview.programs.models import Program

RENEW_BEFORE_S = 30
LONGEST_CACHED_S = 86_400
YOUNG_S = 60


def access_token(program: Program, *, timeout_s: float, refused: str = "") -> str:
    """Return an access token for the program's tenant, from the cache or freshly fetched.

    `refused` is a token that NewStore no longer takes: it is never returned again.
    Raises NewStoreAuthFailed, NewStoreUnavailable, NewStoreUnexpected.
    """
    key = _cache_key(program)
    cached = _decrypt(cache.get(key))
    if cached and cached != refused:
        return cached
    token, lives_s = _fetch(program, timeout_s)
    cached_s = min(lives_s - RENEW_BEFORE_S, LONGEST_CACHED_S)
    if cached_s > 0:
        cache.set(key, box().encrypt(token.encode()).decode(), cached_s)
    else:
        cache.delete(key)
    return token


def is_young(program: Program, token: str) -> bool:
    """Return whether `token` was fetched within the last minute and is the one that everybody uses: when
    NewStore refuses it, it refuses another one too, for a scope that we lack."""
    return _decrypt(cache.get(_cache_key(program)), YOUNG_S) == token


def _cache_key(program: Program) -> str:
    # Changed credentials must not go on with the old ones' token.
    parts = (
        program.slug,
        program.newstore_identity_url,
        program.newstore_client_id,
        program.newstore_client_secret,
    )
    return "newstore-token-" + hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _decrypt(stored: object, no_older_than_s: int | None = None) -> str:
    if not isinstance(stored, str):
        return ""
    try:
        return box().decrypt(stored.encode(), no_older_than_s).decode()
    except InvalidToken:  # CREDENTIAL_KEYS were changed, or it is older: fetch another
        return ""


def _fetch(program: Program, timeout_s: float) -> tuple[str, int]:
    try:
        answer = send(
            program.slug,
            "POST",
            program.newstore_identity_url.rstrip("/") + "/protocol/openid-connect/token",
            timeout_s=timeout_s,
            form={
                "grant_type": "client_credentials",
                "client_id": program.newstore_client_id,
                "client_secret": program.newstore_client_secret,
            },
        )
    except NewStoreRejected as error:
        raise NewStoreAuthFailed(f"token endpoint: {error.detail}", error.request_id) from error
    body = answer.body if isinstance(answer.body, dict) else {}
    token, expires_in = body.get("access_token"), body.get("expires_in")
    if not isinstance(token, str) or not re.fullmatch(r"[!-~]{1,16384}", token):
        raise NewStoreUnexpected("token endpoint: no access_token", answer.request_id)
    if not isinstance(expires_in, int) or isinstance(expires_in, bool):
        raise NewStoreUnexpected("token endpoint: no expires_in", answer.request_id)
    return token, expires_in
