"""The worker writes the loyalty id into the customer's profile
(docs/contracts/newstore.md 7)."""

import json
from datetime import timedelta
from typing import Any

import pytest
import responses
from django.utils import timezone
from structlog.testing import capture_logs

from loyaltyview.newstore import profile_links
from loyaltyview.newstore.errors import NewStoreUnavailable
from loyaltyview.newstore.models import ProfileLink
from loyaltyview.newstore.profile_links import link_profile, read_loyalty_id, run_one
from loyaltyview.programs.models import Program
from tests.newstore.conftest import API

pytestmark = pytest.mark.usefixtures("with_token")

EMAIL = "mia@example.test"


def profile(profile_id: str = "NS-1", loyalty_id: str = "", **more: Any) -> dict[str, Any]:
    attributes = {"size": {"data_type": "string", "value": "M"}}
    if loyalty_id:
        attributes["loyalty_id"] = {"data_type": "string", "value": loyalty_id}
    return {
        "id": profile_id,
        "email": EMAIL,
        "updated_at": "2026-03-04T15:00:00Z",
        "extended_attributes": attributes,
        **more,
    }


def address(profile_id: str) -> str:
    return f"{API}/customer/profiles/{profile_id}"


def wanted(tenant: Program, **changes: Any) -> None:
    wish = {"member_id": "L-42", "profile_id": "NS-1", "contact": EMAIL, "may_replace": True}
    link_profile(tenant, **{**wish, **changes})  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loyaltyview.newstore.client.PAUSE_S", 0)


def test_id_is_written_beside_the_other_attributes_and_the_row_is_deleted(
    tenant: Program, newstore: responses.RequestsMock
) -> None:
    newstore.get(address("NS-1"), json=profile())
    newstore.patch(address("NS-1"), json=profile())
    wanted(tenant)
    wanted(tenant)
    assert run_one()
    assert json.loads(newstore.calls[-1].request.body or "")["extended_attributes"] == {
        "size": {"data_type": "string", "value": "M"},
        "loyalty_id": {"data_type": "string", "value": "L-42"},
    }
    assert not ProfileLink.objects.exists()
    assert not run_one()


def test_profile_that_is_not_known_is_found_by_its_exact_email(
    tenant: Program, newstore: responses.RequestsMock
) -> None:
    near_miss = profile("NS-9", email="amia@example.test")
    newstore.get(f"{API}/customer/profiles", json={"profiles": [near_miss, profile("NS-1")]})
    newstore.get(address("NS-1"), json=profile())
    write = newstore.patch(address("NS-1"), json=profile())
    wanted(tenant, profile_id="")
    run_one()
    assert write.call_count == 1


def test_merged_profile_is_looked_up_once_more(tenant: Program, newstore: responses.RequestsMock) -> None:
    newstore.get(address("NS-1"), status=404, json={"error_code": "resource_not_found"})
    newstore.get(f"{API}/customer/profiles", json={"profiles": [profile("NS-2")]})
    newstore.get(address("NS-2"), json=profile("NS-2"))
    write = newstore.patch(address("NS-2"), json=profile("NS-2"))
    wanted(tenant)
    run_one()
    assert write.call_count == 1
    assert not ProfileLink.objects.exists()


@pytest.mark.parametrize(
    ("others", "outcome"),
    [([], "no such profile"), (["NS-1"], "no such profile"), (["NS-2", "NS-3"], "several profiles")],
)
def test_deleted_profile_ends_the_attempts_and_the_log_names_no_customer(
    tenant: Program, newstore: responses.RequestsMock, others: list[str], outcome: str
) -> None:
    newstore.get(address("NS-1"), status=404, json={"error_code": "resource_not_found"})
    newstore.get(f"{API}/customer/profiles", json={"profiles": [profile(each) for each in others]})
    wanted(tenant)
    with capture_logs() as lines:
        run_one()
    assert outcome in lines[-1]["outcome"]
    assert EMAIL not in str(lines)
    assert not ProfileLink.objects.exists()


