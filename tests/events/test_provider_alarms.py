"""What an adapter wants an administrator to look at becomes an alarm, and closes with its cause."""

import pytest

from loyaltyview.events.models import Alarm
from loyaltyview.events.provider_alarms import watch_providers
from loyaltyview.programs.models import Program
from providers.base import LoyaltyProvider
from providers.types import ProviderAlarm

REFUSED = ProviderAlarm(subject="a.csv refused", detail="2 lines were refused")


def told(monkeypatch: pytest.MonkeyPatch, *alarms: ProviderAlarm) -> None:
    monkeypatch.setattr(LoyaltyProvider, "alarms", lambda self: alarms)
    watch_providers()


def open_alarms() -> list[tuple[str, str]]:
    return list(Alarm.objects.filter(closed_at=None).values_list("kind", "subject"))


def test_an_adapters_alarm_is_open_while_its_cause_is(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        told(monkeypatch, REFUSED)
    assert open_alarms() == [("provider", "a.csv refused")]
    told(monkeypatch)
    assert open_alarms() == []


def test_a_program_that_cannot_be_asked_keeps_its_alarms(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(monkeypatch, REFUSED)

    def fail(self: LoyaltyProvider) -> tuple[ProviderAlarm, ...]:
        raise RuntimeError

    monkeypatch.setattr(LoyaltyProvider, "alarms", fail)
    watch_providers()
    assert open_alarms() == [("provider", "a.csv refused")]
