"""Alarms of the vendors' adapters (`LoyaltyProvider.alarms`): raised while the adapter returns them."""

import structlog

from loyaltyview.events.alarms import close_alarm, raise_alarm
from loyaltyview.events.models import Alarm, AlarmKind
from loyaltyview.programs.models import Program

PROVIDERS_EVERY_S = 600

log = structlog.get_logger(__name__)


def watch_providers() -> None:
    """Raise the alarms of every active program's adapter, and close those whose cause is gone. A program
    that cannot be asked keeps its alarms."""
    for program in Program.objects.filter(is_active=True):
        try:
            found = program.provider().alarms()
        except Exception:
            # For example settings that this version no longer takes: the other programs go on.
            log.exception("provider_alarms_failed", program=program.slug)
            continue
        for alarm in found:
            raise_alarm(program, AlarmKind.PROVIDER, alarm.detail, alarm.subject)
        subjects = {alarm.subject for alarm in found}
        open_ones = Alarm.objects.filter(program=program, kind=AlarmKind.PROVIDER, closed_at=None)
        for subject in open_ones.exclude(subject__in=subjects).values_list("subject", flat=True):
            close_alarm(program, AlarmKind.PROVIDER, subject)
