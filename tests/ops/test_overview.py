"""The admin's front page: who sees which part, what a chart draws, and how many queries it takes."""

from collections import deque
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from loyaltyview.events.models import Alarm, AlarmKind
from loyaltyview.ops.charts import Chart, Plot, Row, midnights
from loyaltyview.programs import latency
from loyaltyview.programs.models import Program
from loyaltyview.work.models import Heartbeat

CHARTS = (
    "Redemptions and savings by day",
    "Success, and refusals by reason",
    "Latency of the loyalty programs",
    "Events waiting",
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_calls_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "_seen", deque())


def front_page(client: Client) -> str:
    response = client.get(reverse("admin:index"))
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def clerk(client: Client) -> User:
    """Staff without any permission, logged in."""
    user = User.objects.create_user("clerk", is_staff=True)
    client.force_login(user)
    return user


def permit(user: User, *codenames: str) -> None:
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))


def test_an_empty_database_shows_every_chart_as_empty_and_that_no_worker_runs(admin_client: Client) -> None:
    page = front_page(admin_client)

    assert all(f">{title}</h2>" in page for title in CHARTS)
    assert "Nothing was redeemed in the last 14 days." in page
    assert "This web process called no vendor in the last hour." in page
    assert "No event came or waited in the last 24 hours." in page
    assert "No worker is at work: start one with manage.py worker" in page
    assert "<rect" not in page


def test_on_a_good_day_nothing_needs_a_person(admin_client: Client, program: Program) -> None:
    Heartbeat.objects.create(worker="w", seen_at=timezone.now())

    page = front_page(admin_client)

    assert "Nothing. All is well." in page
    assert "s ago" in page


def test_a_silent_worker_is_shown_with_the_time_of_its_last_sign(
    admin_client: Client, settings: Settings
) -> None:
    age = timedelta(seconds=settings.READY_MAX_HEARTBEAT_AGE_S + 120)
    Heartbeat.objects.create(worker="w", seen_at=timezone.now() - age)

    page = front_page(admin_client)

    assert "Every worker has fallen silent" in page
    assert "for 3\xa0minutes" in page
    assert "All is well" not in page


def test_staff_without_permissions_see_the_stock_index(client: Client, clerk: User) -> None:
    assert 'id="overview"' not in front_page(client)


def test_permission_for_other_models_shows_the_stock_index(client: Client, clerk: User) -> None:
    permit(clerk, "view_user")

    page = front_page(client)

    assert 'id="overview"' not in page
    assert reverse("admin:auth_user_changelist") in page


@pytest.mark.parametrize(
    ("codename", "seen"),
    [
        ("view_redemption", CHARTS[:2]),
        ("change_redemption", CHARTS[:2]),
        ("view_program", CHARTS[2:3]),
        ("view_event", CHARTS[3:]),
    ],
)
def test_each_part_is_for_those_who_may_view_its_model(
    client: Client, clerk: User, codename: str, seen: tuple[str, ...]
) -> None:
    permit(clerk, codename)

    page = front_page(client)

    assert tuple(title for title in CHARTS if f">{title}</h2>" in page) == seen
    assert "No worker is at work" not in page


def test_an_alarm_of_the_stream_links_its_page_for_users_who_may_act_there(
    client: Client, clerk: User, program: Program
) -> None:
    now = timezone.now()
    Alarm.objects.create(program=program, kind=AlarmKind.STREAM, raised_at=now, last_at=now)
    permit(clerk, "view_alarm")
    assert "?closed_at__isempty=1&amp;kind__exact=stream" in front_page(client)

    permit(clerk, "view_alarm", "change_program")
    assert f'href="{reverse("admin:events_stream")}"' in front_page(client)


def test_the_page_takes_sixteen_queries_for_any_number_of_rows(
    admin_client: Client, program: Program, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    now = timezone.now()
    for number in range(5):
        for kind in AlarmKind:
            Alarm.objects.create(program=program, kind=kind, subject=str(number), raised_at=now, last_at=now)

    with django_assert_max_num_queries(16):  # three of them for the user, their recent actions and the menu
        front_page(admin_client)


def test_nothing_in_the_page_needs_a_wider_policy(admin_client: Client) -> None:
    response = admin_client.get(reverse("admin:index"))

    policy = response["Content-Security-Policy"]
    assert "style-src 'self'" in policy
    assert "unsafe" not in policy
    assert "style=" not in response.content.decode().partition('id="overview"')[2]


# --- Charts ---------------------------------------------------------------------------------------


def chart_of(*plots: Plot, labels: tuple[str, ...] = ("Mon", "Tue")) -> Chart:
    return Chart(title="T", about="A", empty="E", heading="Day", labels=labels, plots=plots)


def test_the_highest_bar_fills_the_plot_and_the_lowest_is_visible() -> None:
    [(plot, bars)] = chart_of(Plot(title="P", series=("S",), values=[(1,), (1000,)])).drawn

    assert plot.top == "1,000"
    assert [(bar.y, bar.height) for bar in bars] == [(98, 2), (0, 100)]


def test_a_second_series_stands_within_the_first() -> None:
    [(_plot, bars)] = chart_of(Plot(title="P", series=("S", "T"), values=[(4, 2), (0, 0)])).drawn

    behind, before = bars[:2]
    assert (behind.x, behind.width, behind.height) == (1, 8, 100)
    assert (before.x, before.width, before.height) == (2, 6, 50)


def test_the_table_has_the_numbers_of_the_bars_newest_first() -> None:
    plots = [
        Plot(title="Redemptions", series=("Number",), values=[(1,), (2,)]),
        Plot(title="Calls", series=("Came", "Left"), values=[(3, 4), (5, 6)]),
    ]

    chart = chart_of(*plots)

    assert chart.columns == ["Redemptions", "Calls: Came", "Calls: Left"]
    assert chart.lines == [("Tue", ["2", "5", "6"]), ("Mon", ["1", "3", "4"])]


def test_rows_have_bars_in_proportion() -> None:
    rows = [Row(label="a", value=500, text="500"), Row(label="b", value=1, text="1")]

    chart = Chart(title="T", about="A", empty="E", heading="H", rows=rows)

    assert [length for _row, length in chart.bars] == [100, 1]


def test_days_begin_at_the_shops_midnight_also_when_clocks_change() -> None:
    with time_machine.travel(datetime(2026, 3, 29, 22, 30, tzinfo=UTC), tick=False):
        edges = midnights(ZoneInfo("Europe/Paris"), 3)

    assert [edge.isoformat() for edge in edges] == [
        "2026-03-28T00:00:00+01:00",
        "2026-03-29T00:00:00+01:00",
        "2026-03-30T00:00:00+02:00",
        "2026-03-31T00:00:00+02:00",
    ]
