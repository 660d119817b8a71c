"""POST /identity/<program>/: what the host app gets, and what the log says."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
import responses
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from loyaltyview.newstore.context import Associate
from loyaltyview.newstore.identity import read_identity
from loyaltyview.programs.models import Program
from tests.newstore.conftest import DEVICE


def post(client: Client, body: Any, path: str = "/identity/acme/") -> Any:
    raw = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.post(path, raw, content_type="application/json")


def counted(outcome: str, program: str = "acme") -> float:
    labels = {"program": program, "outcome": outcome}
    return REGISTRY.get_sample_value("newstore_identity_total", labels) or 0


def test_login_gives_an_identity_that_the_launch_can_read(
    client: Client, tenant: Program, with_keys: responses.BaseResponse, signed: Callable[..., str]
) -> None:
    before = counted("ISSUED")
    response = post(client, {"device_id": DEVICE, "identity": signed()})
    assert response.status_code == 200
    assert response.json().keys() == {"external_identity"}
    associate = read_identity(tenant, response.json()["external_identity"])
    assert associate == Associate(associate_id="kim", device_id=DEVICE)
    assert "no-store" in response["Cache-Control"]
    assert counted("ISSUED") == before + 1


def test_callback_needs_no_csrf_token(tenant: Program) -> None:
    assert post(Client(enforce_csrf_checks=True), {}).status_code == 400


def test_bad_token_is_401_with_a_log_line_and_a_count(
    client: Client, tenant: Program, with_keys: responses.BaseResponse, signed: Callable[..., str]
) -> None:
    before = counted("TOKEN_INVALID")
    token = signed(iss="https://evil.test")
    with capture_logs() as lines:
        response = post(client, {"device_id": DEVICE, "identity": token})
    assert (response.status_code, response.json()) == (401, {"error": "TOKEN_INVALID"})
    assert any(line["event"] == "identity_refused" and line["reason"] == "TOKEN_INVALID" for line in lines)
    assert token.removeprefix("Bearer ") not in str(lines)
    assert counted("TOKEN_INVALID") == before + 1


def test_unreadable_keys_are_503(
    client: Client, tenant: Program, newstore: responses.RequestsMock, signed: Callable[..., str]
) -> None:
    newstore.get(tenant.newstore_identity_url + "/protocol/openid-connect/certs", status=500)
    response = post(client, {"device_id": DEVICE, "identity": signed()})
    assert (response.status_code, response.json()) == (503, {"error": "KEYS_UNAVAILABLE"})


@pytest.mark.parametrize(
    "body",
    ["", "not json", "[]", "[" * 50_000, b"\xff\xfe\x00", {}, {"device_id": DEVICE}, {"identity": "Bearer x"},
     {"device_id": 7, "identity": "Bearer x"}, {"device_id": "", "identity": "x"},
     {"device_id": "d" * 101, "identity": "x"}, {"device_id": "a\x00b", "identity": "x"},
     {"device_id": DEVICE, "identity": ["x"]}],
)  # fmt: skip
def test_malformed_body_is_400(client: Client, tenant: Program, body: Any) -> None:
    response = post(client, body)
    assert (response.status_code, response.json()) == (400, {"error": "BODY_MALFORMED"})


@pytest.mark.parametrize("size", [65_537, 2_000_000])
def test_large_body_is_413(client: Client, tenant: Program, size: int) -> None:
    assert post(client, "x" * size).status_code == 413


def test_unknown_and_inactive_programs_are_404(client: Client, tenant: Program) -> None:
    before = counted("PROGRAM_UNKNOWN", "unknown")
    assert post(client, {}, "/identity/nobody/").status_code == 404
    Program.objects.update(is_active=False)
    assert post(client, {}).json() == {"error": "PROGRAM_UNKNOWN"}
    assert counted("PROGRAM_UNKNOWN", "unknown") == before + 2


@pytest.mark.parametrize("method", ["get", "put", "delete", "head"])
def test_other_methods_are_405(client: Client, tenant: Program, method: str) -> None:
    response = getattr(client, method)("/identity/acme/")
    assert (response.status_code, response["Allow"]) == (405, "POST")


def unsigned(signed: Callable[..., str]) -> str:
    claims = jwt.decode(signed().removeprefix("Bearer "), options={"verify_signature": False})
    return "Bearer " + jwt.encode(claims, None, algorithm="none", headers={"kid": "k1"})


def confused(signed: Callable[..., str], key: rsa.RSAPrivateKey) -> str:
    """Return a token signed with NewStore's public key as a shared secret."""
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    _, payload, _ = signed().split(".")
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"k1","typ":"JWT"}').decode().rstrip("=")
    mac = hmac.new(pem, f"{header}.{payload}".encode(), hashlib.sha256).digest()
    return f"Bearer {header}.{payload}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


@pytest.mark.parametrize("attack", ["forged", "other tenant", "alg none", "key confusion", "expired"])
def test_every_kind_of_bad_token_is_refused_and_counted(
    client: Client,
    tenant: Program,
    with_keys: responses.BaseResponse,
    signed: Callable[..., str],
    signing_key: rsa.RSAPrivateKey,
    other_key: rsa.RSAPrivateKey,
    attack: str,
) -> None:
    tokens = {
        "forged": lambda: signed(key=other_key),
        "other tenant": lambda: signed(iss="https://id.newstore.test/auth/realms/other"),
        "alg none": lambda: unsigned(signed),
        "key confusion": lambda: confused(signed, signing_key),
        "expired": lambda: signed(exp=int(time.time()) - 120),
    }
    code = "TOKEN_EXPIRED" if attack == "expired" else "TOKEN_INVALID"
    before = counted(code)
    response = post(client, {"device_id": DEVICE, "identity": tokens[attack]()})
    assert (response.status_code, response.json()) == (401, {"error": code})
    assert counted(code) == before + 1
