"""So many look-ups in so much time."""

import threading
from datetime import UTC, datetime
from uuid import uuid4

import time_machine

from loyaltyview.ops.ratelimit import RetryAfter, allow

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_calls_pass_up_to_the_limit_and_the_rest_wait_for_the_next_window() -> None:
    key = uuid4().hex
    with time_machine.travel(NOON, tick=False) as clock:
        assert [allow("lookup", key, 3, 60) for _ in range(3)] == [None] * 3
        clock.shift(20)
        assert allow("lookup", key, 3, 60) == RetryAfter(seconds=40)
        clock.shift(39.9)
        assert allow("lookup", key, 3, 60) == RetryAfter(seconds=1)
        clock.shift(0.1)
        assert allow("lookup", key, 3, 60) is None


def test_scopes_and_keys_are_counted_apart() -> None:
    key, other = uuid4().hex, uuid4().hex
    with time_machine.travel(NOON, tick=False):
        assert allow("lookup", key, 1, 60) is None
        assert allow("lookup", key, 1, 60) is not None
        assert allow("enrol", key, 1, 60) is None
        assert allow("lookup", other, 1, 60) is None


def test_any_text_can_be_a_key() -> None:
    key = f"Zoë Müller\n{uuid4().hex} " + "x" * 1000
    with time_machine.travel(NOON, tick=False):
        assert allow("lookup", key, 1, 60) is None
        assert allow("lookup", key, 1, 60) is not None


def test_many_at_once_never_pass_more_than_the_limit() -> None:
    key = uuid4().hex
    answers: list[RetryAfter | None] = []
    with time_machine.travel(NOON, tick=False):
        threads = [
            threading.Thread(target=lambda: answers.append(allow("lookup", key, 5, 60))) for _ in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers.count(None) == 5
