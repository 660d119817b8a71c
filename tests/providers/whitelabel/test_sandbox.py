"""The sandbox refuses what the vendor would refuse, so that the adapter cannot be sloppy."""

from typing import Any

import jwt
import pytest
import requests

from loyaltyview.sandbox.vendors.whitelabel.sample import USER_ISSUER
from loyaltyview.sandbox.vendors.whitelabel.server import WhiteLabel
from tests.providers.whitelabel.build import SECRET

TOKEN = {
    "client_id": SECRET,
    "client_secret": SECRET,
    "audience": "wlloyalty.net",
    "grant_type": "client_credentials",
}


@pytest.fixture
def call(address: str):  # type: ignore[no-untyped-def]
    token = requests.post(f"{address}/oauth/token", json=TOKEN, timeout=5).json()["access_token"]

    def send(method: str, path: str, **given: Any) -> requests.Response:
        headers = {"X-Api-Key": SECRET, "Authorization": f"Bearer {token}", **given.pop("headers", {})}
        return requests.request(method, address + path, headers=headers, timeout=5, **given)

    return send


@pytest.mark.parametrize(
    ("method", "path", "given", "status"),
    [
        ("GET", "/users", {}, 400),  # the list's order is required
        ("GET", "/users?order=DESC&limit=2000", {}, 400),
        ("GET", "/users?order=DESC&page=2", {}, 400),
        ("GET", "/users?order=DESC&filter=x", {}, 400),
        ("GET", "/users/?order=DESC", {}, 200),
        ("GET", "/users/7", {}, 404),
        ("GET", "/tiers?locale=xx", {}, 400),
        ("POST", "/users", {"json": {"profile": {"givenName": "A"}}}, 400),
        ("POST", "/users", {"json": {"profile": {}, "points": 5}}, 400),
        ("POST", "/events", {"json": {"type": "SALE_2"}}, 400),
        ("POST", "/events", {"json": {"type": "PURCHASED_REWARD"}}, 400),
        ("POST", "/events", {"json": {"type": "REDEEMED_POINTS", "payload": {"points": "5"}}}, 400),
        ("POST", "/events", {"json": {"type": "REDEEMED_POINTS", "payload": {"points": -5}}}, 400),
        ("POST", "/events", {"json": {
            "type": "REDEEMED_POINTS", "payload": {"points": 5}, "occurredAt": "2025-06-01T10:00:00Z"}}, 400),
        ("POST", "/events", {"data": "{}"}, 400),
        ("POST", "/commands/redeem_benefit", {"json": {"benefitId": "no"}}, 404),
        ("POST", "/commands/validate_voucher", {"json": {"code": ""}}, 400),
        ("POST", "/commands/adjust_points", {"json": {"points": 5}}, 400),
        ("GET", "/settings/a1", {}, 400),
        ("GET", "/settings/nothing", {}, 404),
        ("GET", "/nothing", {}, 404),
        ("GET", "/users/1000101", {"headers": {"X-Api-Key": "wrong"}}, 403),
        ("GET", "/users/1000101", {"headers": {"Authorization": "Bearer wrong"}}, 401),
    ],
)  # fmt: skip
def test_a_call_that_the_vendor_would_refuse_is_refused(  # type: ignore[no-untyped-def]
    call, method: str, path: str, given: dict[str, Any], status: int
) -> None:
    answer = call(method, path, **given)
    assert answer.status_code == status
    if status == 403:
        assert answer.json() == {"message": "Forbidden"}
    elif status >= 400:
        assert answer.json()["status"] == "fail"


def test_a_voucher_must_be_redeemed_before_it_is_validated_and_is_burned_once(  # type: ignore[no-untyped-def]
    call, vendor: WhiteLabel, mia: str
) -> None:
    benefit = vendor.state.give(mia, vendor.state.reward_named("$5 off"))
    assert call("POST", "/commands/redeem_benefit", json={"benefitId": benefit["id"]}).status_code == 200
    assert call("POST", "/commands/redeem_benefit", json={"benefitId": benefit["id"]}).status_code == 409
    code = {"code": benefit["code"]["value"]}
    for _ in range(2):
        look = call("POST", "/commands/validate_voucher", json={**code, "allowFutureValidation": True})
        assert look.json()["data"]["burnedAt"] is None
    other = {**code, "userIdentifier": "auth0|leo"}
    assert call("POST", "/commands/validate_voucher", json=other).status_code == 400
    assert call("POST", "/commands/validate_voucher", json=code).json()["data"]["burnedAt"]
    assert call("POST", "/commands/validate_voucher", json=code).status_code == 409


@pytest.mark.parametrize("change", [{"client_secret": "wrong"}, {"grant_type": "password"}, {"more": 1}])
def test_a_token_needs_the_right_credentials(address: str, change: dict[str, Any]) -> None:
    answer = requests.post(f"{address}/oauth/token", json={**TOKEN, **change}, timeout=5)
    assert answer.status_code in (400, 401)


RECEIPT: dict[str, Any] = {
    "externalId": "order-1",
    "placedAt": "2026-06-02T10:31:00.000Z",
    "total": 80.5,
    "currency": "USD",
    "items": [{"sku": "SHIRT-01", "quantity": 1, "price": 80.5}],
    "metadata": {"source": "test"},
}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 201),
        ({"submitter": {"authIdentifier": "auth0|mia"}}, 201),
        ({"submitter": {"authIdentifier": "auth0|stranger"}}, 404),
        ({"submitter": {"id": "auth0|mia"}}, 400),
        ({"store": "boston-1"}, 400),
        ({"metadata": {}}, 400),
        ({"items": [{"sku": "SHIRT-01", "price": 80.5}]}, 400),
    ],
)
def test_an_order_to_receipts_has_known_fields_only(  # type: ignore[no-untyped-def]
    call, vendor: WhiteLabel, change: dict[str, Any], status: int
) -> None:
    assert call("POST", "/receipts/v1/orders", json={**RECEIPT, **change}).status_code == status
    assert len(vendor.state.events_of("ORDER_PLACED")) == (status == 201)


@pytest.mark.parametrize(
    ("change", "path", "status"),
    [
        ({}, "/rewards?order=DESC", 200),
        ({}, "/users?order=DESC", 403),
        ({"sub": "auth0|stranger"}, "/rewards?order=DESC", 401),
        ({"iss": "https://another.example/"}, "/rewards?order=DESC", 401),
        ({"exp": 1_700_000_300}, "/rewards?order=DESC", 401),
    ],
)
def test_a_members_token_is_checked_and_reads_rewards_only(  # type: ignore[no-untyped-def]
    call, change: dict[str, Any], path: str, status: int
) -> None:
    claims = {"sub": "auth0|mia", "iss": USER_ISSUER, "iat": 1_700_000_000, "exp": 4_000_000_000, **change}
    token = jwt.encode(claims, SECRET, algorithm="HS256")
    assert call("GET", path, headers={"Authorization": f"Bearer {token}"}).status_code == status
