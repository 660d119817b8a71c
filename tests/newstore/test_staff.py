"""NewStore's id of an associate, looked up at login where the program allows it
(docs/contracts/newstore.md 8.5)."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
import responses
from structlog.testing import capture_logs

from loyaltyview.newstore.context import Associate
from loyaltyview.newstore.identity import issue_identity, read_identity, verify_associate
from loyaltyview.programs.models import Program
from tests.newstore.conftest import API, DEVICE

pytestmark = pytest.mark.usefixtures("with_token", "with_keys")

KIM = {"id": "u-1", "associate_id": "a-17", "email": "Kim@acme.test", "is_active": True}
USERS = f"{API}/iam/users"


@pytest.fixture
def acme(tenant: Program) -> Program:
    tenant.newstore_lookup_associates = True
    return tenant


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loyaltyview.newstore.client.PAUSE_S", 0)


def test_identity_holds_newstores_id_of_the_associate(
    acme: Program, newstore: responses.RequestsMock, signed: Callable[..., str]
) -> None:
    others = [{**KIM, "associate_id": "a-9", "email": "akim@acme.test"}, {**KIM, "is_active": False}]
    newstore.get(USERS, json={"elements": [KIM, others[0]]})
    kim = verify_associate(acme, signed(), DEVICE)
    assert kim == Associate(associate_id="a-17", device_id=DEVICE, is_staff_id=True)
    assert read_identity(acme, issue_identity(acme, kim)) == kim
    assert newstore.calls[-1].request.params["q"] == "kim@acme.test"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "elements",
    [[], [{**KIM, "is_active": False}], [{**KIM, "email": None}], [{**KIM, "associate_id": 17}],
     [{**KIM, "associate_id": "x" * 101}], [KIM, {**KIM, "associate_id": "a-18"}], "x"],
)  # fmt: skip
def test_associate_without_a_certain_match_keeps_the_subject_of_the_login(
    acme: Program, newstore: responses.RequestsMock, signed: Callable[..., str], elements: Any
) -> None:
    newstore.get(USERS, json={"elements": elements})
    assert verify_associate(acme, signed(), DEVICE) == Associate(associate_id="kim", device_id=DEVICE)


@pytest.mark.parametrize(
    "answer",
    [{"status": 403, "json": {"error_code": "insufficient_scope"}}, {"status": 500}, {"status": 429},
     {"body": requests.exceptions.ReadTimeout()}],
)  # fmt: skip
def test_login_works_when_the_look_up_fails(
    acme: Program, newstore: responses.RequestsMock, signed: Callable[..., str], answer: dict[str, Any]
) -> None:
    newstore.get(USERS, **answer)
    with capture_logs() as lines:
        assert verify_associate(acme, signed(), DEVICE).associate_id == "kim"
    assert "associate_not_looked_up" in [line["event"] for line in lines]
    assert "@" not in str(lines)


def test_associates_are_looked_up_only_where_the_program_allows_it(
    tenant: Program, newstore: responses.RequestsMock, signed: Callable[..., str]
) -> None:
    endpoint = newstore.get(USERS, json={"elements": [KIM]})
    assert not verify_associate(tenant, signed(), DEVICE).is_staff_id
    assert endpoint.call_count == 0
