"""What "Test connection" says about NewStore: which part works, and how the other fails."""

import re

import pytest
import requests
import responses

from loyaltyview.newstore.connection import check_newstore
from loyaltyview.programs.connections import Checked
from loyaltyview.programs.models import Program

from .conftest import API

PROFILES = f"{API}/customer/profiles"
CARTS = re.compile(f"{API}/checkout/carts/")


def check(program: Program) -> Checked:
    (checked,) = check_newstore(program)
    return checked


def test_token_profiles_and_carts_are_asked_for(
    tenant: Program, newstore: responses.RequestsMock, with_token: responses.BaseResponse
) -> None:
    newstore.get(PROFILES, json={"profiles": []})
    newstore.get(CARTS, status=404, json={"error_code": "not_found"})
    checked = check(tenant)
    assert checked.is_ok
    assert re.fullmatch(r"Acme Club: connected to NewStore, token and API, in \d+ ms.", checked.text)


def test_graphql_is_asked_where_missed_events_are_searched(
    tenant: Program, newstore: responses.RequestsMock, with_token: responses.BaseResponse
) -> None:
    tenant.newstore_find_missed_events = True
    newstore.get(PROFILES, json={"profiles": []})
    newstore.get(CARTS, status=404, json={"error_code": "not_found"})
    errors = [{"message": 'Cannot query field "orders"'}]
    newstore.post(f"{API}/api/v1/org/data/query", status=400, json={"errors": errors})
    checked = check(tenant)
    assert not checked.is_ok
    assert "not understood (GraphQL). 400 Cannot query field" in checked.text


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, {"error": "invalid_client"}, "does not accept the client id and secret. token endpoint: 401"),
        (503, {}, "NewStore's token endpoint cannot be reached. 503"),
        (200, {}, "NewStore's token endpoint gave no token."),
    ],
)
def test_a_failing_token_endpoint_is_named(
    tenant: Program, newstore: responses.RequestsMock, status: int, body: dict[str, str], said: str
) -> None:
    newstore.post(f"{tenant.newstore_identity_url}/protocol/openid-connect/token", status=status, json=body)
    checked = check(tenant)
    assert not checked.is_ok
    assert said in checked.text


@pytest.mark.parametrize(
    ("where", "status", "said"),
    [
        ("profiles", 403, "its API does not let us read customer profiles. 403 no"),
        ("profiles", 500, "its API cannot be reached (customer profiles). 500 no"),
        ("carts", 403, "its API does not let us read carts. 403 no"),
        ("carts", 422, "an answer that is not understood (carts). 422 no"),
    ],
)
def test_a_failing_api_is_named_with_the_request(
    tenant: Program,
    newstore: responses.RequestsMock,
    with_token: responses.BaseResponse,
    where: str,
    status: int,
    said: str,
) -> None:
    if where == "carts":
        newstore.get(PROFILES, json={"profiles": []})
    headers = {"X-Newstore-Request-Id": "ns-1"}
    newstore.get(
        {"profiles": PROFILES, "carts": CARTS}[where], status=status, json={"message": "no"}, headers=headers
    )
    checked = check(tenant)
    assert not checked.is_ok
    assert said in checked.text
    assert checked.text.endswith("(NewStore ns-1)")


def test_an_api_that_cannot_be_reached_is_named(
    tenant: Program, newstore: responses.RequestsMock, with_token: responses.BaseResponse
) -> None:
    newstore.get(PROFILES, body=requests.ConnectionError())
    assert "its API cannot be reached (customer profiles)." in check(tenant).text


def test_carts_are_not_requested_where_the_program_checks_none(
    tenant: Program, newstore: responses.RequestsMock, with_token: responses.BaseResponse
) -> None:
    tenant.newstore_check_carts = False
    newstore.get(PROFILES, json={"profiles": []})
    assert check(tenant).is_ok
