"""Many tills at once, with real threads and real HTTP: one reward is in one cart, one key buys once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from providers.errors import OutcomeUnknown, ProviderError, Rejected
from providers.sales import Finding, Spend, SpendKind
from tests.providers.pongo.conftest import ANA, FIVE_OFF, MIA, Connect, Served
from tests.providers.pongo.intents import an_intent, an_order

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


@pytest.mark.parametrize("has_locks", [True, False])
def test_an_owned_reward_is_in_one_cart(connect: Connect, vendor: Served, has_locks: bool) -> None:
    vendor.rewards.has_locks = has_locks
    item = vendor.book.customers[ANA].won[0].hash
    provider = connect()

    answers = at_once(
        lambda number: provider.spend(
            an_intent(f"key-{number}", item, kind=SpendKind.VOUCHER, points=0, ref=ANA)
        )
    )

    assert sum(isinstance(answer, Spend) for answer in answers) == 1
    assert sum(isinstance(answer, Rejected) for answer in answers) == TILLS - 1


def test_one_key_buys_once(connect: Connect, vendor: Served) -> None:
    provider = connect()

    answers = at_once(lambda _number: provider.spend(an_intent()))

    # Who asks later is told that it is under way, or gets the same spend.
    assert all(isinstance(answer, Spend | OutcomeUnknown) for answer in answers)
    assert len({answer.provider_ref for answer in answers if isinstance(answer, Spend)}) == 1
    assert len(vendor.book.customers[MIA].won) == 1
    assert vendor.count("POST", f"/v1/rewards/{FIVE_OFF}") == 1


def test_asking_while_buying_never_denies_what_was_bought(connect: Connect, vendor: Served) -> None:
    provider = connect()

    answers = at_once(
        lambda number: provider.find_spend(an_intent()) if number else provider.spend(an_intent())
    )

    denied = [answer for answer in answers[1:] if answer.finding is Finding.DID_NOT]
    assert not denied or not vendor.book.customers[MIA].won
    assert len(vendor.book.customers[MIA].won) <= 1


def test_an_order_recorded_at_once_earns_once(connect: Connect, vendor: Served) -> None:
    provider = connect()

    at_once(lambda _number: provider.record_order(an_order()))

    assert vendor.book.customers[MIA].points == 820 + 148
