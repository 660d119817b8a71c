"""A program that hangs does not get all slots of a worker."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from django.utils import timezone
from pytest_django import Settings

from loyaltyview.events.models import Event
from loyaltyview.programs.models import Program
from loyaltyview.work.claims import claim, finish
from loyaltyview.work.registry import add_source
from loyaltyview.work.slots import claim_in_slot, slot
from loyaltyview.work.worker import Worker, drain

from .test_worker import _no_threads  # noqa: F401 - the worker's other threads would not see our rows


def make(program: Program, count: int) -> None:
    now = timezone.now()
    for number in range(count):
        Event.objects.create(
            program=program, dedupe_key=f"{program.slug}-{number}", payload=b"{}", received_at=now, due_at=now
        )


def claim_one() -> Event | None:
    with slot():
        return claim(Event.objects.all())


@contextmanager
def hanging(program: Program) -> Iterator[None]:
    """Another slot of this process has claimed a row of the program."""
    row = Event(program=program)
    is_in, over = threading.Event(), threading.Event()

    def hang() -> None:
        with slot():
            claim_in_slot(Event.objects.none(), lambda _rows: [row])
            is_in.set()
            over.wait(60)

    thread = threading.Thread(target=hang)
    thread.start()
    is_in.wait(60)
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture
def other(program: Program) -> Program:
    return Program.objects.create(slug="other", name="Other")


@pytest.mark.parametrize(("slots_taken", "expected"), [(0, "acme"), (1, "acme"), (2, "other"), (3, "other")])
def test_a_program_has_half_of_the_slots_before_rows_of_others_come_first(
    program: Program, other: Program, settings: Settings, slots_taken: int, expected: str
) -> None:
    settings.WORK_CONCURRENCY = 4
    make(program, 3)
    make(other, 1)
    with ExitStack() as slots:
        for _ in range(slots_taken):
            slots.enter_context(hanging(program))
        row = claim_one()

    assert row
    assert row.program.slug == expected


def test_rows_go_on_when_the_program_answers_again(program: Program, settings: Settings) -> None:
    settings.WORK_CONCURRENCY = 2
    make(program, 2)
    with hanging(program):
        assert claim_one() is None
    assert claim_one()


def test_a_single_slot_serves_every_program(program: Program, other: Program, settings: Settings) -> None:
    settings.WORK_CONCURRENCY = 1
    make(program, 2)
    make(other, 1)
    handled = []

    def run_one() -> bool:
        row = claim(Event.objects.all())
        if row:
            handled.append(row.program.slug)
            finish(row)
        return row is not None

    add_source("events", run_one)

    assert drain() == 3
    assert sorted(handled) == ["acme", "acme", "other"]


def test_a_row_in_one_slot_does_not_keep_the_next_slot_from_looking(settings: Settings) -> None:
    settings.WORK_CONCURRENCY, settings.WORKER_POLL_S = 2, 60
    worker = Worker()
    both = threading.Barrier(2, action=worker.stop)

    def run_one() -> bool:
        claim_in_slot(Event.objects.none(), lambda _rows: [Event(program_id=len(threading.enumerate()))])
        both.wait(60)
        return True

    add_source("rows", run_one)
    worker.run()

    assert worker.is_stopping
    assert not both.broken
