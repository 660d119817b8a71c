"""What redemptions ask about orders (`redemptions.order_news`)."""

from datetime import datetime

from django.db.models import Q

from loyaltyview.events.models import Event, EventSource, EventState
from loyaltyview.events.names import EventName
from loyaltyview.events.replay import replay
from loyaltyview.programs.models import Program

WITH_CODES = (EventName.ORDER_CREATED.value, EventName.ORDER_OPENED.value)


def has_unread(program: Program, before: datetime) -> bool:
    """Whether events that may carry codes came in before that time, and no worker has read them: their codes
    are the first thing that an attempt takes up, whatever comes of the rest."""
    rows = Event.objects.filter(program=program, source=EventSource.NEWSTORE, state=EventState.WAITING)
    unread = rows.filter(Q(attempts=0) | Q(lease_until__isnull=False), name__in=WITH_CODES)
    return unread.filter(received_at__lt=before).exists()


def read_again(program: Program, order_id: str) -> None:
    """Handle the order's opening once more, which tells the vendor of its redemptions."""
    replay(
        Event.objects.filter(
            program=program,
            source=EventSource.NEWSTORE,
            subject=order_id,
            name=EventName.ORDER_OPENED.value,
        )
    )
