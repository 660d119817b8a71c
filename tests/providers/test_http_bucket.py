"""The token bucket that keeps us below a vendor's rate limit."""

import threading
from uuid import uuid4

import pytest

from providers.bucket import TokenBucket, bucket_for
from providers.errors import RateLimited


class Clock:
    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bucket(clock: Clock) -> TokenBucket:
    return TokenBucket(rate_per_s=2, burst=3, clock=clock, sleep=clock.sleep)


def test_a_burst_passes_at_once_and_the_rest_at_the_rate(bucket: TokenBucket, clock: Clock) -> None:
    for _ in range(5):
        bucket.take(10)
    assert clock.slept == [0.5, 0.5]


def test_an_idle_bucket_fills_up_to_its_burst_only(bucket: TokenBucket, clock: Clock) -> None:
    clock.now += 1000
    for _ in range(4):
        bucket.take(10)
    assert clock.slept == [0.5]


def test_a_wait_beyond_patience_is_refused_at_once_with_the_time(bucket: TokenBucket, clock: Clock) -> None:
    for _ in range(3):
        bucket.take(0)
    with pytest.raises(RateLimited) as raised:
        bucket.take(0.4)
    assert raised.value.retry_after_s == pytest.approx(0.5)
    assert clock.slept == []


def test_a_refused_call_costs_no_token(bucket: TokenBucket, clock: Clock) -> None:
    for _ in range(3):
        bucket.take(0)
    for _ in range(10):
        with pytest.raises(RateLimited):
            bucket.take(0)
    clock.now += 0.5
    bucket.take(0)


def test_threads_never_get_more_than_the_burst(clock: Clock) -> None:
    bucket = TokenBucket(rate_per_s=0.001, burst=5, clock=clock, sleep=clock.sleep)
    barrier = threading.Barrier(20)
    passed: list[int] = []

    def take(number: int) -> None:
        barrier.wait(5)
        try:
            bucket.take(0)
        except RateLimited:
            return
        passed.append(number)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) == 5


def test_a_program_keeps_its_bucket_until_its_limit_is_changed() -> None:
    program = uuid4().hex
    bucket = bucket_for("yotpo", program, 5, 10)
    assert bucket_for("yotpo", program, 5, 10) is bucket
    assert bucket_for("antavo", program, 5, 10) is not bucket
    assert bucket_for("yotpo", program, 4, 10) is not bucket
