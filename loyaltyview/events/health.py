"""What /readyz says of events: whether the worker keeps up."""

from django.conf import settings

from loyaltyview.events.models import Event
from loyaltyview.ops.health import Check
from loyaltyview.work import clock
from loyaltyview.work.claims import due


def check_backlog() -> Check:
    """No event has waited for the worker longer than READY_MAX_EVENT_AGE_S. One that waits for its next
    attempt because a vendor is down does not count: this process is not the one that is unwell."""
    oldest = due(Event.objects.all()).values_list("due_at", flat=True).first()
    age_s = int((clock.now() - oldest).total_seconds()) if oldest else 0
    return Check(is_ok=age_s <= settings.READY_MAX_EVENT_AGE_S, detail=f"oldest waits for {age_s} s")
