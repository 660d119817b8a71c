"""A 403 with JSON is an old token; only one without JSON is NewStore's older limit
(docs/contracts/newstore.md 5 and 9)."""

import pytest
import responses
import time_machine

from loyaltyview.newstore.client import NewStoreClient
from loyaltyview.programs.models import Program
from tests.newstore.conftest import API

from .test_client import CART, ONE_PROFILE, PROFILE, token_url


@pytest.mark.parametrize("body", ['"Forbidden"', "[]", "{}", '["token expired"]'])
def test_a_token_refused_in_any_json_is_replaced(
    tenant: Program, newstore: responses.RequestsMock, body: str
) -> None:
    newstore.post(token_url(tenant), json={"access_token": "old", "expires_in": 3600})
    newstore.get(ONE_PROFILE, json=PROFILE)
    newstore.get(f"{API}/checkout/carts/c-1", status=403, body=body, content_type="application/json")
    newstore.get(f"{API}/checkout/carts/c-1", json=CART)
    newstore.post(token_url(tenant), json={"access_token": "new", "expires_in": 3600})
    with time_machine.travel("2026-03-04T09:00:00Z", tick=False) as traveller:
        NewStoreClient(tenant).get_profile("NS-1")
        traveller.shift(61)
        assert NewStoreClient(tenant).get_cart("c-1").cart_id == "c-1"
