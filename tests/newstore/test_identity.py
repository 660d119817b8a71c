"""NewStore's token at login, and our own identity made from it (docs/contracts/newstore.md 3)."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
import responses
import time_machine
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyaltyview.newstore import keys
from loyaltyview.newstore.context import Associate
from loyaltyview.newstore.errors import IdentityError
from loyaltyview.newstore.identity import issue_identity, read_identity, verify_associate
from loyaltyview.ops.encrypted import box
from loyaltyview.programs.models import Program
from tests.newstore.conftest import DEVICE, jwks

KIM = Associate(associate_id="kim", device_id=DEVICE)
Sign = Callable[..., str]


def refusal(program: Program, bearer: str) -> str:
    with pytest.raises(IdentityError) as caught:
        verify_associate(program, bearer, DEVICE)
    return caught.value.code


def certs(program: Program) -> str:
    return program.newstore_identity_url + "/protocol/openid-connect/certs"


def test_valid_token_names_the_associate(
    tenant: Program, with_keys: responses.BaseResponse, signed: Sign
) -> None:
    assert verify_associate(tenant, signed(), DEVICE) == KIM


def test_forged_signature_is_refused(
    tenant: Program, with_keys: responses.BaseResponse, signed: Sign, other_key: rsa.RSAPrivateKey
) -> None:
    assert refusal(tenant, signed(key=other_key)) == "TOKEN_INVALID"


def test_changed_claims_are_refused(tenant: Program, with_keys: responses.BaseResponse, signed: Sign) -> None:
    header, _, signature = signed().split(".")
    _, payload, _ = signed(sub="boss").split(".")
    assert refusal(tenant, f"{header}.{payload}.{signature}") == "TOKEN_INVALID"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "https://evil.test/auth/realms/acme"}, "TOKEN_INVALID"),
        ({"iss": None}, "TOKEN_INVALID"),
        ({"exp": None}, "TOKEN_INVALID"),
        ({"exp": -120}, "TOKEN_EXPIRED"),
        ({"exp": "soon"}, "TOKEN_INVALID"),
        ({"nbf": 600}, "TOKEN_INVALID"),
        ({"iat": 600}, "TOKEN_INVALID"),
        ({"sub": None}, "TOKEN_INVALID"),
        ({"sub": ""}, "TOKEN_INVALID"),
        ({"sub": "x" * 101}, "TOKEN_INVALID"),
        ({"preferred_username": "service-account-loyaltyview"}, "TOKEN_INVALID"),
    ],
)
def test_wrong_claims_are_refused(
    tenant: Program, with_keys: responses.BaseResponse, signed: Sign, changes: dict[str, Any], code: str
) -> None:
    # Times are seconds from now: from when the test runs, not from when it was collected.
    now = int(time.time())
    claims = {name: now + value if isinstance(value, int) else value for name, value in changes.items()}
    assert refusal(tenant, signed(**claims)) == code


@pytest.mark.parametrize(
    "changes",
    [
        {"typ": "ID"},
        {"typ": "Refresh"},
        {"typ": "Offline"},
        {"typ": "Logout"},
        {"typ": ["Bearer"]},
        {"at_hash": "v1Xk0Gk7qZs0m1sVd0Q1wA"},
        {"sub": "service-account-loyaltyview"},
        {"sub": "associate-app", "azp": "associate-app"},
        {"sub": "associate-app", "client_id": "associate-app"},
        {"azp": "loyaltyview"},  # no person logs in with our own client
        {"azp": ["loyaltyview"], "clientHost": "10.0.0.1"},
        {"gty": "client-credentials"},
        {"email": None},  # no session, no login, no person
    ],
)
def test_machine_id_and_refresh_tokens_are_refused(
    tenant: Program, with_keys: responses.BaseResponse, signed: Sign, changes: dict[str, Any]
) -> None:
    assert refusal(tenant, signed(**changes)) == "TOKEN_INVALID"


@pytest.mark.parametrize(
    "changes",
    [
        {"typ": "Bearer", "azp": "associate-app", "client_id": "associate-app", "nonce": "n-1"},
        {"typ": "at+jwt"},
        {"email": None, "sid": "4f1c"},
        {"email": None, "preferred_username": "kim"},
    ],
)
def test_all_forms_of_associates_access_tokens_are_accepted(
    tenant: Program, with_keys: responses.BaseResponse, signed: Sign, changes: dict[str, Any]
) -> None:
    assert verify_associate(tenant, signed(**changes), DEVICE) == KIM


@pytest.mark.parametrize(
    ("typ", "passes"),
    [("at+jwt", True), ("application/at+jwt", True), ("JWT", True), ("logout+jwt", False), ("id+jwt", False)],
)
def test_the_header_names_the_kind_of_token(
    tenant: Program, with_keys: responses.BaseResponse, signed: Sign, typ: str, passes: bool
) -> None:
    token = signed(header_type=typ)
    if passes:
        assert verify_associate(tenant, token, DEVICE) == KIM
    else:
        assert refusal(tenant, token) == "TOKEN_INVALID"


def test_clocks_may_differ_by_a_minute(
    tenant: Program, with_keys: responses.BaseResponse, signed: Sign
) -> None:
    soon = int(time.time()) + 45
    assert verify_associate(tenant, signed(iat=soon, nbf=soon), DEVICE) == KIM


def test_unsigned_token_is_refused_without_asking_newstore(
    tenant: Program, with_keys: responses.BaseResponse, signed: Sign
) -> None:
    claims = jwt.decode(signed().removeprefix("Bearer "), options={"verify_signature": False})
    unsigned = jwt.encode(claims, None, algorithm="none", headers={"kid": "k1"})
    assert refusal(tenant, "Bearer " + unsigned) == "TOKEN_INVALID"
    assert with_keys.call_count == 0


def test_public_key_as_a_shared_secret_is_refused(
    tenant: Program, with_keys: responses.BaseResponse, signed: Sign, signing_key: rsa.RSAPrivateKey
) -> None:
    import base64
    import hashlib
    import hmac

    pem = signing_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    _, payload, _ = signed().split(".")
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"k1","typ":"JWT"}').decode().rstrip("=")
    mac = hmac.new(pem, f"{header}.{payload}".encode(), hashlib.sha256).digest()
    token = f"{header}.{payload}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
    assert refusal(tenant, "Bearer " + token) == "TOKEN_INVALID"


def test_audience_is_checked_where_the_program_names_one(
    tenant: Program, with_keys: responses.BaseResponse, signed: Sign
) -> None:
    tenant.newstore_audience = "loyalty"
    assert refusal(tenant, signed(aud="account")) == "TOKEN_INVALID"
    assert refusal(tenant, signed(aud=None)) == "TOKEN_INVALID"
    assert verify_associate(tenant, signed(aud=["account", "loyalty"]), DEVICE) == KIM


@pytest.mark.parametrize("bearer", ["", "Bearer ", "Bearer x", "a.b.c", "Bearer é.é.é", "x" * 20_000, "..."])
def test_text_that_is_not_a_token_is_refused(tenant: Program, bearer: str) -> None:
    assert refusal(tenant, bearer) == "TOKEN_INVALID"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text() | st.builds(lambda *p: ".".join(p), st.text(), st.text(), st.text()))
def test_any_text_is_refused_with_a_code(tenant: Program, text: str) -> None:
    assert refusal(tenant, text) == "TOKEN_INVALID"


# --- NewStore's keys ------------------------------------------------------------------------------


def test_keys_are_fetched_once_in_five_minutes(
    tenant: Program, with_keys: responses.BaseResponse, signed: Sign
) -> None:
    for _ in range(3):
        verify_associate(tenant, signed(), DEVICE)
    assert with_keys.call_count == 1


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Return a function that moves the clock of the kept keys by this many seconds."""
    now = [time.monotonic()]

    class Clock:
        @staticmethod
        def monotonic() -> float:
            return now[0]

    monkeypatch.setattr(keys, "time", Clock)

    def tick(seconds: float) -> None:
        now[0] += seconds

    return tick