@pytest.mark.parametrize("status", [429, 500, 409])
def test_failed_write_is_tried_again_later(
    tenant: Program, newstore: responses.RequestsMock, status: int
) -> None:
    newstore.get(address("NS-1"), json=profile())
    newstore.patch(address("NS-1"), status=status, json={"error_code": "x"})
    wanted(tenant)
    assert run_one()
    row = ProfileLink.objects.get()
    assert (row.attempts, row.lease_until) == (1, None)
    assert not run_one()
    ProfileLink.objects.update(due_at="2026-01-01T00:00:00Z", attempts=29)
    run_one()
    assert not ProfileLink.objects.exists()


def test_write_waits_as_long_as_newstore_asks(tenant: Program, newstore: responses.RequestsMock) -> None:
    newstore.get(address("NS-1"), status=429, headers={"Retry-After": "900"}, json={})
    wanted(tenant)
    run_one()
    due_at = ProfileLink.objects.get().due_at
    assert due_at is not None
    assert timedelta(seconds=840) < due_at - timezone.now() <= timedelta(seconds=900)


@pytest.mark.parametrize(("may_replace", "writes"), [(True, 1), (False, 0)])
def test_another_loyalty_id_is_replaced_by_an_enrolment_only(
    tenant: Program, newstore: responses.RequestsMock, may_replace: bool, writes: int
) -> None:
    newstore.get(address("NS-1"), json=profile(loyalty_id="L-1"))
    write = newstore.patch(address("NS-1"), json=profile())
    wanted(tenant, may_replace=may_replace)
    run_one()
    assert write.call_count == writes
    assert not ProfileLink.objects.exists()


@pytest.mark.parametrize("missing", [{"member_id": ""}, {"profile_id": "", "contact": ""}])
def test_nothing_is_queued_without_a_way_to_find_the_profile(
    tenant: Program, missing: dict[str, str]
) -> None:
    wanted(tenant, **missing)
    assert not ProfileLink.objects.exists()


def test_email_lies_encrypted_in_the_row(tenant: Program) -> None:
    wanted(tenant)
    assert ProfileLink.objects.get().contact == EMAIL
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT contact FROM newstore_profilelink")
        assert EMAIL not in str(cursor.fetchone())


@pytest.mark.usefixtures("with_token")
def test_a_newer_request_written_meanwhile_is_kept(
    tenant: Program, newstore: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    newstore.get(address("NS-1"), json=profile())
    newstore.patch(address("NS-1"), json=profile())
    wanted(tenant)
    write = profile_links._write

    def while_the_till_enrols_again(row: ProfileLink) -> str:
        outcome = write(row)
        wanted(tenant, profile_id="NS-2")
        return outcome

    monkeypatch.setattr(profile_links, "_write", while_the_till_enrols_again)
    assert run_one()
    assert ProfileLink.objects.get().profile_id == "NS-2"


@pytest.mark.parametrize(
    ("answer", "found"),
    [({"json": profile(loyalty_id="L-42")}, "L-42"),
     ({"json": profile(loyalty_id="\u2068L-42\u2069\u00a0")}, "L-42"), ({"json": profile()}, ""),
     ({"status": 404, "json": {}}, ""), ({"status": 403, "json": {"error_code": "insufficient_scope"}}, ""),
     ({"json": profile(loyalty_id="ask\nher")}, ""), ({"json": profile(loyalty_id="x" * 201)}, "")],
)  # fmt: skip
def test_the_id_in_a_profile_is_read(
    tenant: Program, newstore: responses.RequestsMock, answer: dict[str, Any], found: str
) -> None:
    newstore.get(address("NS-1"), **answer)
    assert read_loyalty_id(tenant, "NS-1") == found


def test_an_unavailable_profile_raises_unavailable(tenant: Program, newstore: responses.RequestsMock) -> None:
    newstore.get(address("NS-1"), status=503)
    with pytest.raises(NewStoreUnavailable):
        read_loyalty_id(tenant, "NS-1")
