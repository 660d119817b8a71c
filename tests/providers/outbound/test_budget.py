"""Waiting for a turn: how long each use waits, and which calls are not counted."""

from collections.abc import Callable

import pytest

from providers.outbound.budget import Budget, OwnLimit, calling_for, finish, spread
from providers.outbound.budget_state import Limit, Use
from providers.outbound.budget_store import ProcessStore, Step

FIVE_A_SECOND = Limit(calls=5, window_s=1.0)
Make = Callable[..., Budget]


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def budget(clock: Clock) -> Budget:
    return Budget(
        name="yotpo:acme",
        limit=FIVE_A_SECOND,
        clock=clock,
        sleep=clock.sleep,
        kept_in=ProcessStore(clock),
    )


def use_up(budget: Budget) -> None:
    with calling_for(Use.TAP, calls=5):
        for _ in range(5):
            budget.take(10)


def test_calls_pass_immediately_until_the_window_is_full(budget: Budget, clock: Clock) -> None:
    use_up(budget)
    assert clock.slept == []
    with calling_for(Use.TAP):
        budget.take(10)
    assert sum(clock.slept) == pytest.approx(1.154, abs=0.01)


def test_a_page_waits_until_its_deadline_at_most_and_counts_no_call(budget: Budget, clock: Clock) -> None:
    use_up(budget)
    with calling_for(Use.PAGE, calls=2) as page:
        for _call in range(2):
            with pytest.raises(OwnLimit) as raised:
                budget.take(0.5)
    assert raised.value.retry_after_s > 0.5
    finish(page)
    clock.now += 2
    use_up(budget)  # all five are there
    assert clock.slept == []


def test_a_page_begins_when_all_its_calls_are_free(budget: Budget, clock: Clock) -> None:
    use_up(budget)
    with calling_for(Use.PAGE, calls=3):
        for _ in range(3):
            budget.take(2.5)
    assert sum(clock.slept) == pytest.approx(1.154, abs=0.02)


def test_a_tap_passes_a_page_that_came_before_it(budget: Budget, clock: Clock) -> None:
    use_up(budget)
    budget.book("tap", 5)
    with calling_for(Use.PAGE), pytest.raises(OwnLimit):
        budget.take(1.5)
    with calling_for(Use.TAP, calls=5, key="tap"):
        for _ in range(5):
            budget.take(10)
    assert sum(clock.slept) < 1.5


def test_the_worker_does_not_wait_long(budget: Budget, clock: Clock) -> None:
    use_up(budget)
    with pytest.raises(OwnLimit) as raised:
        budget.take(10)
    assert raised.value.retry_after_s == pytest.approx(1.154, abs=0.01)
    assert clock.slept == []


def test_a_pause_of_the_vendor_stops_all_uses(budget: Budget, clock: Clock) -> None:
    budget.pause(3)
    for use in Use:
        with calling_for(use), pytest.raises(OwnLimit):
            budget.take(1)
    with calling_for(Use.TAP):
        budget.take(10)
    assert clock.now == pytest.approx(1003.0)


def test_unused_calls_of_a_page_are_free_again(budget: Budget, clock: Clock) -> None:
    with calling_for(Use.PAGE, calls=3) as page:
        budget.take(1)
    finish(page)
    with calling_for(Use.PAGE, calls=2):
        budget.take(1)
        budget.take(1)
    assert clock.slept == []


@pytest.mark.parametrize(
    ("calls", "window_s", "limit"),
    [
        (60, 60.0, Limit(calls=60, window_s=60.0)),
        (1500, 60.0, Limit(calls=50, window_s=2.0)),
        (1, 60.0, Limit(calls=1, window_s=60.0)),
    ],
)
def test_a_large_limit_is_spread_over_its_window(calls: int, window_s: float, limit: Limit) -> None:
    assert spread(calls, window_s) == limit
    assert limit.calls / limit.window_s <= calls / window_s


def test_a_page_and_its_first_call_are_counted_in_one_commit(clock: Clock) -> None:
    store = ProcessStore(clock)
    steps = []
    apply = store.apply

    def note(name: str, limit: Limit, step: Step) -> object:
        steps.append(step)
        return apply(name, limit, step)

    store.apply = note  # type: ignore[method-assign]
    budget = Budget(name="acme", limit=FIVE_A_SECOND, clock=clock, sleep=clock.sleep, kept_in=store)
    with calling_for(Use.PAGE, calls=2) as page:
        budget.take(1)
        assert (len(steps), page.made) == (1, 1)
        budget.take(1)
    assert (len(steps), page.made) == (2, 2)
