"""Which of a realm's tokens is an associate's access token. All are signed with the same key.

Keycloak says in the payload's `typ` what a token is (Bearer, ID, Refresh, Offline, Logout); RFC 9068 says it
in the header (`at+jwt`). Clients get their own tokens by client credentials: in Keycloak they belong to a
user called "service-account-<client>", in RFC 9068 their `sub` is the client.
Source: docs/contracts/newstore.md 3.2.
"""

from collections.abc import Mapping
from typing import Any

HEADER_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
ACCESS_TYPES = frozenset({"bearer", "at+jwt"})
SERVICE_ACCOUNT = "service-account-"
# Only ID tokens have these (OpenID Connect Core 3.3.2.11), whatever `typ` says.
OF_ID_TOKENS = ("at_hash", "c_hash", "s_hash")
# Keycloak adds these to a service account's tokens only.
OF_MACHINES = ("clientHost", "clientAddress")
# A person logged in: a session, its time, or a person's name. A machine's token has none of them.
OF_PEOPLE = ("sid", "session_state", "auth_time", "email", "preferred_username", "given_name", "family_name")


def why_not_an_associate(claims: Mapping[str, Any], own_client_id: str) -> str:
    """Return why these verified claims are not an associate's access token, "" when they are."""
    if str(claims.get("typ", "Bearer")).lower() not in ACCESS_TYPES or any(
        name in claims for name in OF_ID_TOKENS
    ):
        return "not an access token"
    if _is_machine(claims, own_client_id):
        return "a machine's token"
    if not any(claims.get(name) for name in OF_PEOPLE):
        return "a token without a login"
    return ""


def _is_machine(claims: Mapping[str, Any], own_client_id: str) -> bool:
    names = [str(claims.get(name, "")).lower() for name in ("sub", "preferred_username", "username")]
    clients = {str(claims.get(name) or "") for name in ("azp", "client_id", "clientId")} - {""}
    return (
        any(name.startswith(SERVICE_ACCOUNT) for name in names)
        or any(name in claims for name in OF_MACHINES)
        or str(claims.get("gty", "")).replace("_", "-") == "client-credentials"
        or claims.get("sub") in clients
        # No person logs in with our own client.
        or (bool(own_client_id) and own_client_id in clients)
    )
