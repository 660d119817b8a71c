"""Returns that wait for a person (state PARKED), and what the person decides."""

import structlog
from django.db.models import QuerySet
from django.utils import timezone

from loyaltyview.events.envelope import EventName
from loyaltyview.events.give_back import given_by_hand
from loyaltyview.events.models import Event, EventSource, ReturnRecord, ReturnState, WhyParked
from loyaltyview.events.stored_events import replay

log = structlog.get_logger(__name__)


def is_blind(record: ReturnRecord) -> bool:
    """Whether this return waits for its order to be named."""
    return record.state == ReturnState.PARKED and record.why_parked == WhyParked.BLIND


def has_event(record: ReturnRecord) -> bool:
    """Whether the event of this return is still kept, so that it can be handled again."""
    return _events(record).exists()


def park(record: ReturnRecord, points: int) -> None:
    """Let the return wait for a person who gives back `points`: the vendor cannot, and what it earned is
    taken back already. May be repeated."""
    ReturnRecord.objects.filter(pk=record.pk).exclude(state=ReturnState.WAITING).update(
        state=ReturnState.PARKED, why_parked=WhyParked.WHOLE_ONLY, points_owed=points
    )
    log.error("return_parked", program=record.program.slug, record=record.return_id, points=points)


def assign_order(record: ReturnRecord, order_id: str) -> bool:
    """Name the order of a blind return and have the worker take back what its goods earned. False when it no
    longer waits for that."""
    moved = ReturnRecord.objects.filter(
        pk=record.pk, state=ReturnState.PARKED, why_parked=WhyParked.BLIND
    ).update(order_id=order_id, state=ReturnState.WAITING, why_parked="")
    if moved:
        # From now on it is one of this order's events, handled one after another.
        _events(record).filter(lease_until=None).update(subject=order_id)
        replay(_events(record))
    return moved == 1


def close(record: ReturnRecord) -> bool:
    """Close the return: a person has given the points back, or there is nothing to do. False when it did not
    wait for a person."""
    was_blind = is_blind(record)
    moved = ReturnRecord.objects.filter(pk=record.pk, state=ReturnState.PARKED).update(
        state=ReturnState.NOTHING if was_blind else ReturnState.DONE, done_at=timezone.now()
    )
    if moved and not was_blind:
        given_by_hand(record)
    return moved == 1


def _events(record: ReturnRecord) -> QuerySet[Event]:
    return Event.objects.filter(
        program=record.program,
        source=EventSource.NEWSTORE,
        dedupe_key=f"{EventName.RETURN_PROCESSED}:{record.return_id}",
    )
