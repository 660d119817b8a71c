"""Minting a code (docs/contracts/newstore.md 4.0)."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import responses
import time_machine

from loyaltyview.newstore import client as client_module
from loyaltyview.newstore.coupons import CouponRequest, MintedCode, mint_code
from loyaltyview.newstore.errors import NewStoreRejected, NewStoreUnavailable, NewStoreUnexpected
from loyaltyview.programs.models import Program
from tests.newstore.conftest import API

MINT = f"{API}/v0/promotions/loyalty"
TEN_OFF = CouponRequest(
    reference="r-10",
    label="10 off",
    amount=Decimal("12.10"),
    percent=None,
    currency="USD",
    minimum=Decimal(50),
    profile_id="NS-1",
)

pytestmark = pytest.mark.usefixtures("with_token")


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "PAUSE_S", 0)


def sent_voucher(tenant: Program, request: CouponRequest) -> dict[str, Any]:
    with responses.RequestsMock() as mock:
        mock.post(tenant.newstore_identity_url + "/protocol/openid-connect/token",
                  json={"access_token": "t", "expires_in": 0})  # fmt: skip
        mock.post(MINT, status=201, json={"codes": ["ABCDE23456"], "warnings": []})
        mint_code(tenant, request)
        body = json.loads(mock.calls[-1].request.body or "", parse_float=Decimal)
    (voucher,) = body["vouchers"]
    assert isinstance(voucher, dict)
    return voucher


@time_machine.travel("2026-03-04T15:00:00Z", tick=False)
def test_code_is_minted_and_expires_counted_from_before_the_call(
    tenant: Program, newstore: responses.RequestsMock
) -> None:
    newstore.post(MINT, status=201, json={"codes": ["ABCDE23456"], "warnings": []})
    assert mint_code(tenant, TEN_OFF) == MintedCode(
        code="ABCDE23456", expires_at=datetime(2026, 3, 4, 15, 15, tzinfo=UTC)
    )
    assert newstore.calls[-1].request.headers["Content-Type"] == "application/json"


def test_fixed_voucher_has_the_documented_fields(tenant: Program) -> None:
    voucher = sent_voucher(tenant, TEN_OFF)
    assert {key: voucher[key] for key in voucher if key not in ("voucherId", "name")} == {
        "discount": Decimal("12.10"),
        "type": "Fixed",
        "level": "Cart",
        "currencies": [{"code": "USD", "minimumCartValue": 50}],
        "consumers": ["NS-1"],
    }
    assert str(voucher["discount"]) == "12.10"
    assert voucher["name"].startswith("10 off - 12.1 USD (")


def test_percentage_without_customer_and_minimum_still_names_its_currency(tenant: Program) -> None:
    request = replace(TEN_OFF, amount=None, percent=Decimal("7.5"), minimum=None, profile_id="")
    voucher = sent_voucher(tenant, request)
    assert (voucher["type"], voucher["discount"]) == ("Percentage", Decimal("7.5"))
    assert voucher["currencies"] == [{"code": "USD", "minimumCartValue": 0}]
    assert "consumers" not in voucher


def test_same_discount_is_the_same_voucher_for_all_customers(tenant: Program) -> None:
    first = sent_voucher(tenant, TEN_OFF)
    again = sent_voucher(tenant, replace(TEN_OFF, amount=Decimal("12.1000"), profile_id="NS-2"))
    assert (first["voucherId"], first["name"]) == (again["voucherId"], again["name"])


@pytest.mark.parametrize(
    "change",
    [{"reference": "r-11"}, {"amount": Decimal("12.11")}, {"currency": "EUR"}, {"minimum": None},
     {"amount": None, "percent": Decimal("12.10")}, {"label": "Renamed"}],
)  # fmt: skip
def test_every_other_discount_is_another_voucher_with_another_name(
    tenant: Program, change: dict[str, Any]
) -> None:
    first, other = sent_voucher(tenant, TEN_OFF), sent_voucher(tenant, replace(TEN_OFF, **change))
    assert first["voucherId"] != other["voucherId"]
    assert first["name"] != other["name"]


@pytest.mark.parametrize(
    "answer",
    [
        {"codes": ["ABCDE23456"], "warnings": [{"code": "voucher_mismatch", "ref": "x", "kind": "voucher"}]},
        {"codes": [], "warnings": []},
        {"codes": ["A", "B"]},
        {"codes": [""]},
        {"codes": ["A&B"]},
        {"codes": ["x" * 65]},
        {"codes": [7]},
        {"codes": "ABC"},
        {"codes": ["ABC"], "warnings": "none"},
        {"codes": ["ABC"], "warnings": ["x"]},
        {},
        [],
    ],
)
def test_unclear_answer_never_returns_a_code(
    tenant: Program, newstore: responses.RequestsMock, answer: Any
) -> None:
    endpoint = newstore.post(MINT, status=201, json=answer, headers={"X-Newstore-Request-Id": "r-1"})
    with pytest.raises(NewStoreUnexpected) as caught:
        mint_code(tenant, TEN_OFF)
    assert caught.value.request_id == "r-1"
    assert endpoint.call_count == 1


def test_other_warnings_do_not_stop_a_code(tenant: Program, newstore: responses.RequestsMock) -> None:
    newstore.post(MINT, status=201, json={"codes": ["ABC"], "warnings": [{"code": "deprecated_field"}]})
    assert mint_code(tenant, TEN_OFF).code == "ABC"


def test_transient_failure_is_repeated_once(tenant: Program, newstore: responses.RequestsMock) -> None:
    newstore.post(MINT, status=500, json={"message": "oops", "status": 500})
    newstore.post(MINT, status=201, json={"codes": ["ABC"]})
    assert mint_code(tenant, TEN_OFF).code == "ABC"


def test_lasting_failure_is_unavailable(tenant: Program, newstore: responses.RequestsMock) -> None:
    endpoint = newstore.post(MINT, status=500, json={"message": "oops", "status": 500})
    with pytest.raises(NewStoreUnavailable):
        mint_code(tenant, TEN_OFF)
    assert endpoint.call_count == 2


def test_refused_voucher_is_rejected_with_its_causes(
    tenant: Program, newstore: responses.RequestsMock
) -> None:
    newstore.post(MINT, status=400, json={"message": "invalid", "status": 400, "causes": ["discount"]})
    with pytest.raises(NewStoreRejected, match="invalid; discount"):
        mint_code(tenant, TEN_OFF)


@pytest.mark.parametrize(
    "change",
    [{"amount": None}, {"percent": Decimal(5)}, {"amount": Decimal(0)}, {"amount": Decimal(-1)},
     {"amount": Decimal("NaN")}, {"amount": Decimal("Infinity")}, {"amount": Decimal("1E+900")},
     {"amount": None, "percent": Decimal(101)}, {"minimum": Decimal(-1)}, {"minimum": Decimal("sNaN")}],
)  # fmt: skip
def test_discount_that_no_code_can_express_is_rejected_without_a_call(
    tenant: Program, newstore: responses.RequestsMock, change: dict[str, Any]
) -> None:
    with pytest.raises(NewStoreRejected):
        mint_code(tenant, replace(TEN_OFF, **change))
    assert not newstore.calls
