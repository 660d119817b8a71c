"""`manage.py purge` and the worker delete rows that are too old."""

from datetime import UTC, datetime
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command

from loyaltyview.work import retention
from loyaltyview.work.registry import periodics
from loyaltyview.work.retention import add_retention


def test_the_worker_deletes_by_itself_once_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[datetime] = []
    monkeypatch.setattr(retention, "retentions", {})
    add_retention("launches", 30, lambda before: len(asked.append(before) or asked))
    periodic = periodics["retention"]
    periodic.run()
    assert (len(asked), periodic.interval_s) == (1, 86_400)


def test_purge_asks_each_app_to_delete_rows_that_are_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[datetime] = []

    def purge(before: datetime) -> int:
        asked.append(before)
        return 7

    monkeypatch.setattr(retention, "retentions", {})
    monkeypatch.setattr("loyaltyview.work.management.commands.purge.retentions", retention.retentions)
    add_retention("launches", 30, purge)
    out = StringIO()
    with time_machine.travel(datetime(2026, 5, 31, tzinfo=UTC), tick=False):
        call_command("purge", stdout=out)
    assert asked == [datetime(2026, 5, 1, tzinfo=UTC)]
    assert "launches: 7 older than 30 days deleted" in out.getvalue()
