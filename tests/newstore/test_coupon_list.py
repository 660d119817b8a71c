"""Switching codes off in the older coupon list (docs/contracts/newstore.md 4.3), and that its failure is
harmless."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
import responses
from django.utils import timezone

from loyaltyview.newstore.coupon_list import disable_code, is_code_used, purge_used_codes, run_one
from loyaltyview.newstore.errors import NewStoreRejected
from loyaltyview.newstore.models import UsedCode
from loyaltyview.programs.models import Program
from tests.newstore.conftest import API

pytestmark = pytest.mark.usefixtures("with_token")

LIST = f"{API}/v0/promotions/coupon"
CODE = {"id": "k-1", "name": "LOY7QK2", "redemptions": 1, "active": True}


def listed(*codes: dict[str, Any]) -> dict[str, Any]:
    return {"items": [{"coupon": {"id": "c-1", "name": "10 off", "codes": list(codes)}}]}


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loyaltyview.newstore.client.PAUSE_S", 0)


@pytest.fixture
def queued(tenant: Program) -> UsedCode:
    return UsedCode.objects.create(
        program=tenant, code="LOY7QK2", coupon_name="10 off", due_at=timezone.now()
    )


def test_code_is_found_by_its_coupons_name_and_switched_off(
    tenant: Program, newstore: responses.RequestsMock
) -> None:
    newstore.get(LIST, json=listed({**CODE, "id": "k-0", "name": "OTHER"}, CODE))
    newstore.patch(f"{LIST}/c-1/code/k-1", json={})
    assert disable_code(tenant, "LOY7QK2", "10 off")
    sent = newstore.calls[-1].request
    assert json.loads(sent.body or "") == {**CODE, "active": False}
    assert sent.headers["tenant"] == "acme-staging"
    assert newstore.calls[-2].request.params["name"] == "10 off"  # type: ignore[attr-defined]


def test_code_that_is_already_off_is_not_changed(tenant: Program, newstore: responses.RequestsMock) -> None:
    newstore.get(LIST, json=listed({**CODE, "active": False}))
    assert disable_code(tenant, "LOY7QK2", "10 off")


def test_code_that_is_not_listed_is_finished(
    tenant: Program, newstore: responses.RequestsMock, queued: UsedCode
) -> None:
    newstore.get(LIST, json=listed())
    assert run_one()
    queued.refresh_from_db()
    assert (queued.due_at, queued.last_error) == (None, "not in the coupon list")


def test_program_sets_paths_and_names_of_the_list(tenant: Program, newstore: responses.RequestsMock) -> None:
    tenant.newstore_coupon_api = {
        "list_path": "/v1/coupons",
        "code_path": "/v1/coupons/{coupon}/{code}",
        "items": "data",
        "name": "value",
    }
    body = {"data": [{"coupon": {"id": "c/1", "codes": [{"id": 7, "value": "LOY7QK2"}]}}]}
    newstore.get(f"{API}/v1/coupons", json=body)
    newstore.patch(f"{API}/v1/coupons/c%2F1/7", json={})
    assert disable_code(tenant, "LOY7QK2", "10 off")


@pytest.mark.parametrize("odd", ["{tenant}", "{coupon.__class__}", "{0}", "{"])
def test_other_braces_in_a_path_do_not_stop_the_worker(
    tenant: Program, newstore: responses.RequestsMock, odd: str
) -> None:
    tenant.newstore_coupon_api = {"code_path": f"/v1/{odd}/{{coupon}}/{{code}}"}
    newstore.get(LIST, json=listed(CODE))
    newstore.patch(re.compile(rf"{API}/v1/.+/c-1/k-1"), json={})
    assert disable_code(tenant, "LOY7QK2", "10 off")


@pytest.mark.parametrize(
    ("redemptions", "is_used"), [(1, True), (2, True), (0, False), (None, False), ("1", False)]
)
def test_the_list_tells_whether_a_code_was_used(
    tenant: Program, newstore: responses.RequestsMock, redemptions: Any, is_used: bool
) -> None:
    newstore.get(LIST, json=listed({**CODE, "redemptions": redemptions}))
    assert is_code_used(tenant, "LOY7QK2", "10 off") is is_used


def test_a_code_that_is_not_listed_is_not_used(tenant: Program, newstore: responses.RequestsMock) -> None:
    newstore.get(LIST, json=listed())
    assert not is_code_used(tenant, "LOY7QK2", "10 off")


@pytest.mark.parametrize("status", [500, 429])
def test_unavailable_newstore_is_asked_again(
    newstore: responses.RequestsMock, queued: UsedCode, status: int
) -> None:
    newstore.get(LIST, status=status, json={})
    assert run_one()
    queued.refresh_from_db()
    assert queued.due_at is not None
    assert queued.lease_until is None


def test_a_request_to_wait_does_not_end_the_attempts(
    newstore: responses.RequestsMock, queued: UsedCode
) -> None:
    asked = newstore.get(LIST, status=429, headers={"Retry-After": "900"}, json={})
    for at_least in (840, 40):  # NewStore says so, then its answer is still in force
        UsedCode.objects.update(attempts=7, due_at=timezone.now())
        assert run_one()
        queued.refresh_from_db()
        assert queued.due_at is not None
        assert timedelta(seconds=at_least) < queued.due_at - timezone.now() <= timedelta(seconds=900)
    assert asked.call_count == 1


def test_attempts_end_when_a_gateway_refuses_the_list(
    newstore: responses.RequestsMock, queued: UsedCode
) -> None:
    """A 403 without JSON may be throttling. If it is not, waiting would never end."""
    newstore.get(LIST, status=403, body="<html>")
    UsedCode.objects.update(attempts=7)
    assert run_one()
    queued.refresh_from_db()
    assert queued.due_at is None


@pytest.mark.parametrize("status", [404, 410, 400])
def test_attempts_end_when_the_list_does_not_exist(
    newstore: responses.RequestsMock, queued: UsedCode, status: int
) -> None:
    newstore.get(LIST, status=status, json={"message": "not found", "status": status})
    assert run_one()
    queued.refresh_from_db()
    assert queued.due_at is None
    assert not run_one()


def test_refusal_reads_the_promotions_envelope(tenant: Program, newstore: responses.RequestsMock) -> None:
    newstore.get(LIST, status=410, json={"message": "gone", "status": 410, "causes": ["sunset"]})
    with pytest.raises(NewStoreRejected, match="gone; sunset: NewStore has switched this API version off"):
        disable_code(tenant, "LOY7QK2", "10 off")


def test_queued_codes_are_deleted_after_their_time(queued: UsedCode) -> None:
    assert purge_used_codes(queued.created_at) == 0
    assert purge_used_codes(timezone.now()) == 1
