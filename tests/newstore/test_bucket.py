"""Our own limit for NewStore's calls (docs/contracts/newstore.md 9)."""

from contextlib import suppress

import pytest

from loyaltyview.newstore import bucket as bucket_module
from loyaltyview.newstore.bucket import Bucket, take_turn
from loyaltyview.newstore.errors import NewStoreUnavailable
from loyaltyview.programs.models import Program


class Time:
    """A clock that only its own pauses move."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(round(seconds, 3))
        self.now += seconds


def bucket_of(rate_per_s: int) -> tuple[Bucket, Time]:
    time = Time()
    return Bucket(rate_per_s, clock=lambda: time.now, sleep=time.sleep), time


def test_a_second_s_worth_of_calls_goes_at_once_and_the_rest_waits_its_turn() -> None:
    bucket, time = bucket_of(10)
    for _ in range(12):
        bucket.take(patience_s=1)
    assert time.pauses == [0.1, 0.1]


def test_who_has_no_time_to_wait_is_told_at_once_how_long_it_would_be() -> None:
    bucket, time = bucket_of(2)
    for _ in range(2):
        bucket.take(patience_s=0)
    with pytest.raises(NewStoreUnavailable) as caught:
        bucket.take(patience_s=0.4)
    assert caught.value.retry_after_s == pytest.approx(0.5)
    assert time.pauses == []


def test_unused_turns_are_not_saved_up() -> None:
    bucket, time = bucket_of(2)
    time.now = 100
    for _ in range(3):
        bucket.take(patience_s=1)
    assert time.pauses == [0.5]


def test_programs_of_one_tenant_share_its_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket_module, "_buckets", {})
    one, two, other = (
        Program(newstore_tenant=tenant, newstore_rate_per_s=1) for tenant in ("acme", "acme", "zeta")
    )
    take_turn(one, 0)
    take_turn(other, 0)
    with pytest.raises(NewStoreUnavailable):
        take_turn(two, 0)


def test_a_rate_of_nothing_is_no_limit() -> None:
    program = Program(newstore_tenant="unbounded", newstore_rate_per_s=0)
    for _ in range(500):
        take_turn(program, 0)


def test_programs_of_one_tenant_with_different_rates_are_limited_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bucket_module, "_buckets", {})
    slow, fast = (Program(newstore_tenant="acme", newstore_rate_per_s=rate) for rate in (1, 2))
    taken = 0
    with suppress(NewStoreUnavailable):
        for taken in range(6):
            take_turn(slow if taken % 2 else fast, 0)
    assert taken < 3


def test_nobody_has_a_turn_while_newstore_asks_to_wait_and_nobody_is_kept_waiting() -> None:
    bucket, time = bucket_of(10)
    bucket.pause(3)
    bucket.pause(1)
    with pytest.raises(NewStoreUnavailable) as caught:
        bucket.take(patience_s=10)
    assert caught.value.retry_after_s == pytest.approx(3)
    time.now = 3
    bucket.take(patience_s=0)
    assert time.pauses == []
