"""Sales without a member: reported where the program asks for it, once, and no points move."""

from typing import Any

import pytest

from loyaltyview.sandbox.vendors.whitelabel.server import WhiteLabel
from providers.errors import OutcomeUnknown
from providers.journal.models import Write, WriteKind
from providers.sales import PointsChange
from providers.whitelabel.provider import WhiteLabelProvider
from tests.providers.whitelabel.build import order, returned
from tests.providers.whitelabel.conftest import Build, LoseAnswers

NO_POINTS = PointsChange(points=0)


@pytest.fixture(params=["events", "receipts"])
def provider(request: pytest.FixtureRequest, build: Build, address: str) -> WhiteLabelProvider:
    return build(report_all_sales=True, sales=request.param, receipts_url=f"{address}/receipts/v1")


def told(vendor: WhiteLabel) -> list[dict[str, Any]]:
    return [event for kind in ("TRANSACTION", "ORDER_PLACED") for event in vendor.state.events_of(kind)]


def test_a_sale_without_a_member_has_no_subject_and_earns_nothing(
    provider: WhiteLabelProvider, vendor: WhiteLabel
) -> None:
    for _ in range(2):
        assert provider.record_order(order("")) == NO_POINTS
    (event,) = told(vendor)
    assert event["subject"] is None
    assert all("submitter" not in placed for placed in vendor.receipts.orders)


def test_a_program_that_does_not_ask_reports_and_keeps_nothing(build: Build, vendor: WhiteLabel) -> None:
    provider = build()
    assert provider.record_order(order("")) == NO_POINTS
    assert provider.record_return(returned("", "20.00")) == NO_POINTS
    assert provider.cancel_order(order("")) == NO_POINTS
    assert not told(vendor)
    assert not Write.objects.exists()


def test_one_whose_answer_was_lost_is_told_once(
    provider: WhiteLabelProvider, vendor: WhiteLabel, lose_answers: LoseAnswers
) -> None:
    with lose_answers(), pytest.raises(OutcomeUnknown):
        provider.record_order(order(""))
    provider.record_order(order(""))
    assert len(told(vendor)) == 1


def test_one_that_a_common_user_submits_is_told_once_when_its_answer_was_lost(
    build: Build, address: str, vendor: WhiteLabel, mia: str, lose_answers: LoseAnswers, later: None
) -> None:
    url = f"{address}/receipts/v1"
    provider = build(
        report_all_sales=True, sales="receipts", receipts_url=url, anonymous_submitter="auth0|mia"
    )
    with lose_answers(), pytest.raises(OutcomeUnknown):
        provider.record_order(order(""))
    provider.record_order(order(""))
    assert len(vendor.receipts.orders) == 1


def test_a_customer_who_became_a_member_after_it_was_told_earns_nothing_for_it(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    provider.record_order(order(""))
    assert provider.record_order(order(mia)) == NO_POINTS
    assert provider.record_return(returned(mia, "20.00")) == NO_POINTS
    assert len(told(vendor)) == 1
    assert vendor.state.points[mia] == 820


def test_a_customer_who_became_a_member_before_it_was_told_earns(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    Write.objects.create(
        vendor="whitelabel", program="acme", kind=WriteKind.SALE, key="order-1", order_id="order-1", amount=80
    )
    assert provider.record_order(order(mia)) == PointsChange(points=80)


@pytest.mark.parametrize("return_type", ["", "TRANSACTION_RETURNED"])
def test_returns_and_cancellations_are_told_where_the_tenant_has_a_type_for_them(
    build: Build, vendor: WhiteLabel, return_type: str
) -> None:
    vendor.events.add_return_type()
    vendor.state.schemas["TRANSACTION_RETURNED"]["amount"] = "number"
    names = {"return_amount": "amount"}
    provider = build(report_all_sales=True, return_type=return_type, names=names)
    provider.record_order(order(""))
    for _ in range(2):
        assert provider.record_return(returned("", "20.00")) == NO_POINTS
        assert provider.cancel_order(order("")) == NO_POINTS
    payloads = [event["payload"] for event in vendor.state.events_of("TRANSACTION_RETURNED")]
    amounts = [(payload["points"], payload["amount"], payload["returnId"]) for payload in payloads]
    assert amounts == ([(0, 20, "return-1"), (0, 80, "order-1")] if return_type else [])
    assert not vendor.state.events_of("POINTS_ADJUSTED")


def test_a_tenant_may_name_a_common_submitter(build: Build, address: str, vendor: WhiteLabel) -> None:
    vendor.receipts.needs_submitter = True
    provider = build(
        report_all_sales=True,
        sales="receipts",
        receipts_url=f"{address}/receipts/v1",
        anonymous_submitter="auth0|leo",
    )
    assert provider.record_order(order("")) == NO_POINTS
    assert vendor.receipts.orders[0]["submitter"] == {"authIdentifier": "auth0|leo"}
