"""The Async Events API: a checkout is handed over at once, and done when its transaction is seen."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.cache import cache

from loyaltyview.sandbox.vendors.antavo.asynchronous import CLIENT_ID
from loyaltyview.sandbox.vendors.antavo.state import Transaction
from providers.antavo.provider import AntavoProvider
from providers.errors import SettingsError
from providers.journal.models import Write, WriteState
from tests.providers.antavo.build import goods, order, points_intent
from tests.providers.antavo.conftest import LEO, MIA, SECRET, Connect, LoseAnswers, Served

EVENTS, TOKEN = "/v1/async/events", "/v1/auth/token"


@pytest.fixture(autouse=True)
def _own_tokens() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def provider(connect: Connect) -> AntavoProvider:
    return connect(orders="asynchronous", client_id=CLIENT_ID, client_secret=SECRET)


def later(minutes: float) -> time_machine.travel:
    return time_machine.travel(datetime.now(UTC) + timedelta(minutes=minutes))


def sale() -> Write:
    return Write.objects.get(kind="sale")


def test_a_checkout_is_handed_over_and_earns_when_it_is_processed(
    provider: AntavoProvider, vendor: Served
) -> None:
    for _ in range(2):
        assert provider.record_order(order()).points is None
    assert not vendor.mia.transactions
    assert vendor.count(EVENTS) == 1
    assert sale().state == WriteState.SENT
    with later(2):
        assert provider.send_queued() == (1, 0)
        assert provider.send_queued() == (0, 0)
        assert provider.record_order(order()).points == 100
        assert provider.get_member(MIA).balance.spendable == 920
    assert (sale().state, sale().points, sale().vendor_ref) == (WriteState.DONE, 100, "order-1")


@pytest.mark.parametrize("status", [200, 202])
def test_one_token_serves_many_events(provider: AntavoProvider, vendor: Served, status: int) -> None:
    vendor.asynchronous.accepted_status = status
    for number in range(3):
        provider.record_order(order(f"order-{number}"))
    assert (vendor.count(TOKEN), vendor.count(EVENTS)) == (1, 3)


def test_a_token_that_is_no_longer_taken_is_renewed(provider: AntavoProvider, vendor: Served) -> None:
    provider.record_order(order("order-1"))
    vendor.asynchronous.revoke_tokens()
    provider.record_order(order("order-2"))
    assert vendor.count(TOKEN) == 2
    with later(2):
        assert provider.send_queued() == (2, 0)


def test_wrong_credentials_keep_the_order_for_later(connect: Connect, vendor: Served) -> None:
    wrong = connect(orders="asynchronous", client_id=CLIENT_ID, client_secret="wrong")
    assert wrong.record_order(order()).points is None
    assert sale().last_error.startswith("AuthFailed")
    right = connect(orders="asynchronous", client_id=CLIENT_ID, client_secret=SECRET)
    with later(2):
        assert right.send_queued() == (0, 1)
    with later(10):
        assert right.send_queued() == (1, 0)


def test_credentials_are_needed(connect: Connect) -> None:
    with pytest.raises(SettingsError, match="client_id"):
        connect(orders="asynchronous")
    with pytest.raises(SettingsError, match="client_secret"):
        connect(orders="asynchronous", client_id=CLIENT_ID)


def test_what_is_not_processed_yet_is_asked_for_again(provider: AntavoProvider, vendor: Served) -> None:
    vendor.asynchronous.processing_s = 300
    provider.record_order(order())
    with later(2):
        assert provider.send_queued() == (0, 1)
        assert (sale().state, sale().last_error) == (WriteState.SENT, "status queued")
    with later(10):
        assert provider.send_queued() == (1, 0)
    assert vendor.count(EVENTS) == 1, "it was handed over once"


def test_a_dead_letter_waits_for_a_person_at_antavo(provider: AntavoProvider, vendor: Served) -> None:
    vendor.asynchronous.fails = True
    provider.record_order(order())
    with later(2):
        assert provider.send_queued() == (0, 1)
    assert (sale().state, sale().last_error) == (WriteState.SENT, "status failed")


def test_a_refused_checkout_says_why_and_is_handed_over_again(
    provider: AntavoProvider, vendor: Served
) -> None:
    provider.record_order(order(ref="stranger"))
    with later(2):
        assert provider.send_queued() == (0, 1)
        assert sale().last_error == "code 160212"
    with later(10):
        assert provider.send_queued() == (0, 1)
    assert vendor.count(EVENTS) == 2


def test_a_lost_answer_hands_over_again_and_earns_once(
    provider: AntavoProvider, vendor: Served, lose_answers: LoseAnswers
) -> None:
    with lose_answers(EVENTS):
        assert provider.record_order(order()).points is None
    assert (sale().state, sale().vendor_ref) == (WriteState.SENT, "")
    with later(2):
        assert provider.send_queued() == (0, 1)
    with later(10):
        assert provider.send_queued() == (1, 0), "the second event was refused with 5003"
        assert provider.get_member(MIA).balance.spendable == 920


def test_an_event_that_antavo_forgot_is_handed_over_again(provider: AntavoProvider, vendor: Served) -> None:
    provider.record_order(order())
    vendor.asynchronous._events.clear()
    with later(2):
        assert provider.send_queued() == (0, 1)
        assert sale().last_error == "the event is not known to Antavo"
    with later(10):
        assert provider.send_queued() == (0, 1)
    with later(30):
        assert provider.send_queued() == (1, 0)


def test_another_members_transaction_is_no_proof(provider: AntavoProvider, vendor: Served) -> None:
    foreign = Transaction(
        transaction_id="order-1", status="accepted", total=order().earn_base.amount, earned=1
    )
    vendor.workspace.customers[LEO].transactions["order-1"] = foreign
    provider.record_order(order())
    with later(2):
        assert provider.send_queued() == (0, 1)
    assert (sale().state, sale().last_error) == (WriteState.SENT, "code 5003")


def test_burned_points_never_wait(provider: AntavoProvider, vendor: Served) -> None:
    spend = provider.spend(points_intent(200))
    sold = order(spends=(spend,))
    provider.confirm(spend, sold)
    assert provider.record_order(sold).points == 100
    assert vendor.count(EVENTS) == 0
    assert vendor.mia.transactions["order-1"].burned == 200
    balance = provider.get_member(MIA).balance
    assert (balance.spendable, balance.reserved) == (720, 0)


def test_an_order_is_cancelled_while_antavo_still_queues_it(provider: AntavoProvider, vendor: Served) -> None:
    vendor.asynchronous.processing_s = 300
    provider.record_order(order())
    assert provider.cancel_order(order()).points == -100
    with later(10):
        assert provider.send_queued() == (0, 0)
        assert provider.get_member(MIA).balance.spendable == 820, "the queued event was refused with 5003"


def test_a_return_finds_its_checkout(provider: AntavoProvider, vendor: Served) -> None:
    vendor.asynchronous.processing_s = 300
    provider.record_order(order())
    assert provider.record_return(goods("20.00")).points == -25
    with later(10):
        assert provider.get_member(MIA).balance.spendable == 895


def test_a_pending_checkout_is_accepted_where_the_program_does_so(vendor: Served, connect: Connect) -> None:
    vendor.workspace.accept_mode = "manual"
    provider = connect(
        orders="asynchronous", client_id=CLIENT_ID, client_secret=SECRET, accepts_checkouts=True
    )
    provider.record_order(order())
    with later(2):
        provider.maintain()
    assert vendor.mia.transactions["order-1"].status == "accepted"
    assert sale().points == 100
