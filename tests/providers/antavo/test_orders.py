"""Orders and returns: earned once, at the time of the sale, taken back once, pending or accepted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest
import time_machine

from loyaltyview.sandbox.vendors.antavo.state import Transaction
from providers.antavo.provider import AntavoProvider
from providers.antavo.refusals import NOT_ACCEPTED, Refused
from providers.errors import OutcomeUnknown, Rejected, Unavailable
from tests.providers.antavo.build import goods, order
from tests.providers.antavo.conftest import LEO, MIA, Connect, LoseAnswers, Served


def spendable(provider: AntavoProvider) -> int:
    return provider.get_member(MIA).balance.spendable


def test_a_checkout_says_what_was_bought_where_and_when(provider: AntavoProvider, vendor: Served) -> None:
    at = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    provider.record_order(order(placed_at=at))
    assert vendor.events("checkout") == [
        {
            "transaction_id": "order-1",
            "total": 80,
            "currency": "USD",
            "effective_timestamp": int(at.timestamp()),
            "items": [{"product_id": "SHIRT-01", "quantity": 2, "price": 40, "subtotal": 80}],
            "store": "boston-1",
        }
    ]
    assert vendor.mia.transactions["order-1"].at == at, "however late it is sent"


def test_a_sale_is_never_dated_in_the_future(provider: AntavoProvider, vendor: Served) -> None:
    provider.record_order(order(placed_at=datetime.now(UTC) + timedelta(hours=1)))
    assert vendor.events("checkout")[0]["effective_timestamp"] <= datetime.now(UTC).timestamp()


def test_an_order_whose_answer_was_lost_earns_once(
    provider: AntavoProvider, vendor: Served, lose_answers: LoseAnswers
) -> None:
    with lose_answers('"checkout"'), pytest.raises(OutcomeUnknown):
        provider.record_order(order())
    assert provider.record_order(order()).points == 100
    assert spendable(provider) == 920


def test_an_order_id_that_another_members_transaction_has_is_refused(
    provider: AntavoProvider, vendor: Served
) -> None:
    foreign = Transaction(
        transaction_id="order-1", status="accepted", total=order().earn_base.amount, earned=1
    )
    vendor.workspace.customers[LEO].transactions["order-1"] = foreign
    with pytest.raises(Rejected):
        provider.record_order(order())


def test_balances_do_not_depend_on_what_events_answer(vendor: Served, provider: AntavoProvider) -> None:
    vendor.workspace.suppresses_pii = True
    assert provider.record_order(order()).points == 100


def test_a_pending_checkout_is_decided_later(vendor: Served, provider: AntavoProvider) -> None:
    vendor.workspace.accept_mode = "manual"
    assert provider.record_order(order()).points is None
    assert provider.get_member(MIA).balance.pending == 100
    assert not vendor.events("checkout_accept")


def test_a_program_accepts_a_checkout_once(vendor: Served, connect: Connect) -> None:
    vendor.workspace.accept_mode = "manual"
    provider = connect(accepts_checkouts=True)
    for _ in range(2):
        assert provider.record_order(order()).points == 100
    assert vendor.events("checkout_accept") == [{"transaction_id": "order-1"}]
    assert spendable(provider) == 920


def test_accepting_whose_answer_was_lost_is_repeated_safely(
    vendor: Served, connect: Connect, lose_answers: LoseAnswers
) -> None:
    vendor.workspace.accept_mode = "manual"
    provider = connect(accepts_checkouts=True)
    with lose_answers("checkout_accept"), pytest.raises(OutcomeUnknown):
        provider.record_order(order())
    assert provider.record_order(order()).points == 100


def test_an_order_that_may_not_be_accepted_yet_is_taken_back_when_cancelled(
    vendor: Served, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor.workspace.accept_mode = "manual"
    provider = connect(accepts_checkouts=True)
    refuse = Refused(NOT_ACCEPTED, "not yet", 409)
    with monkeypatch.context() as patch:
        patch.setattr("providers.antavo.transactions.accept", Mock(side_effect=refuse))
        with pytest.raises(Rejected):
            provider.record_order(order())
        assert provider.get_member(MIA).balance.pending == 100
        provider.cancel_order(order())
    assert vendor.events("checkout_reject") == [{"transaction_id": "order-1"}]
    assert provider.get_member(MIA).balance.pending == 0


def test_an_order_that_may_not_be_accepted_yet_is_accepted_later(
    vendor: Served, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor.workspace.accept_mode = "manual"
    provider = connect(accepts_checkouts=True)
    refuse = Refused(NOT_ACCEPTED, "not yet", 409)
    with monkeypatch.context() as patch:
        patch.setattr("providers.antavo.transactions.accept", Mock(side_effect=refuse))
        with pytest.raises(Rejected):
            provider.record_order(order())
    assert provider.record_order(order()).points == 100
    assert len(vendor.events("checkout")) == 1
    assert spendable(provider) == 920


def test_a_cancelled_order_is_refunded_as_a_whole(provider: AntavoProvider, vendor: Served) -> None:
    provider.record_order(order())
    assert provider.cancel_order(order()).points == -100
    assert provider.cancel_order(order()).points == 0
    assert vendor.events("refund") == [{"transaction_id": "order-1"}]
    assert spendable(provider) == 820


def test_a_pending_order_is_rejected_not_refunded(vendor: Served, provider: AntavoProvider) -> None:
    vendor.workspace.accept_mode = "manual"
    provider.record_order(order())
    provider.cancel_order(order())
    assert vendor.events("checkout_reject") == [{"transaction_id": "order-1"}]
    assert not vendor.events("refund")
    assert provider.get_member(MIA).balance.pending == 0


def test_a_cancellation_whose_answer_was_lost_is_success_when_repeated(
    provider: AntavoProvider, lose_answers: LoseAnswers
) -> None:
    provider.record_order(order())
    with lose_answers('"refund"'), pytest.raises(OutcomeUnknown):
        provider.cancel_order(order())
    provider.cancel_order(order())
    assert spendable(provider) == 820


def test_a_partial_return_is_refunded_in_part(provider: AntavoProvider, vendor: Served) -> None:
    provider.record_order(order())
    for _ in range(2):
        assert provider.record_return(goods("20.00")).points == -25
    assert vendor.events("partial_refund") == [{"transaction_id": "order-1", "amount": 20}]
    assert provider.cancel_order(order()).points == -75
    assert spendable(provider) == 820


def test_a_refund_whose_answer_was_lost_is_counted_not_repeated(
    provider: AntavoProvider, vendor: Served, lose_answers: LoseAnswers
) -> None:
    provider.record_order(order())
    provider.record_return(goods("20.00"))
    with lose_answers("partial_refund"), pytest.raises(OutcomeUnknown):
        provider.record_return(goods("20.00", "return-2"))
    assert provider.record_return(goods("20.00", "return-2")).points == -25
    assert len(vendor.events("partial_refund")) == 2
    assert spendable(provider) == 870


def test_a_refund_that_never_arrived_is_sent_again_when_it_cannot_be_under_way(
    provider: AntavoProvider, vendor: Served
) -> None:
    provider.record_order(order())
    vendor.faults.is_down = vendor.faults.writes_only = True
    with pytest.raises(OutcomeUnknown):
        provider.record_return(goods("20.00"))
    vendor.faults.is_down = False
    with pytest.raises(Unavailable):
        provider.record_return(goods("20.00"))
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2)):
        assert provider.record_return(goods("20.00")).points == -25
    assert spendable(provider) == 895


def test_a_return_of_a_pending_order_reduces_it(vendor: Served, provider: AntavoProvider) -> None:
    vendor.workspace.accept_mode = "manual"
    provider.record_order(order())
    for _ in range(2):
        assert provider.record_return(goods("20.00")).points is None
    assert vendor.events("checkout_update") == [{"transaction_id": "order-1", "total": 60}]
    assert provider.get_member(MIA).balance.pending == 75
    provider.record_return(goods("60.00", "return-2"))
    assert vendor.mia.transactions["order-1"].status == "rejected"


def test_a_web_order_is_refunded_under_the_id_that_the_shop_reported(
    provider: AntavoProvider, vendor: Served
) -> None:
    provider.record_order(order("web-77"))
    assert provider.record_return(goods("80.00", reported_as="web-77")).points == -100
    assert spendable(provider) == 820


def test_a_return_of_an_unknown_order_takes_no_points(provider: AntavoProvider, vendor: Served) -> None:
    assert provider.record_return(goods("20.00")).points == 0
    assert not vendor.events("partial_refund")


def test_undocumented_names_of_orders_can_be_changed(vendor: Served, connect: Connect) -> None:
    provider = connect(names={"refund_amount": "total"})
    provider.record_order(order())
    with pytest.raises(Rejected) as caught:
        provider.record_return(goods("20.00"))
    assert vendor.events("partial_refund") == [{"transaction_id": "order-1", "total": 20}]
    assert "total" in caught.value.text, "the sandbox knows only the assumed name"


def test_a_complete_return_takes_points_left_by_rounding(provider: AntavoProvider, vendor: Served) -> None:
    provider.record_order(order())
    provider.record_return(goods("40.00"))
    provider.record_return(replace(goods("39.99", "return-2"), is_complete=True))
    assert [refund["amount"] for refund in vendor.events("partial_refund")] == [40, 40]
    assert spendable(provider) == 820
