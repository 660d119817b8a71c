"""Handling stored events once more: from admin and from `manage.py replay_events`."""

from django.db.models import QuerySet

from loyaltyview.events.alarms import close_dead
from loyaltyview.events.models import Event, EventState
from loyaltyview.work import clock
from loyaltyview.work.sources import wake

ERASED = b"{}"  # what is left of a delivery about somebody who was erased


def replay(events: QuerySet[Event]) -> int:
    """Make those of `events` that nobody is handling due again, with all their attempts, but for those whose
    customer was erased. Handlers may be repeated, so replaying what is done changes nothing more. Returns how
    many there were."""
    count = (
        events.filter(lease_until=None)
        .exclude(payload=ERASED)
        .update(state=EventState.WAITING, due_at=clock.now(), attempts=0, last_error="", done_at=None)
    )
    close_dead()
    wake()
    return count
