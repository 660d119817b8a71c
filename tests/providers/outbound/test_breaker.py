"""The circuit breaker opens on silence, probes once, and closes on an answer."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine

from providers.errors import Unavailable
from providers.outbound.breaker import Breaker, BreakerOpen

BREAKER = Breaker(vendor="yotpo", program="acme", failures=3, window_s=30, open_s=15, probe_s=20)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(datetime(2026, 5, 1, 12, tzinfo=UTC), tick=False) as traveller:
        yield traveller


def fail(times: int) -> None:
    for _ in range(times):
        BREAKER.failed()


def test_calls_pass_until_the_limit_of_failures(clock: time_machine.Traveller) -> None:
    fail(2)
    BREAKER.check()
    fail(1)
    with pytest.raises(Unavailable):
        BREAKER.check()


def test_an_answer_in_between_starts_the_count_anew(clock: time_machine.Traveller) -> None:
    fail(2)
    BREAKER.succeeded()
    fail(2)
    BREAKER.check()


def test_failures_far_apart_do_not_open_the_breaker(clock: time_machine.Traveller) -> None:
    fail(2)
    clock.shift(31)
    fail(2)
    BREAKER.check()


def test_after_the_pause_exactly_one_call_probes(clock: time_machine.Traveller) -> None:
    fail(3)
    clock.shift(15)
    BREAKER.check()
    with pytest.raises(BreakerOpen):
        BREAKER.check()


def test_an_answered_probe_closes_the_breaker(clock: time_machine.Traveller) -> None:
    fail(3)
    clock.shift(15)
    BREAKER.check()
    BREAKER.succeeded()
    BREAKER.check()
    fail(2)
    BREAKER.check()


def test_a_failed_probe_opens_the_breaker_again(clock: time_machine.Traveller) -> None:
    fail(3)
    clock.shift(15)
    BREAKER.check()
    fail(1)
    clock.shift(14)
    with pytest.raises(BreakerOpen):
        BREAKER.check()
    clock.shift(1)
    BREAKER.check()


def test_a_probe_whose_process_died_is_replaced(clock: time_machine.Traveller) -> None:
    fail(3)
    clock.shift(15)
    BREAKER.check()
    clock.shift(21)
    BREAKER.check()


def test_the_next_call_probes_when_a_probe_was_not_made(clock: time_machine.Traveller) -> None:
    fail(3)
    clock.shift(15)
    BREAKER.check()
    BREAKER.abandoned()
    BREAKER.check()


def test_programs_and_vendors_have_separate_breakers(clock: time_machine.Traveller) -> None:
    fail(3)
    Breaker(vendor="yotpo", program="other").check()
    Breaker(vendor="antavo", program="acme").check()


def test_an_expired_breaker_is_closed(clock: time_machine.Traveller) -> None:
    fail(3)
    clock.shift(3600)
    BREAKER.check()
    BREAKER.check()
