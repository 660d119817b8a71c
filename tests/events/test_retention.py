"""Old deliveries are deleted, what waits for the worker is not."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.core.management import call_command

from loyaltyview.events.models import Event, EventState
from loyaltyview.work.retention import retentions
from providers import retention

from .conftest import Deliver
from .deliveries import order


def test_deliveries_are_kept_ninety_days(deliver: Deliver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "STEP", 2)
    with time_machine.travel(datetime(2026, 3, 4, tzinfo=UTC), tick=False) as clock:
        for number in range(5):
            deliver("order.opened", order(id=f"order-{number}"))
        for number, state in enumerate(
            [EventState.DONE, EventState.IGNORED, EventState.DEAD, EventState.DONE]
        ):
            Event.objects.filter(subject=f"order-{number}").update(state=state, due_at=None)
        clock.shift(89 * 86_400)
        call_command("purge")
        assert Event.objects.count() == 5
        clock.shift(2 * 86_400)
        call_command("purge")
    assert Event.objects.get().state == EventState.WAITING
    assert retentions["events"].days == 90
