"""Deliveries that are old: they hold personal data, and orders and returns have rows of their own."""

from datetime import datetime

from loyaltyview.events.alarms import close_dead
from loyaltyview.events.models import Event, EventState

BATCH = 1000  # short transactions: deliveries come in meanwhile


def purge_events(before: datetime) -> int:
    """Delete what was received before that time, dead ones too, but nothing that still waits for the worker.
    Returns how many. May be repeated."""
    old = Event.objects.filter(received_at__lt=before).exclude(state=EventState.WAITING)
    count = 0
    while pks := list(old.values_list("pk", flat=True)[:BATCH]):
        count += Event.objects.filter(pk__in=pks).exclude(state=EventState.WAITING).delete()[0]
    close_dead()
    return count
