"""What administrators see of events, returns and alarms on the front page."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from loyaltyview.events.models import Alarm, AlarmKind, Event, EventState, ReturnRecord, ReturnState
from loyaltyview.events.overview import alarms_part, events_part, returns_part
from loyaltyview.programs.models import Program
from loyaltyview.work.models import Heartbeat
from tests.plans import analyze, plan_of

NOW = datetime(2026, 3, 4, 10, 30, tzinfo=UTC)

Came = Callable[..., Event]


@pytest.fixture
def noon() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def came(program: Program) -> Came:
    """Write one event that came `age` ago; done after `took`, or waiting since."""

    def write(age: timedelta, took: timedelta | None = None, **changes: Any) -> Event:
        received_at = timezone.now() - age
        fields: dict[str, Any] = {
            "program": program,
            "name": "order.opened",
            "dedupe_key": str(Event.objects.count()),
            "state": EventState.WAITING if took is None else EventState.DONE,
            "payload": b"{}",
            "received_at": received_at,
            "due_at": received_at if took is None else None,
            "done_at": None if took is None else received_at + took,
        }
        return Event.objects.create(**(fields | changes))

    return write


def shown(client: Client) -> str:
    return client.get(reverse("admin:index")).content.decode()


def listed(client: Client, page: str, text: str) -> list[Any]:
    """Follow the link with this text; return the rows of the list."""
    found = re.search(rf'<a href="([^"]+)">{re.escape(text)}</a>', page)
    assert found, text
    return list(client.get(unescape(found[1])).context["cl"].queryset)


def hours_of(user: Any) -> dict[str, list[str]]:
    """The hours in which anything came or waited."""
    lines = events_part(user).charts[0].lines
    return {hour: cells for hour, cells in lines if cells != ["0", "0"]}


def test_dead_events_need_a_person(admin_client: Client, came: Came) -> None:
    dead = came(timedelta(days=3), state=EventState.DEAD, due_at=None)
    came(timedelta(hours=1), timedelta(seconds=1))

    page = shown(admin_client)

    assert listed(admin_client, page, "1 event is dead: look why, then replay it") == [dead]
    assert "for 3\xa0days" in page


def test_events_that_no_worker_takes_need_a_person_the_oldest_first(
    admin_client: Client, came: Came, settings: Settings
) -> None:
    late = timedelta(seconds=settings.READY_MAX_EVENT_AGE_S + 60)
    newer, older = came(late), came(late + timedelta(hours=2))

    page = shown(admin_client)

    assert listed(admin_client, page, "Events are due and no worker takes them") == [older, newer]
    assert re.search(r"<dt>Events waiting now</dt><dd>2</dd>", page)


def test_an_event_that_waits_for_its_next_attempt_is_not_late(admin_client: Client, came: Came) -> None:
    came(timedelta(hours=5), due_at=timezone.now() + timedelta(minutes=10))
    Heartbeat.objects.create(worker="w", seen_at=timezone.now())

    assert "Nothing. All is well." in shown(admin_client)


def test_parked_returns_need_a_person(admin_client: Client, program: Program) -> None:
    fields: dict[str, Any] = {"program": program, "currency": "USD", "amount": Decimal(1)}
    parked = [
        ReturnRecord.objects.create(
            return_id=name, state=ReturnState.PARKED, returned_at=timezone.now(), **fields
        )
        for name in ("a", "b")
    ]
    ReturnRecord.objects.create(return_id="c", state=ReturnState.DONE, returned_at=timezone.now(), **fields)

    page = shown(admin_client)

    assert set(listed(admin_client, page, "2 returns wait for a decision")) == set(parked)


def test_open_alarms_need_a_person_by_their_kind(admin_client: Client, program: Program) -> None:
    now = timezone.now()
    for subject in ("order-1", "order-2"):
        Alarm.objects.create(program=program, kind=AlarmKind.GAP, subject=subject, raised_at=now, last_at=now)
    Alarm.objects.create(program=program, kind=AlarmKind.LOW_STOCK, raised_at=now, last_at=now, closed_at=now)
    Alarm.objects.create(program=program, kind=AlarmKind.STREAM, raised_at=now, last_at=now)
    Alarm.objects.create(program=program, kind=AlarmKind.DEAD, raised_at=now, last_at=now)

    page = shown(admin_client)

    rows = listed(admin_client, page, "2 alarms: gap found by the reconciliation")
    assert {row.subject for row in rows} == {"order-1", "order-2"}
    assert f'<a href="{reverse("admin:events_stream")}">1 alarm: event stream</a>' in page
    assert "low stock" not in page
    assert "dead event" not in page  # the events themselves are on the list


def test_an_event_waits_at_the_end_of_each_hour_until_it_is_done(
    admin_user: Any, came: Came, noon: None
) -> None:
    came(timedelta(minutes=200), timedelta(minutes=130))  # 07:10 to 09:20
    came(timedelta(minutes=100), timedelta(seconds=2))  # 08:50

    assert hours_of(admin_user) == {"8 a.m.": ["1", "1"], "7 a.m.": ["1", "1"]}


def test_what_waits_now_waits_at_the_end_of_this_hour(admin_user: Any, came: Came, noon: None) -> None:
    came(timedelta(minutes=70))  # since 09:20

    assert hours_of(admin_user) == {"10 a.m.": ["0", "1"], "9 a.m.": ["1", "1"]}


def test_what_came_before_the_chart_and_waited_in_it_is_seen(admin_user: Any, came: Came, noon: None) -> None:
    came(timedelta(hours=30), timedelta(hours=8))  # 04:30 to 12:30 of yesterday; the chart begins at 11:00
    came(timedelta(hours=30), timedelta(hours=1))

    assert hours_of(admin_user) == {"11 a.m.": ["0", "1"]}


def test_ignored_and_dead_events_wait_for_no_worker(admin_user: Any, came: Came, noon: None) -> None:
    for state in (EventState.IGNORED, EventState.DEAD):
        came(timedelta(hours=2), state=state, due_at=None)

    assert hours_of(admin_user) == {}


def test_hours_are_those_of_the_programs(admin_user: Any, program: Program, came: Came, noon: None) -> None:
    Program.objects.update(time_zone="Asia/Kolkata")
    came(timedelta(minutes=70), timedelta(seconds=2))

    assert hours_of(admin_user) == {"2:30 p.m.": ["1", "0"]}


def test_the_parts_ask_six_questions_of_indexes(
    admin_user: Any, program: Program, came: Came, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for hour in range(30):
        came(timedelta(hours=hour), timedelta(minutes=hour))
    now = timezone.now()
    Alarm.objects.bulk_create(
        Alarm(
            program=program, kind=AlarmKind.GAP, subject=f"gap-{number}", raised_at=now, last_at=now,
            closed_at=now if number else None,
        )
        for number in range(300)
    )  # fmt: skip
    analyze("events_event", "events_alarm")

    with django_assert_num_queries(6) as asked:
        for part in (events_part, returns_part, alarms_part):
            part(admin_user)

    plans = "\n".join(plan_of(each["sql"]) for each in asked.captured_queries)
    for index in ("event_state", "event_due", "return_parked", "alarm_open"):
        assert index in plans
    assert "SCAN events_event" not in plans
