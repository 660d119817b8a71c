"""The sandbox's Antavo refuses the same faults as the real one: signatures, attributes, types, sequences."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from providers.antavo.client import Client
from providers.antavo.escher import Credentials, signer
from providers.antavo.provider import AntavoProvider
from providers.errors import Rejected
from tests.providers.antavo.conftest import MIA, SECRET, Served


def call(
    vendor: Served,
    path: str = f"/customers/{MIA}",
    *,
    key: str = SECRET,
    secret: str = SECRET,
    environment: str = "st9",
    late_s: float = 0,
) -> requests.Response:
    credentials = Credentials(key=key, secret=secret, environment=environment)
    with requests.Session() as session:
        prepared = session.prepare_request(requests.Request("GET", vendor.url + path))
        signer(credentials, lambda: datetime.now(UTC) + timedelta(seconds=late_s))(prepared)
        return session.send(prepared)


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": "another"},
        {"secret": "another"},
        {"environment": "st1"},
        {"late_s": 301},
        {"late_s": -301},
    ],
)
def test_a_wrong_signature_is_refused(vendor: Served, wrong: dict[str, Any]) -> None:
    response = call(vendor, **wrong)
    assert (response.status_code, response.json()["error"]["code"]) == (401, 101021)


def test_a_body_that_was_changed_after_signing_is_refused(vendor: Served) -> None:
    credentials = Credentials(key=SECRET, secret=SECRET, environment="st9")
    with requests.Session() as session:
        prepared = session.prepare_request(requests.Request("POST", f"{vendor.url}/events", data=b"{}"))
        signer(credentials, lambda: datetime.now(UTC))(prepared)
        prepared.prepare_body(b"{ }", None)
        assert session.send(prepared).status_code == 401


def test_an_unsigned_request_is_refused(vendor: Served) -> None:
    response = requests.get(f"{vendor.url}/customers/{MIA}", params={"api_key": SECRET})
    assert response.status_code == 401
    assert response.json()["error"]["message"] == "Auth header format is invalid"


def test_a_signed_request_is_answered_as_javascript(vendor: Served) -> None:
    response = call(vendor)
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/javascript")


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("cehckout", {"transaction_id": "t"}),
        ("coupon_assign", {"code": "x"}),
        ("checkout", {"total": 5}),
        ("checkout", {"transaction_id": "t", "total": "5"}),
        ("checkout", {"transaction_id": "t", "colour": "red"}),
        ("checkout", {"transaction_id": "t", "items": [{"product_id": "p"}]}),
        ("checkout", {"transaction_id": "t", "items": [{"product_id": "p", "quantity": 1, "size": 4}]}),
        ("reserve_points", {"transaction_id": "t", "points": -5}),
        ("reserve_points", {"transaction_id": "t", "points": 1.5}),
        ("release_points", {"transaction_id": "never"}),
        ("coupon_redeem", {"code": "ANA-BIRTHDAY"}),
        ("refund", {"transaction_id": "never"}),
        ("partial_refund", {"transaction_id": "never", "amount": 1}),
        ("checkout_accept", {"transaction_id": "never"}),
        ("point_unspend", {"points": 5}),
    ],
)
def test_an_invalid_event_is_refused_and_changes_nothing(
    provider: AntavoProvider, vendor: Served, action: str, data: dict[str, Any]
) -> None:
    client: Client = provider.client
    before = provider.get_member(MIA).balance
    with pytest.raises(Rejected):
        client.event(action, MIA, data)
    assert provider.get_member(MIA).balance == before
    assert not vendor.mia.transactions


@pytest.mark.parametrize(
    "path",
    ["/customers", "/customers?limit=5", "/customers?country=US", "/customers?match=exact&mobile_phone=%2B1"],
)
def test_a_search_without_a_searchable_field_is_refused(vendor: Served, path: str) -> None:
    response = call(vendor, path)
    assert (response.status_code, response.json()["error"]["code"]) == (400, 160211)


def test_a_transaction_is_only_refunded_when_accepted_and_never_beyond_its_total(
    provider: AntavoProvider, vendor: Served
) -> None:
    client = provider.client
    vendor.workspace.accept_mode = "manual"
    client.event("checkout", MIA, {"transaction_id": "t", "total": 10})
    for action, data, code in (
        ("refund", {}, 112201),
        ("partial_refund", {"amount": 1}, 112201),
    ):
        with pytest.raises(Rejected, match=str(code)):
            client.event(action, MIA, {"transaction_id": "t", **data})
    client.event("checkout_accept", MIA, {"transaction_id": "t"})
    for amount, code in ((-1, 112202), (11, 112203)):
        with pytest.raises(Rejected, match=str(code)):
            client.event("partial_refund", MIA, {"transaction_id": "t", "amount": amount})
