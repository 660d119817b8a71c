"""What redemptions ask about orders (`redemptions.order_news`)."""

from datetime import datetime

from django.db.models import Q

from loyaltyview.events.models import Event, EventSource, EventState
from loyaltyview.events.names import EventName
from loyaltyview.events.replay import replay
from loyaltyview.programs.models import Program

WITH_CODES = (EventName.ORDER_CREATED.value, EventName.ORDER_OPENED.value)
OF_SALE = (*WITH_CODES, EventName.ORDER_COMPLETED.value)


def has_unread(program: Program, codes: tuple[str, ...], before: datetime) -> bool:
    """Whether events that came in before that time and were not handled may carry one of `codes`: no worker
    has looked at them, or they name it and the attempt failed, perhaps before the codes were taken up."""
    waiting = Event.objects.filter(
        program=program,
        source=EventSource.NEWSTORE,
        state=EventState.WAITING,
        name__in=WITH_CODES,
        received_at__lt=before,
    )
    if waiting.filter(Q(attempts=0) | Q(lease_until__isnull=False)).exists():
        return True
    wanted = [code.encode() for code in codes]
    payloads = waiting.values_list("payload", flat=True).iterator()
    return any(code in bytes(payload) for payload in payloads for code in wanted)


def read_again(program: Program, order_id: str) -> bool:
    """Handle the order's sale once more, which tells the vendor of its redemptions."""
    events = Event.objects.filter(program=program, source=EventSource.NEWSTORE, subject=order_id)
    return replay(events.filter(name__in=OF_SALE)) > 0
