"""Many tills and workers at once, with real threads and real HTTP: each thing happens once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from providers.antavo.provider import AntavoProvider
from providers.errors import ProviderError, Rejected
from providers.journal.states import end_wait_by
from providers.sales import PointsChange, Spend
from tests.providers.antavo.build import goods, intent, order, points_intent, voucher_intent
from tests.providers.antavo.conftest import MIA, Connect, Served

TILLS = 6
pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def at_once(call: Callable[[int], Any]) -> list[Any]:
    """Run `call(number)` in TILLS threads that start together; a ProviderError is an answer."""
    barrier = Barrier(TILLS)

    def run(number: int) -> Any:
        try:
            barrier.wait(10)
            return call(number)
        except ProviderError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(TILLS) as pool:
        return list(pool.map(run, range(TILLS)))


def spendable(provider: AntavoProvider) -> int:
    return provider.get_member(MIA).balance.spendable


def test_one_key_claims_once(provider: AntavoProvider, vendor: Served) -> None:
    made = intent()
    answers = at_once(lambda _number: provider.spend(made))
    assert len({a.provider_ref for a in answers if isinstance(a, Spend)}) == 1
    assert vendor.count("/claim") == 1
    assert spendable(provider) == 720


def test_a_coupon_is_in_one_cart_only(provider: AntavoProvider, vendor: Served) -> None:
    vendor.give(MIA, "SPRING")
    answers = at_once(lambda _number: provider.spend(voucher_intent("SPRING")))
    assert sum(isinstance(answer, Spend) for answer in answers) == 1
    assert sum(isinstance(answer, Rejected) for answer in answers) == TILLS - 1


def test_reservations_never_exceed_the_balance(provider: AntavoProvider) -> None:
    answers = at_once(lambda _number: provider.spend(points_intent(400)))
    assert sum(isinstance(answer, Spend) for answer in answers) == 2
    assert spendable(provider) == 20


def test_asking_while_spending_either_closes_the_key_or_finds_it(
    provider: AntavoProvider, vendor: Served
) -> None:
    made = intent()
    at_once(lambda number: provider.find_spend(made) if number % 2 else provider.spend(made))
    found = provider.find_spend(made)
    assert (found.spend is not None) == (spendable(provider) == 720)
    assert vendor.count("/claim") <= 1


def test_an_order_earns_and_burns_once(provider: AntavoProvider) -> None:
    spend = provider.spend(points_intent(200))
    sale = order(spends=(spend,))
    at_once(lambda number: provider.confirm(spend, sale) if number % 2 else provider.record_order(sale))
    provider.record_order(sale)
    assert spendable(provider) == 820 - 200 + 100


def test_points_that_the_checkout_has_burned_are_not_burned_again_by_the_confirmation(
    provider: AntavoProvider,
) -> None:
    spend = provider.spend(points_intent(200))
    sale = order(spends=(spend,))
    row = provider.client.journal.row_of(spend)
    assert end_wait_by(row, sale.order_id)  # the order's report is under way
    provider.confirm(spend, sale)
    row.refresh_from_db()
    assert row.order_id == sale.order_id
    provider.record_order(sale)
    provider.confirm(spend, sale)
    assert spendable(provider) == 820 - 200 + 100


def test_a_return_takes_points_once(provider: AntavoProvider, vendor: Served) -> None:
    provider.record_order(order())
    answers = at_once(lambda _number: provider.record_return(goods("20.00")))
    assert {a.points for a in answers if isinstance(a, PointsChange)} <= {-25}
    assert provider.record_return(goods("20.00")).points == -25
    assert len(vendor.events("partial_refund")) == 1


def test_one_worker_sends_a_waiting_checkout(connect: Connect, vendor: Served) -> None:
    provider = connect(orders="queue")
    for number in range(5):
        provider.record_order(order(f"order-{number}"))
    answers = at_once(lambda _number: provider.send_queued())
    assert sum(sent for sent, _failed in answers) == 5
    assert len(vendor.mia.transactions) == 5