def test_keys_are_fetched_again_after_five_minutes(
    tenant: Program, with_keys: responses.BaseResponse, signed: Sign, clock: Callable[[float], None]
) -> None:
    verify_associate(tenant, signed(), DEVICE)
    clock(keys.KEPT_S + 1)
    verify_associate(tenant, signed(), DEVICE)
    assert with_keys.call_count == 2


def test_changed_keys_are_noticed_by_their_new_id(
    tenant: Program,
    newstore: responses.RequestsMock,
    with_keys: responses.BaseResponse,
    signed: Sign,
    other_key: rsa.RSAPrivateKey,
    clock: Callable[[float], None],
) -> None:
    verify_associate(tenant, signed(), DEVICE)
    newstore.replace("GET", certs(tenant), json=jwks(k2=other_key))
    clock(keys.FETCH_PAUSE_S + 1)
    assert verify_associate(tenant, signed(key=other_key, kid="k2"), DEVICE) == KIM
    assert refusal(tenant, signed()) == "TOKEN_INVALID"


def test_unknown_key_ids_do_not_fetch_the_keys_each_time(
    tenant: Program, with_keys: responses.BaseResponse, signed: Sign
) -> None:
    verify_associate(tenant, signed(), DEVICE)
    for number in range(20):
        assert refusal(tenant, signed(kid=f"made-up-{number}")) == "TOKEN_INVALID"
    assert with_keys.call_count == 1


