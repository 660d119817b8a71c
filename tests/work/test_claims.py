"""Claiming, keeping and releasing a row, shown with events."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from loyaltyview.events.models import Event
from loyaltyview.programs.models import Program
from loyaltyview.work.claims import backoff_s, claim, finish, give_up, postpone

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def make(program: Program, key: str, subject: str = "", due_in_s: float = 0) -> Event:
    now = timezone.now()
    return Event.objects.create(
        program=program,
        dedupe_key=key,
        subject=subject,
        payload=b"{}",
        received_at=now,
        due_at=now + timedelta(seconds=due_in_s),
    )


def claim_event() -> Event | None:
    return claim(Event.objects.all())


def test_the_row_that_waits_longest_comes_first(program: Program) -> None:
    make(program, "late", due_in_s=-10)
    early = make(program, "early", due_in_s=-20)
    make(program, "not yet", due_in_s=10)
    assert claim_event() == early


def test_a_claimed_row_cannot_be_claimed_again(program: Program) -> None:
    make(program, "a")
    row = claim_event()
    assert row is not None
    assert row.lease_until is not None
    assert row.lease_until > timezone.now()
    assert claim_event() is None


def test_attempts_are_counted_at_the_claim(program: Program) -> None:
    make(program, "a")
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for attempt in (1, 2, 3):
            row = claim_event()
            assert row is not None
            assert row.attempts == attempt
            assert postpone(row, "vendor down")
            assert claim_event() is None
            clock.shift(3600)
    assert Event.objects.get().last_error == "vendor down"


def test_an_expired_lease_can_be_claimed_again_and_the_first_owner_learns_it(program: Program) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        make(program, "a")
        first = claim(Event.objects.all(), lease_s=60)
        assert first is not None
        clock.shift(60)
        assert claim_event() is None
        clock.shift(1)
        second = claim_event()
        assert second is not None
        assert second.attempts == 2
        assert not finish(first)
        assert not postpone(first, "slow")
        assert not give_up(first, "slow")
        second.refresh_from_db()
        assert (second.last_error, second.due_at) == ("", NOON)
        assert finish(second)


def test_finishing_ends_the_work_and_writes_the_result(program: Program) -> None:
    make(program, "a")
    row = claim_event()
    assert row is not None
    assert finish(row, state="done")
    assert not finish(row)
    row.refresh_from_db()
    assert (row.due_at, row.lease_until, row.attempts, row.state) == (None, None, 0, "done")


def test_a_finished_row_may_be_due_again_later(program: Program) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        make(program, "a")
        row = claim_event()
        assert row is not None
        assert finish(row, due_at=NOON + timedelta(seconds=30))
        assert claim_event() is None
        clock.shift(30)
        assert claim_event() == row


def test_a_row_given_up_keeps_its_error_and_is_never_due(program: Program) -> None:
    make(program, "a")
    row = claim_event()
    assert row is not None
    assert give_up(row, "x" * 900, state="dead")
    row.refresh_from_db()
    assert (row.due_at, row.lease_until, row.attempts, row.state) == (None, None, 1, "dead")
    assert row.last_error == "x" * 500


def test_a_row_that_was_never_claimed_cannot_be_released(program: Program) -> None:
    row = make(program, "a")
    assert not finish(row)
    row.refresh_from_db()
    assert row.due_at is not None


def test_a_row_whose_lease_the_database_forbids_is_passed_over(program: Program) -> None:
    first = make(program, "a", subject="order-1", due_in_s=-30)
    make(program, "b", subject="order-1", due_in_s=-20)
    other = make(program, "c", subject="order-2", due_in_s=-10)
    assert [claim_event(), claim_event(), claim_event()] == [first, other, None]


def test_rows_without_a_subject_do_not_wait_for_each_other(program: Program) -> None:
    make(program, "a")
    make(program, "b")
    assert claim_event()
    assert claim_event()


def test_back_off_doubles_up_to_an_hour_with_little_jitter() -> None:
    for attempts, expected_s in [(0, 2), (1, 2), (2, 4), (3, 8), (10, 1024), (11, 2048), (12, 3600)]:
        assert expected_s <= backoff_s(attempts) <= expected_s * 1.1
    assert backoff_s(10**9) <= 3960


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_row_is_claimed_by_one_of_many_threads(program: Program) -> None:
    for round_number in range(20):
        make(program, f"row-{round_number}")
        barrier = threading.Barrier(8)

        def race(barrier: threading.Barrier = barrier) -> Event | None:
            barrier.wait()
            try:
                return claim_event()
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            claimed = [future.result() for future in [pool.submit(race) for _ in range(8)]]
        assert sum(row is not None for row in claimed) == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_threads_never_hold_two_events_of_one_order(program: Program) -> None:
    for number in range(40):
        make(program, f"event-{number}", subject=f"order-{number % 4}")
    held: set[str] = set()
    clashes: list[str] = []
    lock = threading.Lock()

    def work() -> int:
        handled = 0
        try:
            while row := claim_event():
                with lock:
                    if row.subject in held:
                        clashes.append(row.subject)
                    held.add(row.subject)
                handled += 1
                with lock:
                    held.discard(row.subject)
                assert finish(row)
            return handled
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        handled = sum(future.result() for future in [pool.submit(work) for _ in range(6)])
    # A thread that finds every order busy ends; the other rows wait for the next round.
    handled += work()
    assert (clashes, handled) == ([], 40)
