"""How often the API client calls, and how long it waits (docs/contracts/newstore.md 5)."""

import json
from typing import Any

import pytest
import requests
import responses

from loyaltyview.newstore.client import NewStoreClient
from loyaltyview.newstore.errors import NewStoreUnavailable
from loyaltyview.programs.models import Program
from tests.newstore.conftest import API
from tests.newstore.test_client import CART, ONE_PROFILE, PROFILE, token_url

pytestmark = pytest.mark.usefixtures("with_token", "pauses")


def test_call_is_repeated_once_after_a_short_failure(
    tenant: Program, newstore: responses.RequestsMock, pauses: list[float]
) -> None:
    newstore.get(f"{API}/checkout/carts/c-1", status=429, headers={"Retry-After": "1"}, body="")
    newstore.get(f"{API}/checkout/carts/c-1", json=CART)
    assert NewStoreClient(tenant).get_cart("c-1").cart_id == "c-1"
    assert pauses == [1.0]


def test_a_newstore_that_needs_two_seconds_for_everything_answers_in_time(
    tenant: Program, newstore: responses.RequestsMock, pauses: list[float]
) -> None:
    answers = {"POST": {"access_token": "slow-token", "expires_in": 300}, "GET": CART}

    def after_two_seconds(request: Any) -> tuple[int, dict[str, str], str]:
        _connect_s, read_s = request.req_kwargs["timeout"]
        pauses.append(min(2.0, read_s))
        if read_s < 2:
            raise requests.ReadTimeout
        return 200, {}, json.dumps(answers[request.method])

    newstore.remove("POST", token_url(tenant))
    newstore.add_callback("POST", token_url(tenant), after_two_seconds)
    newstore.add_callback("GET", f"{API}/checkout/carts/c-1", after_two_seconds)
    assert NewStoreClient(tenant).get_cart("c-1").cart_id == "c-1"


def test_silence_is_not_waited_for_twice(
    tenant: Program, newstore: responses.RequestsMock, pauses: list[float]
) -> None:
    def never(request: Any) -> tuple[int, dict[str, str], str]:
        pauses.append(request.req_kwargs["timeout"][1])
        raise requests.ReadTimeout

    newstore.add_callback("GET", f"{API}/checkout/carts/c-1", never)
    with pytest.raises(NewStoreUnavailable):
        NewStoreClient(tenant).get_cart("c-1")
    assert pauses == [pytest.approx(3.0, abs=0.1)]


def test_when_newstore_asks_one_call_to_wait_all_of_its_kind_wait(
    tenant: Program, newstore: responses.RequestsMock, pauses: list[float]
) -> None:
    """A 429 may be the limit of these addresses only: coupons are still made."""
    newstore.get(f"{API}/checkout/carts/c-1", status=429, headers={"Retry-After": "30"}, body="")
    other = newstore.get(f"{API}/checkout/carts/c-2", json=CART | {"id": "c-2"})
    newstore.get(ONE_PROFILE, json=PROFILE)
    with pytest.raises(NewStoreUnavailable):
        NewStoreClient(tenant).get_cart("c-1")
    pauses.append(10)
    with pytest.raises(NewStoreUnavailable) as caught:
        NewStoreClient(tenant).get_cart("c-2")
    assert caught.value.retry_after_s == pytest.approx(20, abs=10)
    assert other.call_count == 0
    assert NewStoreClient(tenant).get_profile("NS-1")
    pauses.append(20)
    assert NewStoreClient(tenant).get_cart("c-2")


def test_the_older_limit_counts_for_the_whole_tenant(
    tenant: Program, newstore: responses.RequestsMock, pauses: list[float]
) -> None:
    newstore.get(f"{API}/checkout/carts/c-1", status=403, headers={"Content-Type": "text/html"}, body="No")
    profile = newstore.get(ONE_PROFILE, json=PROFILE)
    with pytest.raises(NewStoreUnavailable):
        NewStoreClient(tenant).get_cart("c-1")
    pauses.append(40)
    with pytest.raises(NewStoreUnavailable) as caught:
        NewStoreClient(tenant).get_profile("NS-1")
    assert caught.value.retry_after_s == pytest.approx(20, abs=10)
    assert profile.call_count == 0
    pauses.append(20)
    assert NewStoreClient(tenant).get_profile("NS-1")


def test_a_wait_asked_of_the_repetition_counts_too(tenant: Program, newstore: responses.RequestsMock) -> None:
    for wait_s in ("1", "30"):
        newstore.get(f"{API}/checkout/carts/c-1", status=429, headers={"Retry-After": wait_s}, body="")
    other = newstore.get(f"{API}/checkout/carts/c-2", json=CART | {"id": "c-2"})
    for cart_id in ("c-1", "c-2"):
        with pytest.raises(NewStoreUnavailable):
            NewStoreClient(tenant).get_cart(cart_id)
    assert other.call_count == 0


def test_a_till_goes_on_after_newstore_asked_another_till_to_wait_a_second(
    tenant: Program, newstore: responses.RequestsMock, pauses: list[float]
) -> None:
    newstore.get(f"{API}/checkout/carts/c-1", status=429, headers={"Retry-After": "1"}, body="")
    newstore.get(f"{API}/checkout/carts/c-2", json=CART | {"id": "c-2"})
    with pytest.raises(NewStoreUnavailable):
        NewStoreClient(tenant, budget_s=0.6).get_cart("c-1")
    assert NewStoreClient(tenant).get_cart("c-2").cart_id == "c-2"
    assert pauses == [pytest.approx(1, abs=0.9)]


def test_retry_after_of_a_server_error_does_not_stop_other_calls(
    tenant: Program, newstore: responses.RequestsMock
) -> None:
    newstore.get(f"{API}/checkout/carts/c-1", status=503, headers={"Retry-After": "30"}, body="")
    newstore.get(ONE_PROFILE, json=PROFILE)
    with pytest.raises(NewStoreUnavailable):
        NewStoreClient(tenant).get_cart("c-1")
    NewStoreClient(tenant).get_profile("NS-1")


@pytest.mark.parametrize(("retry_after", "attempts"), [("0", 2), ("2", 2), ("4", 1), ("300", 1)])
def test_the_caller_decides_about_longer_waits(
    tenant: Program, newstore: responses.RequestsMock, retry_after: str, attempts: int
) -> None:
    endpoint = newstore.get(
        f"{API}/checkout/carts/c-1", status=503, headers={"Retry-After": retry_after}, body=""
    )
    with pytest.raises(NewStoreUnavailable):
        NewStoreClient(tenant).get_cart("c-1")
    assert endpoint.call_count == attempts
