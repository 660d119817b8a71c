"""Points as money: reserved, burned by the order's checkout, given back from every state."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from providers.antavo.provider import AntavoProvider
from providers.errors import OutcomeUnknown, Rejected, RejectReason
from providers.sales import Finding
from providers.types import Balance
from tests.plans import plan_of
from tests.providers.antavo.build import order, points_intent
from tests.providers.antavo.conftest import MIA, Connect, LoseAnswers, Served
from tests.providers.lost_answers import lose


def balance(provider: AntavoProvider) -> tuple[int, int]:
    found: Balance = provider.get_member(MIA).balance
    return found.spendable, found.reserved


def test_points_are_reserved_under_our_key(provider: AntavoProvider, vendor: Served) -> None:
    intent = points_intent(200)
    spend = provider.spend(intent)
    assert vendor.events("reserve_points") == [{"transaction_id": intent.key, "points": 200}]
    assert spend.is_held
    assert balance(provider) == (620, 200)


def test_a_reservation_is_released_once(provider: AntavoProvider, vendor: Served) -> None:
    spend = provider.spend(points_intent())
    for _ in range(3):
        provider.release(spend)
    assert balance(provider) == (820, 0)
    assert len(vendor.events("release_points")) == 1


def test_the_orders_checkout_burns_what_was_reserved(provider: AntavoProvider, vendor: Served) -> None:
    spend = provider.spend(points_intent(200))
    sale = order(spends=(spend,), base="80.00")
    provider.confirm(sale.spends[0], sale)
    assert balance(provider) == (620, 200), "the checkout comes when the order is completed"
    for _ in range(2):
        assert provider.record_order(sale).points == 100
    provider.confirm(spend, sale)
    checkouts = vendor.events("checkout")
    assert [(data["transaction_id"], data["points_burned"]) for data in checkouts] == [("order-1", 200)]
    assert vendor.mia.transactions["order-1"].burned == 200
    assert balance(provider) == (720, 0)


def test_a_cancelled_order_gives_burned_points_back_once(provider: AntavoProvider, vendor: Served) -> None:
    spend = provider.spend(points_intent(200))
    sale = order(spends=(spend,))
    provider.confirm(spend, sale)
    provider.record_order(sale)
    assert provider.cancel_order(sale).points == -100
    for _ in range(2):
        provider.release(spend)
    assert balance(provider) == (820, 0)
    assert not vendor.events("point_unspend")


def test_burned_points_are_given_back_separately_where_a_refund_does_not(
    vendor: Served, connect: Connect
) -> None:
    provider = connect(refund_returns_points=False)
    spend = provider.spend(points_intent(200))
    sale = order(spends=(spend,))
    provider.record_order(sale)
    provider.cancel_order(sale)
    vendor.mia.transactions["order-1"].burned = 0
    vendor.mia.spent = 200  # this workspace's refund does not give them back
    for _ in range(2):
        provider.release(spend)
    assert vendor.events("point_unspend") == [{"points": 200, "transaction_id": spend.key}]
    assert balance(provider) == (820, 0)


def test_burned_points_of_a_valid_order_are_given_back_once(provider: AntavoProvider, vendor: Served) -> None:
    spend = provider.spend(points_intent(200))
    sale = order(spends=(spend,))
    provider.record_order(sale)
    for _ in range(2):
        provider.release(spend)
    assert balance(provider) == (920, 0)
    provider.cancel_order(sale)
    assert balance(provider) == (820, 0), "the refund does not give them back again"


@pytest.mark.parametrize("fault", ["withholds_answers", "delays_requests"])
def test_burned_points_are_given_back_once_after_any_lost_answer(
    provider: AntavoProvider, vendor: Served, fault: str
) -> None:
    spend = provider.spend(points_intent(200))
    provider.record_order(order(spends=(spend,)))
    lose(vendor, fault, lambda: provider.release(spend))
    assert balance(provider) == (920, 0)


@pytest.mark.parametrize("base", ["0.00", "80.00"])
def test_an_order_that_will_not_earn_or_has_earned_burns_by_itself(
    provider: AntavoProvider, vendor: Served, base: str
) -> None:
    earned = 0
    if base != "0.00":
        # The outcome of the spend was known only after the order had been completed.
        earned = provider.record_order(order(base=base)).points or 0
    spend = provider.spend(points_intent(200))
    for _ in range(2):
        provider.confirm(spend, order(base=base, spends=(spend,)))
    assert vendor.mia.transactions[spend.key].burned == 200
    assert balance(provider) == (620 + earned, 0)
    for _ in range(2):
        provider.release(spend)
    assert balance(provider) == (820 + earned, 0)


def test_a_reservation_whose_order_never_earned_is_burned_after_some_days(
    provider: AntavoProvider, vendor: Served
) -> None:
    spend = provider.spend(points_intent(200))
    provider.confirm(spend, order(spends=(spend,)))
    assert provider.burn_forgotten() == 0
    with time_machine.travel(datetime.now(UTC) + timedelta(days=4)):
        assert provider.burn_forgotten() == 1
        assert provider.burn_forgotten() == 0
        assert balance(provider) == (620, 0)
        # The order earns after all: its points are burned already.
        provider.record_order(order(spends=(spend,)))
    assert "points_burned" not in vendor.events("checkout")[-1]


def test_a_forgotten_reservation_is_burned_although_it_failed_half_way(
    provider: AntavoProvider, vendor: Served, lose_answers: LoseAnswers
) -> None:
    spends = [provider.spend(points_intent(100)) for _ in range(2)]
    for spend in spends:
        provider.confirm(spend, order(spends=(spend,)))
    with time_machine.travel(datetime.now(UTC) + timedelta(days=4)):
        with lose_answers("release_points"):
            assert provider.burn_forgotten() < 2
        provider.burn_forgotten()
        assert provider.burn_forgotten() == 0
    assert len(vendor.events("checkout")) == 2
    assert balance(provider) == (620, 0)


def test_forgotten_reservations_are_found_by_an_index(provider: AntavoProvider) -> None:
    with CaptureQueriesContext(connection) as asked:
        provider.burn_forgotten()
    plan = plan_of(asked.captured_queries[0]["sql"])
    assert "Seq Scan" not in plan
    if connection.vendor == "sqlite":  # PostgreSQL's choice depends on how much there is
        assert "journal_waits_for_order" in plan


def test_a_reservation_whose_answer_was_lost_is_found_by_our_key(
    provider: AntavoProvider, vendor: Served, lose_answers: LoseAnswers
) -> None:
    intent = points_intent(200)
    with lose_answers("reserve_points"), pytest.raises(OutcomeUnknown):
        provider.spend(intent)
    found = provider.find_spend(intent)
    assert found.finding is Finding.HAPPENED
    assert found.spend is not None
    assert found.spend.is_held
    assert balance(provider) == (620, 200)


def test_a_release_whose_answer_was_lost_is_success_when_repeated(
    provider: AntavoProvider, lose_answers: LoseAnswers
) -> None:
    spend = provider.spend(points_intent(200))
    with lose_answers("release_points"), pytest.raises(OutcomeUnknown):
        provider.release(spend)
    provider.release(spend)
    assert balance(provider) == (820, 0)


def test_a_checkout_that_failed_after_the_release_burns_when_repeated(
    provider: AntavoProvider, vendor: Served, lose_answers: LoseAnswers
) -> None:
    spend = provider.spend(points_intent(200))
    sale = order(spends=(spend,))
    with lose_answers('"checkout"'), pytest.raises(OutcomeUnknown):
        provider.record_order(sale)
    assert provider.record_order(sale).points == 100
    assert len(vendor.mia.transactions) == 1
    assert balance(provider) == (720, 0)


def test_a_pending_checkout_keeps_points_reserved_and_gives_them_back_when_rejected(
    vendor: Served, provider: AntavoProvider
) -> None:
    vendor.workspace.accept_mode = "manual"
    spend = provider.spend(points_intent(200))
    sale = order(spends=(spend,))
    assert provider.record_order(sale).points is None
    assert balance(provider) == (620, 200)
    provider.cancel_order(sale)
    provider.release(spend)
    assert vendor.events("checkout_reject") == [{"transaction_id": "order-1"}]
    assert balance(provider) == (820, 0)


def test_a_reservation_above_the_balance_is_refused(provider: AntavoProvider) -> None:
    with pytest.raises(Rejected) as caught:
        provider.spend(points_intent(840))
    assert caught.value.reason is RejectReason.INSUFFICIENT_POINTS


def test_a_released_reservation_cannot_be_confirmed(provider: AntavoProvider) -> None:
    spend = provider.spend(points_intent(200))
    provider.release(spend)
    with pytest.raises(Rejected):
        provider.confirm(spend, order(spends=(spend,)))
