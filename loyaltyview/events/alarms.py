"""Alarms: what an administrator must know. Each is logged, counted, and shown in admin until it is closed."""

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from prometheus_client import Counter

from loyaltyview.events.models import Alarm, AlarmKind, Event, EventState
from loyaltyview.programs.models import Program

log = structlog.get_logger(__name__)

raised = Counter(
    "loyaltyview_alarms_total",
    "Alarms raised or renewed, by kind: stream, low_stock, gap, dead, twice, cancelled, too_large, missed, "
    "provider.",
    ["program", "kind"],
)


def raise_alarm(program: Program, kind: AlarmKind, detail: str, subject: str = "") -> None:
    """Open an alarm, or renew the one that is open. `detail` carries no personal data. May be repeated."""
    log.error("alarm", program=program.slug, kind=kind.value, subject=subject, detail=detail)
    raised.labels(program.slug, kind.value).inc()
    now = timezone.now()
    changes = {"detail": detail[:500], "last_at": now}
    about = {"program": program, "kind": kind.value, "subject": subject[:200]}
    if Alarm.objects.filter(**about, closed_at=None).update(**changes):
        return
    try:
        with transaction.atomic():
            Alarm.objects.create(**about, **changes, raised_at=now)
    except IntegrityError:
        pass  # Another process raised the same alarm at the same moment.


def close_alarm(program: Program, kind: AlarmKind, subject: str = "") -> None:
    """Close the alarm: its cause is gone. May be repeated."""
    Alarm.objects.filter(program=program, kind=kind.value, subject=subject, closed_at=None).update(
        closed_at=timezone.now()
    )


def raise_too_large(program: Program, sender: str) -> None:
    """Raise the alarm that a delivery above EVENT_MAX_BYTES was refused and not stored: one alarm for each
    program and sender. May be repeated."""
    limit = settings.EVENT_MAX_BYTES
    detail = f"a delivery is larger than EVENT_MAX_BYTES ({limit}) and was refused: raise that setting"
    raise_alarm(program, AlarmKind.TOO_LARGE, detail, sender)


def raise_dead(program: Program, name: str, problem: str) -> None:
    """Raise the alarm that an event of the program is dead, after that is committed: one alarm for each
    program. None is raised for a repetition of an event that is no longer dead."""
    if not Event.objects.filter(program=program, state=EventState.DEAD).exists():
        return
    log.error("event_dead", program=program.slug, name=name, problem=problem)
    raise_alarm(program, AlarmKind.DEAD, f"{name or 'nameless'}: {problem}")


def close_dead() -> None:
    """Close the alarms of the programs that have no dead event any more. May be repeated."""
    dead = Event.objects.filter(program=OuterRef("program"), state=EventState.DEAD)
    Alarm.objects.filter(~Exists(dead), kind=AlarmKind.DEAD, closed_at=None).update(closed_at=timezone.now())
