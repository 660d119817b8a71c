"""One clock for all processes: what a machine with a wrong clock does, and who is told."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import structlog
import time_machine
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import Client
from django.utils import timezone

from loyaltyview.events.models import Event
from loyaltyview.ops.health import Check
from loyaltyview.programs.models import Program
from loyaltyview.work import clock
from loyaltyview.work.claims import claim
from loyaltyview.work.health import check_clock, check_worker
from loyaltyview.work.heartbeat import beat
from loyaltyview.work.models import Heartbeat
from loyaltyview.work.overview import worker_part
from loyaltyview.work.periodics import run_due
from loyaltyview.work.registry import add_source, every
from loyaltyview.work.retention import Retention, run
from loyaltyview.work.worker import drain
from providers import clock as vendors_clock
from tests.work.machine_clock import machine_ahead

# The real function: on PostgreSQL the tests replace it.
real_now = clock.now
TWO_HOURS_S = 7200

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_is_read() -> Iterator[None]:
    clock.forget()
    yield
    clock.forget()


@pytest.mark.parametrize("ahead_s", [TWO_HOURS_S, -TWO_HOURS_S, 61, -61])
def test_a_worker_whose_clock_is_wrong_takes_no_work(ahead_s: float) -> None:
    done: list[str] = []
    add_source("rows", lambda: done.append("row") is None and len(done) < 3)
    every("daily", 86_400, lambda: done.append("daily"))
    with machine_ahead(ahead_s):
        assert (drain(), run_due(), done) == (0, 0, [])
    assert (drain(), run_due()) == (2, 1)


def test_a_clock_that_is_a_little_off_stops_nobody() -> None:
    every("daily", 86_400, lambda: None)
    with machine_ahead(50):
        assert run_due() == 1


def test_a_machine_that_is_ahead_takes_no_lease_of_a_living_worker(program: Program) -> None:
    now = timezone.now()
    Event.objects.create(
        program=program, dedupe_key="a", payload=b"{}", received_at=now, due_at=now,
        lease_until=now + timedelta(seconds=60),
    )  # fmt: skip
    with machine_ahead(TWO_HOURS_S):
        assert claim(Event.objects.all()) is None


def test_a_lease_lasts_as_long_on_every_machine(program: Program) -> None:
    now = timezone.now()
    Event.objects.create(program=program, dedupe_key="a", payload=b"{}", received_at=now, due_at=now)
    with machine_ahead(-TWO_HOURS_S):
        row = claim(Event.objects.all(), 60)
    assert row is not None
    assert row.lease_until is not None
    assert row.lease_until > timezone.now() + timedelta(seconds=30)


def test_age_is_measured_by_the_one_clock() -> None:
    asked: list[datetime] = []
    retention = Retention(name="rows", days=1, purge=lambda before: asked.append(before) or 0)
    with machine_ahead(TWO_HOURS_S * 100):
        run(retention)
    assert asked[0] < timezone.now() - timedelta(hours=23)


def test_adapters_go_by_the_same_clock() -> None:
    with machine_ahead(TWO_HOURS_S):
        assert timezone.now() - vendors_clock.now() > timedelta(hours=1)


@pytest.mark.parametrize(("ahead_s", "word"), [(TWO_HOURS_S, "ahead"), (-TWO_HOURS_S, "behind")])
def test_a_worker_that_stands_still_says_why(ahead_s: int, word: str, client: Client) -> None:
    with machine_ahead(ahead_s):
        beat("host:1")
    (need,) = worker_part(AnonymousUser()).needs
    assert word in need.text
    assert "host:1" in need.text
    assert check_worker() == Check(is_ok=False, detail="clock is wrong")


def test_one_worker_with_a_right_clock_is_enough_to_be_ready() -> None:
    beat("host:1")
    with machine_ahead(TWO_HOURS_S):
        beat("host:2")
    assert check_worker().is_ok
    part = worker_part(AnonymousUser())
    assert (len(part.needs), len(part.numbers)) == (1, 1)


def test_a_beat_from_a_machine_that_is_ahead_deletes_no_other_worker() -> None:
    beat("host:1")
    with machine_ahead(100 * TWO_HOURS_S):
        beat("host:2")
    assert Heartbeat.objects.count() == 2


def test_a_process_with_a_wrong_clock_is_not_ready_and_logs_it_once_a_minute() -> None:
    assert check_clock().is_ok
    with machine_ahead(TWO_HOURS_S), structlog.testing.capture_logs() as lines:
        for _ in range(3):
            assert not check_clock().is_ok
    assert [(line["event"], line["seconds_ahead_of_database"]) for line in lines] == [("clock_differs", 7200)]


@pytest.mark.postgres
def test_the_time_is_the_databases_and_not_the_machines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clock, "now", real_now)
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=2)):
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            (database_now,) = cursor.fetchone()
        assert abs(clock.now() - database_now) < timedelta(seconds=30)
        assert 7100 < clock.skew_s() < 7300
        assert clock.is_wrong()
        assert drain() == 0


@pytest.mark.postgres
def test_the_time_goes_on_between_two_readings_without_a_query(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: "pytest.FixtureRequest"
) -> None:
    monkeypatch.setattr(clock, "now", real_now)
    counted = [1000.0]
    monkeypatch.setattr(clock, "_counter", lambda: counted[0])
    first = clock.now()
    counted[0] += 4
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert clock.now() - first == timedelta(seconds=4)
    counted[0] += 2
    with django_assert_num_queries(1):  # type: ignore[operator]
        clock.now()
