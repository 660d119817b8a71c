"""NewStore's identity service: a Keycloak realm with client credentials and associates' tokens.

Source: docs/contracts/newstore.md 3.2 and 5. The RS256 key is made at start and never stored.
"""

import base64
import binascii
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.answers import ApiError, Json, answer, problem
from loyaltyview.sandbox.config import SandboxConfig
from loyaltyview.sandbox.sample import Associate


class IdentityProvider:
    """The realm of one tenant. `issuer` must be the address that clients use."""

    def __init__(self, config: SandboxConfig, base_url: Callable[[], str]) -> None:
        self._config = config
        self._base_url = base_url
        self.rotate_key()

    @property
    def issuer(self) -> str:
        return f"{self._base_url()}/auth/realms/{self._config.tenant}"

    def rotate_key(self) -> None:
        """Sign with a new key from now on; older tokens are no longer valid."""
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._kid = uuid.uuid4().hex

    def discovery(self, request: Request) -> Response:
        protocol = f"{self.issuer}/protocol/openid-connect"
        return answer(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{protocol}/auth",
                "token_endpoint": f"{protocol}/token",
                "introspection_endpoint": f"{protocol}/token/introspect",
                "userinfo_endpoint": f"{protocol}/userinfo",
                "jwks_uri": f"{protocol}/certs",
                "grant_types_supported": ["client_credentials"],
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
                "scopes_supported": ["openid", *self._config.scopes],
            }
        )

    def certs(self, request: Request) -> Response:
        key: Json = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key()))
        key.pop("key_ops", None)
        return answer({"keys": [{**key, "kid": self._kid, "use": "sig", "alg": "RS256"}]})

    def token(self, request: Request) -> Response:
        """Client credentials, in the form or by HTTP Basic; errors in Keycloak's words."""
        form = request.form
        if not form.get("grant_type"):
            raise _oauth(400, "invalid_request", "Missing form parameter: grant_type")
        if form["grant_type"] != "client_credentials":
            raise _oauth(400, "unsupported_grant_type", "Unsupported grant_type")
        client_id, secret = _basic(request) or (form.get("client_id", ""), form.get("client_secret", ""))
        if not secret or (client_id, secret) != (self._config.client_id, self._config.client_secret):
            raise _oauth(401, "invalid_client", "Invalid client or Invalid client credentials")
        wanted = form.get("scope", "").split() or list(self._config.scopes)
        if not set(wanted) <= set(self._config.scopes):
            raise _oauth(400, "invalid_scope", f"Invalid scopes: {' '.join(wanted)}")
        lifetime_s = self._config.token_lifetime_s
        scope = " ".join(wanted)
        return answer(
            {
                "access_token": self.mint_machine_token(client_id, lifetime_s, scope=scope),
                "expires_in": lifetime_s,
                "refresh_expires_in": 0,
                "token_type": "Bearer",
                "not-before-policy": 0,
                "scope": scope,
            }
        )

    def userinfo(self, request: Request) -> Response:
        try:
            claims = self.verify(request)
        except ApiError as error:
            raise _oauth(401, "invalid_token", "Token verification failed") from error
        names = ("sub", "name", "given_name", "family_name", "preferred_username", "email")
        return answer({name: claims[name] for name in names if name in claims})

    def mint_associate_token(self, associate: Associate, lifetime_s: int = 300, **claims: object) -> str:
        """Return the token that Associate App has after this login; `claims` replaces single claims."""
        return self.sign(
            {
                "sub": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self._config.tenant}/{associate.associate_id}")),
                "aud": "account",
                "azp": "associate-app",
                "auth_time": int(time.time()),
                "name": associate.name,
                "given_name": associate.first_name,
                "family_name": associate.last_name,
                "preferred_username": associate.email,
                "email": associate.email,
                "acr": "1",
                **claims,
            },
            lifetime_s,
        )

    def mint_machine_token(self, client_id: str, lifetime_s: int = 300, **claims: object) -> str:
        """Return a token of client credentials, as Keycloak makes it: for a service account, without a
        session."""
        machine = {
            "sub": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self._config.tenant}/client/{client_id}")),
            "azp": client_id,
            "preferred_username": f"service-account-{client_id}",
            "client_id": client_id,
            "clientHost": "127.0.0.1",
            "clientAddress": "127.0.0.1",
        }
        return self.sign({**machine, **claims}, lifetime_s)

    def mint_other_token(self, kind: str, associate: Associate) -> str:
        """Return another token of an associate's session that must not pass for the access token: `kind` is
        "ID", "Refresh" or "Offline". A refresh token is signed with RS256 here; Keycloak's own is not."""
        claims: dict[str, Any] = {"typ": kind, "sid": uuid.uuid4().hex}
        if kind == "ID":
            claims |= {"aud": "associate-app", "at_hash": "v1Xk0Gk7qZs0m1sVd0Q1wA"}
        else:
            claims |= {"aud": self.issuer, "scope": "openid email profile"}
        return self.mint_associate_token(associate, **claims)

    def sign(self, claims: dict[str, Any], lifetime_s: int) -> str:
        now = int(time.time())
        standard = {"iss": self.issuer, "iat": now, "exp": now + lifetime_s, "jti": uuid.uuid4().hex}
        return jwt.encode(
            {**standard, "typ": "Bearer", **claims}, self._key, "RS256", headers={"kid": self._kid}
        )

    def verify(self, request: Request, scope: str = "") -> Json:
        """Return the claims of the bearer token: 401 without header, 403 for a bad token or a missing
        scope."""
        header = request.headers.get("Authorization", "")
        if not header:
            raise problem(401, "missing Authorization header", code="unauthorized")
        kind, _, token = header.partition(" ")
        try:
            if kind != "Bearer":
                raise jwt.InvalidTokenError
            claims: Json = jwt.decode(
                token,
                self._key.public_key(),
                ["RS256"],
                issuer=self.issuer,
                options={"verify_aud": False, "require": ["exp", "iss"]},
            )
        except jwt.InvalidTokenError as error:
            body = {"error_code": "forbidden", "message": "the access token is invalid or expired"}
            raise ApiError(403, body) from error
        if scope and scope not in str(claims.get("scope", "")).split():
            raise ApiError(403, {"error_code": "insufficient_scope", "message": f"scope {scope} is missing"})
        return claims


def _oauth(status: int, error: str, description: str) -> ApiError:
    return ApiError(status, {"error": error, "error_description": description})


def _basic(request: Request) -> tuple[str, str] | None:
    kind, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return client_id, secret
