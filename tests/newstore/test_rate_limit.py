"""Our own limit for NewStore's calls (docs/contracts/newstore.md 9)."""

from contextlib import suppress

import pytest

from loyaltyview.newstore import rate_limit
from loyaltyview.newstore.errors import NewStoreUnavailable
from loyaltyview.newstore.rate_limit import pause, take_turn
from loyaltyview.programs.models import Program


class Time:
    """A clock that only its own pauses move."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture(autouse=True)
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    clock = Time()
    monkeypatch.setattr(rate_limit, "time", clock)
    return clock


def program_of(rate_per_s: int, tenant: str = "acme") -> Program:
    return Program(newstore_tenant=tenant, newstore_rate_per_s=rate_per_s)


def test_calls_of_one_second_go_immediately_and_the_rest_waits(time: Time) -> None:
    for _ in range(12):
        take_turn(program_of(10), patience_s=2)
    assert sum(time.pauses) == pytest.approx(1, abs=0.01)


def test_calls_per_second_equal_the_rate_over_time(time: Time) -> None:
    for _ in range(101):
        take_turn(program_of(10), patience_s=2)
    assert time.now - 1000 == pytest.approx(10, abs=0.1)


def test_caller_without_time_to_wait_gets_the_wait_immediately(time: Time) -> None:
    for _ in range(2):
        take_turn(program_of(2), patience_s=0)
        time.now += 0.25
    with pytest.raises(NewStoreUnavailable) as caught:
        take_turn(program_of(2), patience_s=0.4)
    assert caught.value.retry_after_s == pytest.approx(0.5, abs=0.01)
    assert time.pauses == []


def test_a_refused_call_takes_no_turn(time: Time) -> None:
    take_turn(program_of(1), patience_s=0)
    with pytest.raises(NewStoreUnavailable):
        take_turn(program_of(1), patience_s=0)
    time.now += 1.01
    take_turn(program_of(1), patience_s=0)


def test_unused_turns_are_not_saved_up(time: Time) -> None:
    time.now += 100
    for _ in range(3):
        take_turn(program_of(2), patience_s=2)
    assert sum(time.pauses) == pytest.approx(1, abs=0.01)


def test_programs_of_one_tenant_share_its_turns() -> None:
    take_turn(program_of(1), 0)
    take_turn(program_of(1, "zeta"), 0)
    with pytest.raises(NewStoreUnavailable):
        take_turn(program_of(1), 0)


def test_a_rate_of_zero_is_no_limit() -> None:
    for _ in range(500):
        take_turn(program_of(0, "unbounded"), 0)


def test_programs_of_one_tenant_with_different_rates_share_the_limit() -> None:
    taken = 0
    with suppress(NewStoreUnavailable):
        for taken in range(6):
            take_turn(program_of(1) if taken % 2 else program_of(2), 0)
    assert taken < 3


def test_calls_are_refused_immediately_while_newstore_asks_to_wait(time: Time) -> None:
    pause(program_of(10), 3)
    pause(program_of(10), 1)
    with pytest.raises(NewStoreUnavailable) as caught:
        take_turn(program_of(10), patience_s=10)
    assert caught.value.retry_after_s == pytest.approx(3)
    time.now += 3
    take_turn(program_of(10), patience_s=0)
    assert time.pauses == []
