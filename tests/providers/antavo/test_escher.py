"""Signatures, by the vectors of docs/contracts/antavo.md 1.6 and two more (invented credentials; A, B, D
agree with escherauth)."""

import hashlib
from datetime import UTC, datetime

import pytest
import requests

from providers.antavo.escher import (
    Credentials,
    Message,
    authorization,
    canonical_path,
    canonical_query,
    canonical_request,
    signer,
)

AT = datetime(2026, 1, 15, 10, 20, 30, tzinfo=UTC)
CREDENTIALS = Credentials(key="TESTKEY0001", secret="s3cr3t/Value+42", environment="st9")
COMPACT, RFC1123 = "20260115T102030Z", "Thu, 15 Jan 2026 10:20:30 GMT"
BODY = b'{"customer":"c-1001","action":"point_add","data":{"points":25}}'
HASHES = {
    "A": "b5d9b4132dd30e874387dfb243d1aa6240861a270ae321606eaebf83adbb3dd0",
    "B": "e2c96a6b4ae33d735eaffaf79ece7e5e945dd4d9465bd08657b5162d891be1fb",
}


def message(
    path: str, query: str = "", *, method: str = "GET", body: bytes = b"", date: str = COMPACT
) -> Message:
    return Message(method=method, path=path, query=query, host="api.st9.antavo.com", date=date, body=body)


A = message("/customers/c-1001")
B = message("/events", method="POST", body=BODY)
C = message("/customers", "mobile_phone=%2B36301234567&limit=5")
D = message("/customers/c-1001/activities/rewards", "fields=claims%2Cterms&limit=2&offset=0")


@pytest.mark.parametrize(
    ("request_", "signature"),
    [
        pytest.param(A, "a4d0ba641da141f46dd67e52b3b9d841a52b8365e5599d63ec1f45a3aa50f2d5", id="A"),
        pytest.param(B, "b40d5ba64a5185121cf079079f18970c1debaf66e6471cb070e0341f2b4203d1", id="B"),
        pytest.param(C, "a2fa5fe73066385357f9e434787514270af3cfa416e75867d9f90a54df0a22c5", id="C"),
        pytest.param(D, "215d98a1d163b68a4fc6db908de86535f020882c5dba9ea9aa60fa88b50ed68d", id="D"),
        pytest.param(
            message("/customers/c-1001", date=RFC1123),
            "56609454262f25b48ba3948e9ddf4c58753e303e4ca7713d9886dac6a4f69758",
            id="A with an RFC 1123 date",
        ),
        pytest.param(
            message("/events", method="POST", body=BODY, date=RFC1123),
            "37945a87f3187b5a612ba7610a02601de0f494a778f19123167f48eff24ec9fc",
            id="B with an RFC 1123 date",
        ),
    ],
)
def test_a_request_is_signed_as_antavo_signs_it(request_: Message, signature: str) -> None:
    assert authorization(request_, CREDENTIALS, AT) == (
        "ANTAVO-HMAC-SHA256 Credential=TESTKEY0001/20260115/st9/api/antavo_request, "
        f"SignedHeaders=date;host, Signature={signature}"
    )


@pytest.mark.parametrize(("request_", "name"), [(A, "A"), (B, "B")])
def test_the_canonical_request_has_the_published_hash(request_: Message, name: str) -> None:
    assert hashlib.sha256(canonical_request(request_).encode()).hexdigest() == HASHES[name]


def test_an_encoded_plus_is_sent_as_it_is_and_signed_as_a_space() -> None:
    assert canonical_query(C.query) == "limit=5&mobile_phone=%2036301234567"


@pytest.mark.parametrize(
    ("query", "canonical"),
    [
        ("", ""),
        ("b=2&a=1", "a=1&b=2"),
        ("a", "a="),
        ("a=%21%2A", "a=%21%2A"),
        ("a=!*", "a=%21%2A"),
        ("a=~-_.", "a=~-_."),
        ("a=b+c", "a=b%20c"),
        ("a=b=c", "a=b"),
        ("a=%3D", "a=%3D"),
        ("a=%C3%A9", "a=%C3%A9"),
    ],
)
def test_a_query_is_decoded_encoded_and_sorted(query: str, canonical: str) -> None:
    assert canonical_query(query) == canonical


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("", "/"),
        ("/a/b", "/a/b"),
        ("/offers/", "/offers/"),
        ("/a//b", "/a/b"),
        ("/a/./b", "/a/b"),
        ("/a/x/../b", "/a/b"),
        ("/a%20b", "/a%20b"),
    ],
)
def test_a_path_is_normalised_but_not_encoded_again(path: str, canonical: str) -> None:
    assert canonical_path(path) == canonical


def test_the_signed_request_is_sent_unchanged() -> None:
    prepared = requests.Session().prepare_request(
        requests.Request(
            "GET",
            "https://api.st9.antavo.com:443/customers",
            params={"mobile_phone": "+36301234567", "limit": 5},
        )
    )
    signer(CREDENTIALS, lambda: AT)(prepared)
    assert prepared.path_url == "/customers?mobile_phone=%2B36301234567&limit=5"
    assert prepared.headers["Host"] == "api.st9.antavo.com"
    assert prepared.headers["Date"] == COMPACT
    assert prepared.headers["Authorization"] == authorization(C, CREDENTIALS, AT)
