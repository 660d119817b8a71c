"""Our own access to NewStore: OAuth client credentials. Source: docs/contracts/newstore.md 5."""

import re
from functools import partial

from django.core.cache import cache

from loyaltyview.newstore.errors import (
    NewStoreAuthFailed,
    NewStoreRejected,
    NewStoreUnavailable,
    NewStoreUnexpected,
)
from loyaltyview.newstore.http import send
from loyaltyview.programs.models import Program
from providers.outbound.exchange import Call
from providers.outbound.oauth import NoTokenInTime, TokenCache, token_key

SCOPE_MISSING_S = 5  # how long no new token is fetched for calls that refused a new one with 403


def access_token(program: Program, *, timeout_s: float, refused: str = "") -> str:
    """Return an access token for the program's tenant; never `refused`, which NewStore no longer takes.
    Raises NewStoreAuthFailed, NewStoreUnavailable, NewStoreUnexpected."""
    tokens = TokenCache(key=_cache_key(program), fetch=partial(fetch_token, program))
    try:
        return tokens.get(timeout_s=timeout_s, refused=refused)
    except NoTokenInTime as error:
        raise NewStoreUnavailable(f"no time left: {error.detail}") from error


def note_missing_scope(program: Program, area: str) -> None:
    """Note that NewStore refused a new token with 403 for calls of this `area`: our client lacks a scope."""
    cache.set(_missing_scope_key(program, area), True, SCOPE_MISSING_S)


def is_scope_missing(program: Program, area: str) -> bool:
    """Return whether a new token was refused for `area` a moment ago: another one would be refused, too."""
    return bool(cache.get(_missing_scope_key(program, area)))


def _missing_scope_key(program: Program, area: str) -> str:
    return f"{_cache_key(program)}-{area.replace('/', '-')}"


def _cache_key(program: Program) -> str:
    return token_key(
        "newstore",
        program.slug,
        program.newstore_identity_url,
        program.newstore_api_url,
        program.newstore_client_id,
        program.newstore_client_secret,
    )


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