def test_encryption_key_of_the_list_is_not_accepted_for_signatures(
    tenant: Program, with_keys: responses.BaseResponse, signed: Sign
) -> None:
    assert refusal(tenant, signed(kid="k1-enc")) == "TOKEN_INVALID"


@pytest.mark.parametrize(
    "answer",
    [{"status": 500}, {"status": 404}, {"body": "<html>"}, {"json": []}, {"json": {"keys": []}},
     {"json": {"keys": [{"kty": "RSA", "kid": "k1", "n": "!", "e": "AQAB"}, "x"]}}],
)  # fmt: skip
def test_unreadable_keys_are_unavailable_and_not_fetched_again_immediately(
    tenant: Program, newstore: responses.RequestsMock, signed: Sign, answer: dict[str, Any]
) -> None:
    endpoint = newstore.get(certs(tenant), **answer)
    assert refusal(tenant, signed()) == "KEYS_UNAVAILABLE"
    assert refusal(tenant, signed()) == "KEYS_UNAVAILABLE"
    assert endpoint.call_count == 1


def test_short_keys_are_not_trusted(tenant: Program, newstore: responses.RequestsMock, signed: Sign) -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    newstore.get(certs(tenant), json=jwks(k1=weak))
    assert refusal(tenant, signed()) == "KEYS_UNAVAILABLE"


# --- Our own identity -----------------------------------------------------------------------------


def identity_refusal(program: Program, token: str) -> str:
    with pytest.raises(IdentityError) as caught:
        read_identity(program, token)
    return caught.value.code


def test_identity_comes_back_as_it_was_issued(program: Program) -> None:
    token = issue_identity(program, KIM)
    assert read_identity(program, token) == KIM
    assert token.replace("-", "").replace("_", "").isalnum()
    assert DEVICE not in token


def test_padded_identity_is_accepted(program: Program) -> None:
    token = issue_identity(program, KIM)
    assert read_identity(program, token + "=" * (-len(token) % 4)) == KIM


@pytest.mark.parametrize(("hours", "code"), [(2.99, ""), (3.01, "IDENTITY_EXPIRED")])
def test_identity_lives_three_hours(program: Program, hours: float, code: str) -> None:
    with time_machine.travel("2026-03-04T09:00:00Z", tick=False) as traveller:
        token = issue_identity(program, KIM)
        traveller.shift(timedelta(hours=hours))
        if code:
            assert identity_refusal(program, token) == code
        else:
            assert read_identity(program, token) == KIM


def test_identity_from_the_future_is_refused(program: Program) -> None:
    with time_machine.travel("2026-03-04T09:00:00Z", tick=False) as traveller:
        token = issue_identity(program, KIM)
        traveller.shift(timedelta(minutes=-5))
        assert identity_refusal(program, token) == "IDENTITY_INVALID"


def test_identity_of_another_program_is_refused(program: Program) -> None:
    other = Program(slug="other")
    assert identity_refusal(other, issue_identity(program, KIM)) == "IDENTITY_OTHER_PROGRAM"


def test_other_ciphertexts_of_our_keys_are_not_an_identity(program: Program) -> None:
    for text in (
        "an access token",
        "[]",
        "1",
        json.dumps({"program": "acme", "associate": "kim", "device": "d"}),
    ):
        assert identity_refusal(program, box().encrypt(text.encode()).decode()) == "IDENTITY_INVALID"


def test_changed_identity_is_refused(program: Program) -> None:
    token = issue_identity(program, KIM)
    middle = len(token) // 2
    changed = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]
    assert identity_refusal(program, changed) == "IDENTITY_INVALID"


def test_missing_identity_has_its_own_code(program: Program) -> None:
    assert identity_refusal(program, "") == "IDENTITY_MISSING"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(min_size=1) | st.text(alphabet="AB-_=", min_size=1))
def test_any_text_as_identity_is_refused(program: Program, text: str) -> None:
    assert identity_refusal(program, text) == "IDENTITY_INVALID"
