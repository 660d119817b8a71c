"""Checkouts that wait: sent in bulk, later, dated as they were; each once."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command

from loyaltyview.programs.models import Program
from providers.antavo import provider as provider_module
from providers.antavo import waiting
from providers.antavo.provider import AntavoProvider
from providers.errors import OutcomeUnknown, Unavailable
from providers.journal.models import Write, WriteKind
from tests.providers.antavo.build import goods, order, points_intent
from tests.providers.antavo.conftest import MIA, Connect, LoseAnswers, Served

SOLD_AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def provider(connect: Connect) -> AntavoProvider:
    return connect(orders="queue")


def bulks(vendor: Served) -> list[list[str]]:
    """Return the transactions of every bulk request."""
    return [
        [event["data"]["transaction_id"] for event in body["events"]]
        for _method, path, body in vendor.asked
        if path == "/events/bulk"
    ]


def test_orders_wait_and_are_sent_in_bulk_with_the_time_of_their_sale(
    provider: AntavoProvider, vendor: Served
) -> None:
    for name in ("order-1", "order-2", "order-2"):
        assert provider.record_order(order(name, placed_at=SOLD_AT)).points is None
    assert not vendor.mia.transactions
    assert provider.send_queued() == (2, 0)
    assert provider.send_queued() == (0, 0)
    assert bulks(vendor) == [["order-1", "order-2"]]
    assert {tx.at for tx in vendor.mia.transactions.values()} == {SOLD_AT}


def test_a_long_queue_leaves_the_worker_to_other_programs(
    provider: AntavoProvider, vendor: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "BULK", 1)
    monkeypatch.setattr(provider_module, "SENDING_S", 0.0)
    for name in ("order-1", "order-2"):
        provider.record_order(order(name))
    provider.maintain()
    assert bulks(vendor) == [["order-1"]]
    provider.maintain()
    assert bulks(vendor) == [["order-1"], ["order-2"]]


def test_an_outage_keeps_them_for_later(provider: AntavoProvider, vendor: Served) -> None:
    provider.record_order(order())
    vendor.faults.is_down = True
    with pytest.raises(OutcomeUnknown):
        provider.send_queued()
    vendor.faults.is_down = False
    assert provider.send_queued() == (0, 0), "not before its pause is over"
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=2)):
        assert provider.send_queued() == (1, 0)


def test_a_bulk_whose_answer_was_lost_is_sent_again_and_earns_once(
    provider: AntavoProvider, vendor: Served, lose_answers: LoseAnswers
) -> None:
    provider.record_order(order())
    with lose_answers("bulk"), pytest.raises(OutcomeUnknown):
        provider.send_queued()
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=2)):
        assert provider.send_queued() == (1, 0)
        assert provider.get_member(MIA).balance.spendable == 920


def test_a_refused_checkout_does_not_delay_the_others(provider: AntavoProvider) -> None:
    provider.record_order(order("order-1", ref="nobody"))
    provider.record_order(order("order-2"))
    assert provider.send_queued() == (1, 1)
    assert Write.objects.get(due_at__isnull=False).last_error == "code 160212"


def test_a_request_has_at_most_fifty_checkouts(provider: AntavoProvider, vendor: Served) -> None:
    for number in range(60):
        provider.record_order(order(f"order-{number}"))
    assert provider.send_queued() == (50, 0)
    assert provider.send_queued() == (10, 0)


def test_an_order_that_is_cancelled_while_it_waits_is_never_sent(
    provider: AntavoProvider, vendor: Served
) -> None:
    provider.record_order(order())
    assert provider.cancel_order(order()).points == 0
    assert provider.send_queued() == (0, 0)


def test_an_order_that_may_have_arrived_is_sent_again_and_undone(
    provider: AntavoProvider, vendor: Served, lose_answers: LoseAnswers
) -> None:
    provider.record_order(order())
    with lose_answers("bulk"), pytest.raises(OutcomeUnknown):
        provider.send_queued()
    assert provider.cancel_order(order()).points == -100
    assert provider.get_member(MIA).balance.spendable == 820


def test_a_return_sends_its_waiting_order_first(provider: AntavoProvider, vendor: Served) -> None:
    provider.record_order(order())
    vendor.faults.is_down = vendor.faults.writes_only = True
    with pytest.raises((OutcomeUnknown, Unavailable)):
        provider.record_return(goods("20.00"))
    vendor.faults.is_down = False
    assert provider.record_return(goods("20.00")).points == -25


def test_an_order_that_burns_points_never_waits(provider: AntavoProvider, vendor: Served) -> None:
    spend = provider.spend(points_intent(200))
    assert provider.record_order(order(spends=(spend,))).points == 100
    assert Write.objects.get(kind=WriteKind.SALE).due_at is None


def test_pending_checkouts_are_accepted_where_the_program_does_so(vendor: Served, connect: Connect) -> None:
    vendor.workspace.accept_mode = "manual"
    provider = connect(orders="queue", accepts_checkouts=True)
    provider.record_order(order())
    provider.send_queued()
    assert vendor.mia.transactions["order-1"].status == "accepted"


def test_the_command_sends_for_every_program_and_says_what_it_did(
    program: Program, provider: AntavoProvider, vendor: Served
) -> None:
    program.provider_kind = "antavo"
    program.provider_settings = dict(provider.config.settings)
    program.save()
    provider.record_order(order())
    out = StringIO()
    call_command("antavo_send", stdout=out)
    assert out.getvalue() == "acme: 1 checkouts sent, 0 still waiting, 0 reservations burned\n"


def test_the_command_names_a_program_that_cannot_be_reached(
    program: Program, provider: AntavoProvider, vendor: Served
) -> None:
    program.provider_kind = "antavo"
    program.provider_settings = dict(provider.config.settings)
    program.save()
    provider.record_order(order())
    vendor.faults.is_throttled = True
    errors = StringIO()
    call_command("antavo_send", stderr=errors)
    assert errors.getvalue().startswith("acme: RateLimited")
