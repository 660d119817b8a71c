"""The API client: access, carts, profiles (docs/contracts/newstore.md 5, 7, 8.4)."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from urllib.parse import parse_qs

import pytest
import responses
import time_machine
from django.core.cache import cache
from responses.matchers import header_matcher, json_params_matcher
from structlog.testing import capture_logs

from loyaltyview.newstore import tokens
from loyaltyview.newstore.answers import HostCart, HostCartItem
from loyaltyview.newstore.client import NewStoreClient
from loyaltyview.newstore.errors import (
    NewStoreAuthFailed,
    NewStoreError,
    NewStoreRejected,
    NewStoreUnavailable,
    NewStoreUnexpected,
)
from loyaltyview.newstore.tokens import SCOPE_MISSING_S, _cache_key, access_token
from loyaltyview.ops.encrypted import box
from loyaltyview.programs.models import Program
from providers.outbound import oauth
from tests.newstore.conftest import API

CART = {
    "id": "c-1",
    "associate_id": "a-17",
    "channel_id": "US_BOSTON_01",
    "channel_type": "STORE",
    "customer_id": "NS-1",
    "currency": "USD",
    "state": "open",
    "items": [{"id": "i-1", "product_id": "100045", "quantity": 2, "price": {"source": "x"}}],
}
PROFILE: dict[str, Any] = {
    "id": "NS-1",
    "display_id": "C-100231",
    "email": "Mia@example.test",
    "first_name": "Mia",
    "last_name": "Stone",
    "full_name": "Mia Stone",
    "phone_number": "+16175550100",
    "store_id": "US_BOSTON_01",
    "updated_at": "2026-03-04T15:00:00Z",
    "extended_attributes": {"size": {"data_type": "number", "value": 9.5}},
}
ONE_PROFILE = f"{API}/customer/profiles/NS-1"

pytestmark = pytest.mark.usefixtures("with_token", "pauses")


def token_url(tenant: Program) -> str:
    return tenant.newstore_identity_url + "/protocol/openid-connect/token"


def test_cart_is_read(tenant: Program, newstore: responses.RequestsMock) -> None:
    newstore.get(
        f"{API}/checkout/carts/c-1",
        json=CART,
        match=[header_matcher({"Authorization": "Bearer fresh-token"})],
    )
    assert NewStoreClient(tenant).get_cart("c-1") == HostCart(
        cart_id="c-1",
        store_id="US_BOSTON_01",
        associate_id="a-17",
        customer_id="NS-1",
        currency="USD",
        channel_type="STORE",
        state="open",
        items=(HostCartItem(item_id="i-1", product_id="100045", quantity=Decimal(2)),),
    )


def test_cart_without_customer_and_of_the_web_is_read(
    tenant: Program, newstore: responses.RequestsMock
) -> None:
    body = {"id": "c-1", "currency": "USD", "channel_type": "WEB", "channel_id": "shop", "customer_id": None}
    newstore.get(f"{API}/checkout/carts/c-1", json=body)
    cart = NewStoreClient(tenant).get_cart("c-1")
    assert (cart.customer_id, cart.store_id) == ("", "")


@pytest.mark.parametrize(
    "body",
    [None, [], {}, {**CART, "currency": None}, {**CART, "customer_id": 5}, {**CART, "items": "x"},
     {**CART, "items": [1]},
     {**CART, "items": [{"product_id": "p", "quantity": "2"}]}, {**CART, "id": "c-2"}],
)  # fmt: skip
def test_answer_without_the_requested_cart_is_unexpected(
    tenant: Program, newstore: responses.RequestsMock, body: Any
) -> None:
    newstore.get(f"{API}/checkout/carts/c-1", body="" if body is None else json.dumps(body))
    with pytest.raises(NewStoreUnexpected):
        NewStoreClient(tenant).get_cart("c-1")


def test_unknown_cart_is_rejected_with_404(tenant: Program, newstore: responses.RequestsMock) -> None:
    newstore.get(f"{API}/checkout/carts/c-1", status=404, json={"error_code": "not_found"})
    with pytest.raises(NewStoreRejected) as caught:
        NewStoreClient(tenant).get_cart("c-1")
    assert caught.value.status == 404


@pytest.mark.parametrize("cart_id", ["", ".", ".."])
def test_id_that_would_name_another_address_is_not_sent(tenant: Program, cart_id: str) -> None:
    with pytest.raises(NewStoreRejected):
        NewStoreClient(tenant).get_cart(cart_id)


# --- Access ---------------------------------------------------------------------------------------


def test_token_is_asked_for_with_client_credentials_and_kept_encrypted(
    tenant: Program, newstore: responses.RequestsMock, with_token: responses.BaseResponse
) -> None:
    newstore.get(f"{API}/checkout/carts/c-1", json=CART)
    for _ in range(3):
        NewStoreClient(tenant).get_cart("c-1")
    assert with_token.call_count == 1
    sent = newstore.calls[0].request
    assert sent.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(str(sent.body)) == {
        "grant_type": ["client_credentials"],
        "client_id": ["loyaltyview"],
        "client_secret": ["s3cret"],
    }
    cached = cache.get(_cache_key(tenant))
    assert box().decrypt(cached) == b"fresh-token"


def test_token_is_renewed_half_a_minute_before_its_end(
    tenant: Program, newstore: responses.RequestsMock, with_token: responses.BaseResponse
) -> None:
    newstore.get(f"{API}/checkout/carts/c-1", json=CART)
    with time_machine.travel("2026-03-04T09:00:00Z", tick=False) as traveller:
        NewStoreClient(tenant).get_cart("c-1")
        traveller.shift(timedelta(seconds=3600 - 31))
        NewStoreClient(tenant).get_cart("c-1")
        assert with_token.call_count == 1
        traveller.shift(timedelta(seconds=2))
        NewStoreClient(tenant).get_cart("c-1")
        assert with_token.call_count == 2


def test_changed_secret_ends_the_use_of_the_old_token(
    tenant: Program, newstore: responses.RequestsMock, with_token: responses.BaseResponse
) -> None:
    newstore.get(f"{API}/checkout/carts/c-1", json=CART)
    NewStoreClient(tenant).get_cart("c-1")
    tenant.newstore_client_secret = "another"
    NewStoreClient(tenant).get_cart("c-1")
    assert with_token.call_count == 2


@pytest.mark.parametrize("age_s", [0, 61])
@pytest.mark.parametrize("status", [401, 403])
def test_refused_token_is_replaced_at_any_age(
    tenant: Program, newstore: responses.RequestsMock, status: int, age_s: int
) -> None:
    newstore.replace("POST", token_url(tenant), json={"access_token": "old", "expires_in": 3600})
    newstore.get(ONE_PROFILE, json=PROFILE)
    newstore.get(f"{API}/checkout/carts/c-1", status=status, json={"message": "token expired"})
    newstore.get(f"{API}/checkout/carts/c-1", json=CART)
    newstore.post(token_url(tenant), json={"access_token": "new", "expires_in": 3600})
    with time_machine.travel("2026-03-04T09:00:00Z", tick=False) as traveller:
        NewStoreClient(tenant).get_profile("NS-1")
        traveller.shift(age_s)
        assert NewStoreClient(tenant).get_cart("c-1").cart_id == "c-1"
    assert newstore.calls[-1].request.headers["Authorization"] == "Bearer new"


def test_a_write_is_sent_once_more_with_the_new_token(
    tenant: Program, newstore: responses.RequestsMock, with_token: responses.BaseResponse
) -> None:
    url = f"{API}/promotions/coupons"
    newstore.post(url, status=401, json={"message": "token revoked"})
    newstore.post(url, status=201, json={"id": "co-1"})
    answer = NewStoreClient(tenant).call("POST", "/promotions/coupons", body={"name": "LOY-1"})
    assert answer.body == {"id": "co-1"}
    sent = [json.loads(call.request.body or "") for call in newstore.calls if call.request.url == url]
    assert sent == [{"name": "LOY-1"}] * 2
    assert with_token.call_count == 2


def test_a_call_is_repeated_once_at_most_for_its_token(
    tenant: Program, newstore: responses.RequestsMock, with_token: responses.BaseResponse
) -> None:
    endpoint = newstore.get(f"{API}/checkout/carts/c-1", status=401, json={"message": "no"})
    with pytest.raises(NewStoreAuthFailed, match="no"):
        NewStoreClient(tenant).get_cart("c-1")
    assert (endpoint.call_count, with_token.call_count) == (2, 2)


def test_a_missing_scope_does_not_cost_a_token_with_each_call(
    tenant: Program, newstore: responses.RequestsMock, with_token: responses.BaseResponse
) -> None:
    """A new token would lack the scope, too. Other calls keep using the existing token."""
    endpoint = newstore.get(f"{API}/checkout/carts/c-1", status=403, json={"message": "no scope"})
    newstore.get(ONE_PROFILE, json=PROFILE)
    with time_machine.travel("2026-03-04T09:00:00Z", tick=False) as traveller:
        for _ in range(3):
            with pytest.raises(NewStoreAuthFailed, match="no scope"):
                NewStoreClient(tenant).get_cart("c-1")
        assert NewStoreClient(tenant).get_profile("NS-1").profile_id == "NS-1"
        assert (endpoint.call_count, with_token.call_count) == (4, 2)
        traveller.shift(SCOPE_MISSING_S + 1)
        with pytest.raises(NewStoreAuthFailed, match="no scope"):
            NewStoreClient(tenant).get_cart("c-1")
        assert (endpoint.call_count, with_token.call_count) == (6, 3)


class CountedLock:
    """A lock that tells when this many threads wait for it."""

    def __init__(self, threads: int) -> None:
        self.lock, self.here = threading.Lock(), threading.Semaphore(0)
        self.threads = threads

    def acquire(self, timeout: float) -> bool:
        self.here.release()
        return self.lock.acquire(timeout=timeout)

    def release(self) -> None:
        self.lock.release()

    def wait_for_all(self) -> None:
        for _ in range(self.threads):
            assert self.here.acquire(timeout=30)
        self.threads = 0


@pytest.mark.parametrize("lives_s", [3600, 20], ids=["kept", "too short to be kept"])
def test_threads_with_one_refused_token_fetch_one_new_token(
    tenant: Program, monkeypatch: pytest.MonkeyPatch, lives_s: int
) -> None:
    lock, numbers = CountedLock(8), count(1)

    def fetch(program: Program, timeout_s: float) -> tuple[str, int]:
        lock.wait_for_all()
        return f"token-{next(numbers)}", lives_s

    monkeypatch.setattr(tokens, "fetch_token", fetch)
    monkeypatch.setitem(oauth._locks, _cache_key(tenant), lock)  # type: ignore[misc]
    with ThreadPoolExecutor(8) as pool:
        refreshed = list(pool.map(lambda _: access_token(tenant, timeout_s=30, refused="revoked"), range(8)))
    assert refreshed == ["token-1"] * 8


def test_a_thread_does_not_wait_longer_for_a_token_than_its_call_may_take(tenant: Program) -> None:
    with oauth._locks[_cache_key(tenant)], pytest.raises(NewStoreUnavailable, match="token endpoint"):
        access_token(tenant, timeout_s=0.01, refused="revoked")


@pytest.mark.parametrize("status", [400, 401, 404])
def test_refused_client_is_for_an_administrator(
    tenant: Program, newstore: responses.RequestsMock, status: int
) -> None:
    newstore.replace("POST", token_url(tenant), status=status, json={"error": "invalid_client"})
    with pytest.raises(NewStoreAuthFailed, match="invalid_client"):
        NewStoreClient(tenant).get_cart("c-1")


@pytest.mark.parametrize(
    "body", [[], {}, {"access_token": "t"}, {"access_token": "a\nb", "expires_in": 60},
             {"access_token": "t", "expires_in": "60"}, {"access_token": "t", "expires_in": True}],
)  # fmt: skip
def test_answer_without_a_token_is_unexpected(
    tenant: Program, newstore: responses.RequestsMock, body: Any
) -> None:
    newstore.replace("POST", token_url(tenant), json=body)
    with pytest.raises(NewStoreUnexpected):
        NewStoreClient(tenant).get_cart("c-1")


# --- Profiles -------------------------------------------------------------------------------------


def test_profile_is_read_with_its_text_attributes(tenant: Program, newstore: responses.RequestsMock) -> None:
    attributes = {**PROFILE["extended_attributes"], "loyalty_id": {"data_type": "string", "value": "L-42"}}
    newstore.get(ONE_PROFILE, json={**PROFILE, "extended_attributes": attributes})
    profile = NewStoreClient(tenant).get_profile("NS-1")
    assert (profile.email, profile.phone) == ("Mia@example.test", "+16175550100")
    assert profile.attributes == {"loyalty_id": "L-42"}


@pytest.mark.parametrize(
    ("q", "found"),
    [("mia@example.test", ["NS-1"]), ("+16175550100", ["NS-1"]), ("C-100231", ["NS-1"]), ("Mia", []),
     ("mia@example.tes", []), ("", [])],
)  # fmt: skip
def test_profiles_that_match_only_in_part_are_dropped(
    tenant: Program, newstore: responses.RequestsMock, q: str, found: list[str]
) -> None:
    stranger = {
        **PROFILE,
        "id": "NS-2",
        "display_id": "C-2",
        "email": "amia@example.test",
        "phone_number": "",
    }
    newstore.get(f"{API}/customer/profiles", json={"profiles": [PROFILE, stranger]})
    assert [profile.profile_id for profile in NewStoreClient(tenant).find_profiles(q)] == found


def test_call_is_logged_with_its_request_id_and_without_the_customer(
    tenant: Program, newstore: responses.RequestsMock
) -> None:
    newstore.get(
        f"{API}/customer/profiles", json={"profiles": []}, headers={"X-Newstore-Request-Id": "req-9"}
    )
    with capture_logs() as lines:
        NewStoreClient(tenant).find_profiles("mia@example.test")
    assert lines[-1]["newstore_request_id"] == "req-9"
    assert lines[-1]["path"] == "/customer/profiles"
    assert not any(word in str(lines) for word in ("mia", "fresh-token", "s3cret"))


def test_loyalty_id_is_written_beside_the_other_attributes(
    tenant: Program, newstore: responses.RequestsMock
) -> None:
    newstore.get(ONE_PROFILE, json=PROFILE)
    newstore.patch(ONE_PROFILE, json=PROFILE)
    NewStoreClient(tenant).write_loyalty_id("NS-1", "loyalty_id", "L-42")
    assert json.loads(newstore.calls[-1].request.body or "") == {
        "last_updated_at": "2026-03-04T15:00:00Z",
        "extended_attributes": {
            "size": {"data_type": "number", "value": 9.5},
            "loyalty_id": {"data_type": "string", "value": "L-42"},
        },
    }


def test_loyalty_id_is_not_written_twice(tenant: Program, newstore: responses.RequestsMock) -> None:
    attributes = {"loyalty_id": {"data_type": "string", "value": "L-42"}}
    newstore.get(ONE_PROFILE, json={**PROFILE, "extended_attributes": attributes})
    NewStoreClient(tenant).write_loyalty_id("NS-1", "loyalty_id", "L-42")


def test_profile_changed_meanwhile_is_read_again(tenant: Program, newstore: responses.RequestsMock) -> None:
    newstore.get(ONE_PROFILE, json=PROFILE)
    newstore.get(ONE_PROFILE, json={**PROFILE, "updated_at": "later", "extended_attributes": None})
    newstore.patch(ONE_PROFILE, status=409, json={"error_code": "conflict"})
    newstore.patch(
        ONE_PROFILE,
        json=PROFILE,
        match=[
            json_params_matcher(
                {
                    "last_updated_at": "later",
                    "extended_attributes": {"loyalty_id": {"data_type": "string", "value": "L-42"}},
                }
            )
        ],
    )
    NewStoreClient(tenant).write_loyalty_id("NS-1", "loyalty_id", "L-42")


def test_write_stops_after_three_conflicts(tenant: Program, newstore: responses.RequestsMock) -> None:
    newstore.get(ONE_PROFILE, json=PROFILE)
    writes = newstore.patch(ONE_PROFILE, status=409, json={"error_code": "conflict"})
    with pytest.raises(NewStoreError):
        NewStoreClient(tenant).write_loyalty_id("NS-1", "loyalty_id", "L-42")
    assert writes.call_count == 3
