"""The public keys that NewStore signs its tokens with (JWKS), kept for five minutes.

PyJWT's own client uses urllib with the machine's proxies and redirects; this one uses our request layer.
A token with an unknown key may mean that the keys were changed, or that a caller makes up key ids. The keys
are then fetched again, at most once every few seconds. Source: docs/contracts/newstore.md 3.2.
"""

import threading
import time
from dataclasses import dataclass, field

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from loyaltyview.newstore.errors import IdentityError, NewStoreError
from loyaltyview.newstore.http import Answer, send
from loyaltyview.programs.models import Program
from providers.outbound.exchange import Call

KEYS = Call("GET", "/protocol/openid-connect/certs")
KEPT_S = 300
FETCH_PAUSE_S = 5
TIMEOUT_S = 3.0
SHORTEST_KEY_BITS = 2048


@dataclass(slots=True)
class _KeySet:
    """The keys of one realm. The lock is held while fetching, so that many waiting threads fetch once."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    tried_at: float = float("-inf")
    fetched_at: float = float("-inf")
    keys: dict[str, RSAPublicKey] = field(default_factory=dict)


_key_sets: dict[str, _KeySet] = {}


def signing_key(program: Program, kid: str) -> RSAPublicKey:
    """Return the key with this id. Raises IdentityError: TOKEN_INVALID when NewStore has no such key,
    KEYS_UNAVAILABLE when it cannot be asked."""
    key_set = _key_sets.setdefault(program.newstore_identity_url.rstrip("/"), _KeySet())
    with key_set.lock:
        now = time.monotonic()
        is_fresh = now - key_set.fetched_at < KEPT_S
        if is_fresh and kid in key_set.keys:
            return key_set.keys[kid]
        if now - key_set.tried_at >= FETCH_PAUSE_S:
            try:
                key_set.keys = _fetch(program)
                key_set.fetched_at = time.monotonic()
            finally:
                key_set.tried_at = time.monotonic()
        elif not is_fresh:
            raise IdentityError("KEYS_UNAVAILABLE", "NewStore's keys could not be read a moment ago")
        if kid not in key_set.keys:
            raise IdentityError("TOKEN_INVALID", "signed with a key that NewStore does not have")
        return key_set.keys[kid]


def _fetch(program: Program) -> dict[str, RSAPublicKey]:
    try:
        answer = send(program.slug, program.newstore_identity_url, KEYS, timeout_s=TIMEOUT_S)
    except NewStoreError as error:
        raise IdentityError("KEYS_UNAVAILABLE", f"{type(error).__name__}: {error.detail}") from error
    keys = _usable_keys(answer)
    if not keys:
        raise IdentityError("KEYS_UNAVAILABLE", "NewStore's key list has no usable key")
    return keys


def _usable_keys(answer: Answer) -> dict[str, RSAPublicKey]:
    """Return the RSA signing keys by id; others (Keycloak lists encryption keys too) are passed over."""
    listed = answer.body.get("keys") if isinstance(answer.body, dict) else None
    keys: dict[str, RSAPublicKey] = {}
    for entry in listed if isinstance(listed, list) else []:
        if not isinstance(entry, dict) or entry.get("kty") != "RSA" or entry.get("use", "sig") != "sig":
            continue
        try:
            key = jwt.PyJWK(entry, algorithm="RS256").key
        except (jwt.PyJWTError, ValueError, TypeError):
            continue
        kid = entry.get("kid")
        if isinstance(kid, str) and isinstance(key, RSAPublicKey) and key.key_size >= SHORTEST_KEY_BITS:
            keys[kid] = key
    return keys
