"""The chart of the vendors' latency, as this process measured it in the last hour."""

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from loyaltyview.ops.charts import Chart
from loyaltyview.programs import latency
from loyaltyview.programs.latency import latency_part, remember
from loyaltyview.programs.models import Program
from providers.outbound.vendor_session import Observation, observers

pytestmark = pytest.mark.django_db

Clock = Any


@pytest.fixture(autouse=True)
def _nothing_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "_seen", deque(maxlen=latency.KEPT))


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(datetime(2026, 3, 4, 10, 32, tzinfo=UTC), tick=False) as clock:
        yield clock


def call(seconds: float, program: str = "acme", outcome: str = "ok") -> None:
    remember(
        Observation(
            vendor="yotpo", program=program, operation="get_member", kind="read", outcome=outcome,
            seconds=seconds,
        )
    )  # fmt: skip


def chart_for(user: Any) -> Chart:
    [chart] = latency_part(user).charts
    return chart


def filled(chart: Chart) -> dict[str, list[str]]:
    return {label: cells for label, cells in chart.lines if any(cell != "0 ms" for cell in cells)}


def test_every_attempt_of_the_http_layer_is_remembered() -> None:
    assert remember in observers


def test_without_calls_the_chart_says_so_and_makes_no_query(
    admin_user: Any, django_assert_num_queries: Callable[[int], Any]
) -> None:
    with django_assert_num_queries(0):
        assert chart_for(admin_user).is_empty


def test_the_chart_shows_median_and_95th_percentile_by_five_minutes(
    admin_user: Any, program: Program, clock: Clock
) -> None:
    for milliseconds in range(1, 101):
        call(milliseconds / 1000)
    clock.shift(600)
    call(1.234, outcome="Unavailable")

    chart = chart_for(admin_user)

    assert [(plot.title, plot.note) for plot in chart.plots] == [("Acme Club", "101 calls, 1 failed")]
    assert chart.columns == ["95 of 100 within", "half within"]
    assert filled(chart) == {"10:40 a.m.": ["1,234 ms", "1,234 ms"], "10:30 a.m.": ["96 ms", "51 ms"]}


def test_calls_older_than_an_hour_are_left_out(admin_user: Any, program: Program, clock: Clock) -> None:
    call(0.1)
    clock.shift(3600)

    assert chart_for(admin_user).is_empty


def test_the_slowest_programs_are_shown(admin_user: Any, program: Program, clock: Clock) -> None:
    for number in range(5):
        call(number / 10, program=f"program-{number}")

    chart = chart_for(admin_user)

    # A program that was deleted meanwhile is still shown by its slug.
    assert [plot.title for plot in chart.plots] == ["program-4", "program-3", "program-2"]


def test_the_oldest_attempts_are_dropped(admin_user: Any) -> None:
    for _ in range(latency.KEPT + 10):
        call(0.1)

    assert len(latency._seen) == latency.KEPT
