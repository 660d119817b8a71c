"""Sales, returns and cancelled orders: told once, in the tenant's own words, nobody below zero."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
import time_machine
from django.utils import timezone

from loyaltyview.sandbox.vendors.whitelabel.server import WhiteLabel
from providers.errors import OutcomeUnknown, Rejected, Unavailable
from providers.journal.models import Write, WriteKind
from providers.sales import PointsChange
from providers.whitelabel import events
from providers.whitelabel.provider import WhiteLabelProvider
from tests.providers.whitelabel.build import order, points_intent, returned, reward_intent, sent
from tests.providers.whitelabel.conftest import Build, LoseAnswers
from tests.races.at_once import at_once


def test_a_sale_is_reported_without_personal_data(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    spend = provider.spend(reward_intent(mia))
    assert provider.record_order(order(mia, "80.50", spends=(spend,))) == PointsChange(points=80)
    (event,) = vendor.state.events_of("TRANSACTION")
    assert event["executor"] == "a-17"
    assert event["payload"] == {
        "transactionId": "order-1",
        "amount": 80.5,
        "currency": "USD",
        "branchId": "boston-1",
        "cashierId": "a-17",
        "requestId": "sale-order-1",
        "items": [{"sku": "SHIRT-01", "quantity": 1, "amount": 80.5}],
        "discounts": [{"benefitId": spend.provider_ref}],
    }


def test_the_tenants_own_names_and_unit_are_used(build: Build, vendor: WhiteLabel, mia: str) -> None:
    vendor.state.schemas["SHOP_SALE"] = {"sale": "string*", "cents": "number*", "request": "string*"}
    vendor.state.reactors["SHOP_SALE"] = lambda payload: int(payload["cents"]) // 100
    names = {"sale_id": "sale", "sale_amount": "cents", "sale_request": "request"}
    dropped = ("currency", "store", "associate", "items", "benefits")
    names |= {f"sale_{word}": "" for word in dropped}
    provider = build(sale_type="SHOP_SALE", amount_unit="minor", names=names)
    assert provider.record_order(order(mia, "80.50")) == PointsChange(points=80)
    (event,) = vendor.state.events_of("SHOP_SALE")
    assert event["payload"] == {"sale": "order-1", "cents": 8050, "request": "sale-order-1"}


def test_a_sale_whose_answer_was_lost_is_told_once(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, lose_answers: LoseAnswers
) -> None:
    with lose_answers(), pytest.raises(OutcomeUnknown):
        provider.record_order(order(mia))
    assert provider.record_order(order(mia)) == PointsChange(points=80)
    assert len(vendor.state.events_of("TRANSACTION")) == 1
    assert vendor.state.points[mia] == 900


def test_a_sale_that_never_arrived_is_told_again_only_when_it_cannot_come_any_more(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    sent(WriteKind.SALE, "order-1", mia, order_id="order-1", amount=Decimal(80))
    with pytest.raises(Unavailable):
        provider.record_order(order(mia))
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        assert provider.record_order(order(mia)) == PointsChange(points=80)
    assert len(vendor.state.events_of("TRANSACTION")) == 1


def test_a_vendor_that_is_down_is_told_later(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    provider.get_member(mia)
    vendor.faults.is_throttled = True
    with pytest.raises(Unavailable):
        provider.record_order(order(mia))
    vendor.faults.is_throttled = False
    assert provider.record_order(order(mia)) == PointsChange(points=80)
    assert len(vendor.state.events_of("TRANSACTION")) == 1


def test_points_that_come_later_are_said_when_they_are_there(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    vendor.state.reaction_delay_s = 3600
    assert provider.record_order(order(mia)) == PointsChange(points=None)
    with pytest.raises(Unavailable):
        provider.record_return(returned(mia, "80.00"))
    vendor.state.reaction_delay_s = 0
    assert provider.record_order(order(mia)) == PointsChange(points=80)
    assert provider.record_return(returned(mia, "80.00")) == PointsChange(points=-80)


def test_a_payload_that_the_tenant_does_not_take_is_rejected_and_may_be_sent_again(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    schema = vendor.state.schemas["TRANSACTION"]
    vendor.state.schemas["TRANSACTION"] = {"amount": "number*"}
    with pytest.raises(Rejected):
        provider.record_order(order(mia))
    vendor.state.schemas["TRANSACTION"] = schema
    assert provider.record_order(order(mia)) == PointsChange(points=80)


@pytest.mark.parametrize("return_type", ["", "TRANSACTION_RETURNED"])
def test_returns_take_back_once_even_when_the_answer_is_lost(
    build: Build, vendor: WhiteLabel, mia: str, lose_answers: LoseAnswers, return_type: str
) -> None:
    vendor.events.add_return_type()
    provider = build(return_type=return_type)
    provider.record_order(order(mia))
    with lose_answers(), pytest.raises(OutcomeUnknown):
        provider.record_return(returned(mia, "20.00"))
    for _ in range(2):
        assert provider.record_return(returned(mia, "20.00")) == PointsChange(points=-20)
    assert len(vendor.state.events_of(return_type or "POINTS_ADJUSTED")) == 1
    assert vendor.state.points[mia] == 880


def test_a_cancelled_order_gives_back_what_no_return_took(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    provider.record_order(order(mia))
    provider.record_return(returned(mia, "20.00"))
    for _ in range(2):
        assert provider.cancel_order(order(mia)) == PointsChange(points=-60)
    assert vendor.state.points[mia] == 820


def test_nobody_is_taken_below_zero_and_the_rest_comes_with_the_next_return(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    provider.record_order(order(mia))
    provider.spend(points_intent(mia, 890))
    assert vendor.state.points[mia] == 10
    assert provider.record_return(returned(mia, "40.00")) == PointsChange(points=-10)
    assert vendor.state.points[mia] == 0
    vendor.state.points[mia] = 200
    assert provider.record_return(returned(mia, "40.00", "return-2")) == PointsChange(points=-70)
    assert vendor.state.points[mia] == 130


def test_a_cancellation_finds_out_whether_a_sale_of_unknown_outcome_arrived(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, lose_answers: LoseAnswers
) -> None:
    with lose_answers(), pytest.raises(OutcomeUnknown):
        provider.record_order(order(mia))
    assert provider.cancel_order(order(mia)) == PointsChange(points=-80)
    assert vendor.state.points[mia] == 820


def test_a_cancelled_order_that_was_never_told_will_not_be(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    vendor.faults.is_throttled = True
    with pytest.raises(Unavailable):
        provider.record_order(order(mia))
    vendor.faults.is_throttled = False
    assert provider.cancel_order(order(mia)) == PointsChange(points=0)
    assert provider.record_order(order(mia)) == PointsChange(points=None)
    assert not vendor.state.events_of("TRANSACTION")


def test_a_complete_return_takes_points_left_by_rounding(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    provider.record_order(order(mia))
    assert provider.record_return(returned(mia, "40.00")) == PointsChange(points=-40)
    last = replace(returned(mia, "39.99", "return-2"), is_complete=True)
    assert provider.record_return(last) == PointsChange(points=-40)
    assert vendor.state.points[mia] == 820


def test_a_refund_pays_first_for_what_a_return_could_not_take(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    provider.record_order(order(mia))
    spend = provider.spend(points_intent(mia, 890))
    assert provider.record_return(returned(mia, "80.00")) == PointsChange(points=-10)
    for _ in range(2):
        provider.release(spend)
        assert vendor.state.points[mia] == 820


def test_parts_of_a_refund_pay_as_they_come_and_give_back_no_more_than_was_spent(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    provider.record_order(order(mia))
    spend = provider.spend(points_intent(mia, 850))
    provider.confirm(spend, order(mia, order_id="order-2"))
    assert provider.record_return(returned(mia, "80.00")) == PointsChange(points=-50)
    provider.release_part(spend, 20, "return-a")
    assert vendor.state.points[mia] == 0
    provider.release_part(spend, 30, "return-b")
    assert vendor.state.points[mia] == 20
    provider.release(spend)
    assert vendor.state.points[mia] == 820


def test_what_a_refund_paid_is_not_taken_by_the_next_return(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    provider.record_order(order(mia))
    spend = provider.spend(points_intent(mia, 890))
    assert provider.record_return(returned(mia, "40.00")) == PointsChange(points=-10)
    provider.release(spend)
    assert vendor.state.points[mia] == 860
    assert provider.record_return(returned(mia, "40.00", "return-2")) == PointsChange(points=-40)
    assert vendor.state.points[mia] == 820


def test_the_refund_of_a_later_spend_pays_for_no_earlier_return(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    provider.record_order(order(mia))
    provider.spend(points_intent(mia, 900))
    assert provider.record_return(returned(mia, "80.00")) == PointsChange(points=0)
    vendor.state.points[mia] = 300
    provider.release(provider.spend(points_intent(mia, 300, "key-2")))
    assert vendor.state.points[mia] == 300


def test_what_a_refund_paid_while_a_return_was_sent_stays_paid(
    build: Build, vendor: WhiteLabel, mia: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor.events.add_return_type()
    provider, report = build(return_type="TRANSACTION_RETURNED"), events.report
    provider.record_order(order(mia))
    spends = [provider.spend(points_intent(mia, 445, f"key-{number}")) for number in range(2)]

    def report_beside_a_release(client, kind, *args, **kwargs):  # type: ignore[no-untyped-def]
        event = report(client, kind, *args, **kwargs)
        if kind == "TRANSACTION_RETURNED":
            provider.release(spends[0])
        return event

    monkeypatch.setattr(events, "report", report_beside_a_release)
    provider.record_return(returned(mia, "80.00"))
    provider.release(spends[1])
    assert vendor.state.points[mia] == 820


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_refunds_and_a_return_at_once_pay_what_is_owed_once(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    provider.record_order(order(mia))
    spends = [provider.spend(points_intent(mia, 300, f"key-{number}")) for number in range(3)]
    assert provider.record_return(returned(mia, "40.00")) == PointsChange(points=0)
    writes: list[Callable[[], object]] = [partial(provider.release, spend) for spend in spends]
    writes.append(partial(provider.record_return, returned(mia, "40.00", "return-2")))

    def try_it(write: Callable[[], object]) -> None:
        with suppress(Unavailable):  # another thread sends the same
            write()

    at_once([partial(try_it, write) for write in writes * 2])
    for write in writes:
        write()
    owed = sum(row.detail["owed"] for row in Write.objects.filter(kind=WriteKind.RETURN))
    assert vendor.state.points[mia] == 820 + owed
    assert len(vendor.state.events_of("POINTS_REFUND")) == 3
