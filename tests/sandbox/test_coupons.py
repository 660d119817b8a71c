"""`POST /v0/promotions/loyalty`: what is accepted, what is refused, when a code works."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import requests
import time_machine

from loyaltyview.sandbox.app import Sandbox
from tests.sandbox.conftest import Api

PATH = "/v0/promotions/loyalty"
Voucher = Callable[..., dict[str, Any]]


def mint(api: Api, *vouchers: dict[str, Any]) -> requests.Response:
    return api.call("POST", PATH, {"vouchers": list(vouchers)})


def test_each_voucher_gets_a_code_of_its_own(api: Api, voucher: Voucher) -> None:
    answer = mint(api, voucher(), voucher(voucherId="v-2", name="15 percent", type="Percentage", discount=15))
    assert answer.status_code == 201
    assert answer.json()["warnings"] == []
    assert all(re.fullmatch("[A-Z2-7]{10}", code) for code in answer.json()["codes"])
    assert len(set(answer.json()["codes"])) == 2


def test_repeated_call_makes_a_second_code(api: Api, voucher: Voucher) -> None:
    assert mint(api, voucher()).json()["codes"] != mint(api, voucher()).json()["codes"]


def test_known_voucher_under_another_name_is_warned_about(api: Api, voucher: Voucher) -> None:
    mint(api, voucher())
    answer = mint(api, voucher(name="20 off"))
    assert answer.status_code == 201
    assert len(answer.json()["codes"]) == 1
    [warning] = answer.json()["warnings"]
    assert (warning["code"], warning["ref"], warning["kind"]) == ("voucher_mismatch", "v-1", "voucher")


def test_name_of_another_voucher_is_refused(api: Api, voucher: Voucher) -> None:
    mint(api, voucher())
    assert mint(api, voucher(voucherId="v-2")).status_code == 400


@pytest.mark.parametrize(
    "fields",
    [
        {"voucherId": None},
        {"voucherId": ""},
        {"name": None},
        {"name": 7},
        {"discount": None},
        {"discount": "10"},
        {"discount": True},
        {"discount": 0},
        {"discount": -1},
        {"type": "Percentage", "discount": 100.5},
        {"type": "fixed"},
        {"type": None},
        {"level": "Product"},
        {"level": None},
        {"currency": "USD"},
        {"currencies": {"code": "USD"}},
        {"currencies": [{"code": "usd", "minimumCartValue": 0}]},
        {"currencies": [{"code": "USD"}]},
        {"currencies": [{"code": "USD", "minimumCartValue": "50"}]},
        {"currencies": [{"code": "USD", "minimumCartValue": -1}]},
        {"consumers": "NS-1"},
        {"consumers": [1]},
        {"consumers": ["c"] * 1001},
    ],
)
def test_wrong_voucher_is_refused_in_the_envelope_of_promotions(
    api: Api, voucher: Voucher, fields: dict[str, Any]
) -> None:
    answer = mint(api, voucher(**fields))
    assert answer.status_code == 400
    assert answer.json()["status"] == 400
    assert answer.json()["causes"]


@pytest.mark.parametrize("body", [{}, {"vouchers": []}, {"vouchers": [1]}, {"vouchers": {}}, {"voucher": {}}])
def test_wrong_body_is_refused(api: Api, body: dict[str, Any]) -> None:
    assert api.call("POST", PATH, body).status_code == 400


def test_body_must_be_declared_as_json(api: Api) -> None:
    answer = requests.post(api.url + PATH, data='{"vouchers": []}', headers=api.headers, timeout=5)
    assert answer.status_code == 400


def test_one_wrong_voucher_leaves_no_code_behind(api: Api, running: Any, voucher: Voucher) -> None:
    mint(api, voucher(), voucher(level="Item"))
    assert running.sandbox.coupons.codes == {}


def test_other_methods_are_not_allowed(api: Api) -> None:
    answer = api.call("GET", PATH)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


CART = {"cart_id": "c-1", "remaining": Decimal("60.00"), "currency": "USD", "profile_id": "p-1"}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, ""),
        ({"currencies": [{"code": "USD", "minimumCartValue": 60}], "consumers": ["p-1"]}, ""),
        (
            {"currencies": [{"code": "USD", "minimumCartValue": Decimal("60.01")}]},
            "The cart must be at least 60.01 USD.",
        ),
        ({"currencies": [{"code": "EUR", "minimumCartValue": 0}]}, "This code is not valid in USD."),
        ({"consumers": ["p-2"]}, "This code belongs to another customer."),
    ],
)
def test_conditions_of_a_voucher_hold(
    sandbox: Sandbox, voucher: Voucher, fields: dict[str, Any], reason: str
) -> None:
    assert sandbox.coupons.add(voucher(**fields)).refusal(**CART) == reason  # type: ignore[arg-type]


def test_code_lives_fifteen_minutes(sandbox: Sandbox, voucher: Voucher) -> None:
    with time_machine.travel("2026-03-04 10:00:00+00:00", tick=False) as clock:
        coupon = sandbox.coupons.add(voucher())
        clock.shift(15 * 60 - 1)
        assert not coupon.is_expired()
        clock.shift(1)
        assert coupon.refusal(**CART) == "This code has expired."  # type: ignore[arg-type]
