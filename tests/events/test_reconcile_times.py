"""The daily reconciliation is done at 04:00 UTC: it must judge the whole day before."""

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from loyaltyview.events import reconcile
from loyaltyview.events.models import Alarm
from loyaltyview.events.reconcile import reconcile_yesterday
from loyaltyview.programs.models import Program
from loyaltyview.work.periodics import next_time

from .conftest import Deliver, Work
from .deliveries import order
from .vendor import Books


@pytest.mark.parametrize("placed", ["2026-03-04T15:00:00Z", "2026-03-04T17:00:00Z", "2026-03-04T23:59:00Z"])
def test_a_completion_that_was_lost_is_found_at_any_hour_of_the_order(
    placed: str, program: Program, deliver: Deliver, work: Work, books: Books, monkeypatch: Any
) -> None:
    class Closed:
        status, is_off, items = "closed", False, ()

    monkeypatch.setattr(reconcile, "read_order", lambda *_: Closed)
    at = datetime.fromisoformat(placed)
    with time_machine.travel(at, tick=False):
        deliver("order.opened", order(placed_at=placed))
        work()
    run_at = next_time(reconcile.RECONCILE_EVERY_S, datetime(2026, 3, 4, 12, tzinfo=UTC))
    for day in range(3):
        with time_machine.travel(run_at.replace(day=5 + day), tick=False):
            reconcile_yesterday()
    assert "1 gaps" in Alarm.objects.earliest("pk").detail


def test_a_completion_that_was_lost_weeks_after_the_sale_is_found(
    program: Program, deliver: Deliver, work: Work, books: Books, monkeypatch: Any
) -> None:
    """Endless aisle: shipped and completed on the 9th, and that event never came."""

    class Host:
        is_off, items = False, ()

        @property
        def status(self) -> str:
            return "open" if datetime.now(UTC).day < 9 else "closed"

    monkeypatch.setattr(reconcile, "read_order", lambda *_: Host())
    with time_machine.travel(datetime(2026, 3, 4, 15, tzinfo=UTC), tick=False):
        deliver("order.opened", order(placed_at="2026-03-04T15:00:00Z"))
        work()
    for day in range(5, 20):
        with time_machine.travel(datetime(2026, 3, day, 4, tzinfo=UTC), tick=False):
            reconcile_yesterday()
    assert "1 gaps" in Alarm.objects.earliest("pk").detail


def test_the_command_goes_on_with_the_other_programs(
    program: Program, deliver: Deliver, work: Work, books: Books, monkeypatch: Any, capsys: Any
) -> None:
    from django.core.management import CommandError, call_command

    from loyaltyview.events.management.commands import reconcile as command
    from providers.errors import SettingsError

    broken = Program.objects.create(slug="a-broken", name="Broken", currency="USD", country="US")

    def find(of: Program, day: Any) -> list[Any]:
        if of == broken:
            raise SettingsError("rate_per_s", "must be from 1 to 100")
        return reconcile.find_gaps(of, day)

    monkeypatch.setattr(command, "find_gaps", find)
    with pytest.raises(CommandError):
        call_command("reconcile", "--day", "2026-03-04")
    assert "acme, 2026-03-04: 0 gaps" in capsys.readouterr().out
