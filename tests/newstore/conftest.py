"""A NewStore tenant answered by `responses`, with its own signing key."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
import responses
from cryptography.hazmat.primitives.asymmetric import rsa

from loyaltyview.newstore import client as client_module
from loyaltyview.newstore import rate_limit
from loyaltyview.programs.models import Program

API = "https://acme-staging.newstore.test"
DEVICE = "ipad-7"


@pytest.fixture
def tenant(program: Program) -> Program:
    """The program on an API that `responses` answers. Its realm is new for each test: nothing is cached."""
    program.newstore_api_url = API
    program.newstore_identity_url = f"https://id.newstore.test/auth/realms/{uuid.uuid4().hex}"
    program.save()
    return program


@pytest.fixture
def newstore() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def with_token(tenant: Program, newstore: responses.RequestsMock) -> responses.BaseResponse:
    """The token endpoint hands out "fresh-token"."""
    url = tenant.newstore_identity_url + "/protocol/openid-connect/token"
    return newstore.post(url, json={"access_token": "fresh-token", "expires_in": 3600})


@pytest.fixture(scope="session")
def signing_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def other_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def jwks(**keys: rsa.RSAPrivateKey) -> dict[str, Any]:
    """Keycloak's key list: the signing keys by id, and an encryption key that must be ignored."""
    entries = []
    for kid, key in keys.items():
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
        entries.append({**public, "kid": kid, "use": "sig", "alg": "RS256"})
        entries.append({**public, "kid": kid + "-enc", "use": "enc", "alg": "RSA-OAEP"})
    return {"keys": entries}


@pytest.fixture
def with_keys(
    tenant: Program, newstore: responses.RequestsMock, signing_key: rsa.RSAPrivateKey
) -> responses.BaseResponse:
    url = tenant.newstore_identity_url + "/protocol/openid-connect/certs"
    return newstore.get(url, json=jwks(k1=signing_key))


@pytest.fixture
def signed(tenant: Program, signing_key: rsa.RSAPrivateKey) -> Callable[..., str]:
    """Return NewStore's token for the associate kim; keywords change claims (None removes one)."""

    def sign(
        *,
        key: Any = signing_key,
        kid: str = "k1",
        algorithm: str = "RS256",
        header_type: str = "JWT",
        **changes: Any,
    ) -> str:
        now = int(time.time())
        claims = {
            "iss": tenant.newstore_identity_url,
            "sub": "kim",
            "iat": now,
            "exp": now + 300,
            "email": "kim@acme.test",
            "aud": "account",
            **changes,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return "Bearer " + jwt.encode(
            claims, key, algorithm=algorithm, headers={"kid": kid, "typ": header_type}
        )

    return sign


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses are counted, not waited for."""
    waited: list[float] = []

    class Clock:
        monotonic = staticmethod(lambda: time.monotonic() + sum(waited))
        sleep = staticmethod(waited.append)

    monkeypatch.setattr(client_module, "time", Clock)
    monkeypatch.setattr(rate_limit, "time", Clock)
    return waited
