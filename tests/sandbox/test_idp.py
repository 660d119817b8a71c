"""Tokens of the realm, and the API's answers to bad ones."""

import jwt
import pytest
import requests
import time_machine

from loyaltyview.sandbox.sample import ASSOCIATES
from loyaltyview.sandbox.serve import Running
from tests.sandbox.conftest import SECRET, Api


def test_discovery_leads_to_keys_that_verify_an_associate(running: Running) -> None:
    realm = f"{running.url}/auth/realms/acme-staging"
    found = requests.get(f"{realm}/.well-known/openid-configuration", timeout=5).json()
    token = running.sandbox.idp.mint_associate_token(ASSOCIATES["a-17"])
    key = jwt.PyJWKClient(found["jwks_uri"]).get_signing_key_from_jwt(token)
    claims = jwt.decode(token, key, ["RS256"], issuer=found["issuer"], audience="account")
    assert found["issuer"] == realm
    assert (claims["email"], claims["name"]) == ("kim@acme.test", "Kim Doyle")


def test_client_may_name_itself_by_basic_or_form(api: Api) -> None:
    by_basic = requests.post(
        f"{api.realm}/protocol/openid-connect/token",
        data={"grant_type": "client_credentials"},
        auth=("loyaltyview", SECRET),
        timeout=5,
    )
    assert by_basic.status_code == 200
    assert by_basic.json()["token_type"] == "Bearer"
    assert by_basic.json()["expires_in"] == 3600


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "somebody"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"scope": "everything"}, 400, "invalid_scope"),
    ],
)
def test_token_endpoint_refuses_like_keycloak(
    api: Api, form: dict[str, str], status: int, error: str
) -> None:
    answer = api.token(**form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_no_header_is_401_and_a_bad_token_403_in_json(api: Api) -> None:
    api.headers = {}
    missing = api.call("GET", "/v0/orders/ACM1")
    api.headers = {"Authorization": "Bearer nonsense"}
    bad = api.call("GET", "/v0/orders/ACM1")
    assert (missing.status_code, missing.headers["Content-Type"]) == (401, "application/problem+json")
    assert (bad.status_code, bad.json()["error_code"]) == (403, "forbidden")


def test_expired_token_is_403(api: Api) -> None:
    with time_machine.travel("2030-01-01", tick=True):
        assert api.call("GET", "/v0/orders/ACM1").status_code == 403


def test_token_of_a_rotated_key_is_403(running: Running, api: Api) -> None:
    running.sandbox.idp.rotate_key()
    assert api.call("GET", "/v0/orders/ACM1").status_code == 403


def test_narrow_token_lacks_the_scope_of_other_services(api: Api) -> None:
    token = api.token(scope="customer:profile:read").json()["access_token"]
    api.headers["Authorization"] = f"Bearer {token}"
    assert api.call("GET", "/customer/profiles").status_code == 200
    assert api.call("GET", "/iam/users").status_code == 403


def test_userinfo_names_the_associate(running: Running, api: Api) -> None:
    token = running.sandbox.idp.mint_associate_token(ASSOCIATES["a-23"])
    api.headers["Authorization"] = f"Bearer {token}"
    path = "/auth/realms/acme-staging/protocol/openid-connect/userinfo"
    assert api.call("GET", path).json()["email"] == "sam@acme.test"
    api.headers = {}
    assert api.call("GET", path).status_code == 401


def test_every_answer_carries_a_request_id(api: Api) -> None:
    answers = [api.call("GET", path) for path in ("/iam/users", "/nowhere", "/v0/orders/none")]
    assert all(answer.headers["X-Newstore-Request-Id"] for answer in answers)


def test_associate_id_is_found_by_email(api: Api) -> None:
    found = api.call("GET", "/iam/users?q=kim@acme.test").json()["elements"]
    assert [user["associate_id"] for user in found] == ["a-17"]


def test_too_many_calls_in_a_second_are_429(running: Running, api: Api) -> None:
    running.sandbox.config.rate_limit_per_s = 1
    answers = [api.call("GET", "/iam/users") for _ in range(3)]
    assert answers[-1].status_code == 429
    assert answers[-1].headers["Retry-After"] == "1"
