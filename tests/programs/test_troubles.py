"""Failed requests are counted, and the admin's front page shows them while they last."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import OperationalError
from django.db.models import QuerySet
from django.test import Client
from structlog.testing import capture_logs

from loyaltyview.ops.overview import Viewer
from loyaltyview.programs.models import Program, Trouble, TroubleKind
from loyaltyview.programs.troubles import (
    WRITES_PER_S,
    count_since,
    note_trouble,
    purge_troubles,
    troubles_part,
)

START = datetime(2026, 3, 4, 15, 7, tzinfo=UTC)
VIEWER: Viewer = None  # type: ignore[assignment]
AWAY = (TroubleKind.PAGE, "PROVIDER_UNAVAILABLE")


def numbers() -> dict[str, str]:
    return {str(number.label): number.value for number in troubles_part(VIEWER).numbers}


def test_the_same_trouble_is_one_row_in_a_quarter_of_an_hour(program: Program) -> None:
    with time_machine.travel(START, tick=False) as clock:
        for _page in range(3):
            note_trouble(program, *AWAY)
            clock.shift(timedelta(minutes=3))
        note_trouble(program, TroubleKind.PAGE, "PROVIDER_AUTH")
    rows = Trouble.objects.order_by("slot", "code").values_list("code", "slot__minute", "count")
    assert list(rows) == [
        ("PROVIDER_UNAVAILABLE", 0, 3),
        ("PROVIDER_AUTH", 15, 1),
    ]


def test_an_outage_is_shown_with_its_start_and_count(program: Program) -> None:
    with time_machine.travel(START, tick=False) as clock:
        for _page in range(6):
            note_trouble(program, *AWAY)
            clock.shift(timedelta(minutes=8))
        clock.shift(timedelta(minutes=-8))
        (need,) = troubles_part(VIEWER).needs
        assert need.text == (
            "Acme Club: the loyalty program does not answer. "
            "Requests that could not be served as they should: 6"
        )
        assert need.since == START
        assert f"program__id__exact={program.pk}&kind__exact=page" in need.url
        clock.shift(timedelta(minutes=16))
        assert not troubles_part(VIEWER).needs, "it is over"
        assert numbers()["Pages not served today"] == "6"
        note_trouble(program, *AWAY)
        (need,) = troubles_part(VIEWER).needs
        assert need.since > START, "a new outage"


@pytest.mark.parametrize(
    ("kind", "code", "said"),
    [
        (TroubleKind.NEWSTORE, "NEWSTORE_UNAVAILABLE", "NewStore does not answer"),
        (TroubleKind.NEWSTORE, "NEWSTORE_AUTH", "NewStore refuses our credentials"),
        (TroubleKind.LAUNCH, "IDENTITY_EXPIRED", ""),
        (TroubleKind.TAP, "INSUFFICIENT_POINTS", ""),
    ],
)
def test_a_failing_system_is_an_alarm_and_a_refusal_is_not(
    program: Program, kind: TroubleKind, code: str, said: str
) -> None:
    note_trouble(program, kind, code)
    needs = troubles_part(VIEWER).needs
    assert [said in need.text for need in needs] == ([True] if said else [])


def test_troubles_of_yesterday_are_not_counted_today(program: Program) -> None:
    with time_machine.travel(START, tick=False) as clock:
        note_trouble(program, TroubleKind.LAUNCH, "IDENTITY_EXPIRED")
        assert numbers()["Launches refused today"] == "1"
        clock.shift(timedelta(days=1))
        assert numbers()["Launches refused today"] == "0"
        assert count_since(TroubleKind.LAUNCH, START - timedelta(minutes=15)) == 1
        assert purge_troubles(START) == 1


def test_a_burst_is_counted_without_a_write_for_each(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes: list[object] = []
    update = QuerySet.update
    monkeypatch.setattr(QuerySet, "update", lambda self, **kw: (writes.append(kw), update(self, **kw))[1])
    with time_machine.travel(START, tick=False) as clock:
        for _tap in range(500):
            note_trouble(program, *AWAY)
        assert len(writes) <= WRITES_PER_S + 1
        clock.shift(timedelta(seconds=1))
        note_trouble(program, *AWAY)
    assert Trouble.objects.get().count == 501


def test_a_failed_count_raises_nothing(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_args: object, **_fields: object) -> int:
        raise OperationalError("database is locked")

    monkeypatch.setattr(QuerySet, "update", locked)
    with capture_logs() as lines:
        note_trouble(program, *AWAY)
    assert lines[0]["event"] == "trouble_not_counted"


def test_the_front_page_shows_the_trouble_and_links_to_the_list(
    admin_client: Client, program: Program
) -> None:
    note_trouble(program, *AWAY)
    page = admin_client.get("/admin/").content.decode()
    assert "Acme Club: the loyalty program does not answer." in page
    assert "All is well" not in page
    listed = admin_client.get("/admin/programs/trouble/?kind__exact=page").content.decode()
    assert "PROVIDER_UNAVAILABLE" in listed
