"""Stored events as a whole: handle them again, delete old ones, see how long they wait."""

from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet

from loyaltyview.events.alarms import close_dead
from loyaltyview.events.models import Event, EventState
from loyaltyview.ops.health import Check
from loyaltyview.work import clock
from loyaltyview.work.claims import due
from loyaltyview.work.registry import wake
from providers.retention import delete_in_steps

ERASED = b"{}"  # the payload of an event whose customer was erased


def replay(events: QuerySet[Event]) -> int:
    """Make `events` due again with all their attempts, except those that a worker has claimed and those whose
    customer was erased. Handlers may be repeated, so a second run changes nothing more. Returns how many
    there were."""
    count = (
        events.filter(lease_until=None)
        .exclude(payload=ERASED)
        .update(state=EventState.WAITING, due_at=clock.now(), attempts=0, last_error="", done_at=None)
    )
    close_dead()
    wake()
    return count


def purge_events(before: datetime) -> int:
    """Delete what was received before that time, dead ones too, but nothing that still waits for the worker.
    Returns how many. May be repeated."""
    count = delete_in_steps(Event.objects.filter(received_at__lt=before).exclude(state=EventState.WAITING))
    close_dead()
    return count


def oldest_due() -> datetime | None:
    """Return since when the event that is due longest has been due, None when none is. An event that waits
    for its next attempt is not due: a vendor that is down is no fault of the worker."""
    return due(Event.objects.all()).values_list("due_at", flat=True).first()


def check_backlog() -> Check:
    """Return what /readyz says of events: none has been due longer than READY_MAX_EVENT_AGE_S."""
    oldest = oldest_due()
    age_s = int((clock.now() - oldest).total_seconds()) if oldest else 0
    return Check(is_ok=age_s <= settings.READY_MAX_EVENT_AGE_S, detail=f"oldest waits for {age_s} s")
