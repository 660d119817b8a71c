"""A vendor's deliveries as rows: what the adapter understood of each, and nothing else of it.

The vendor's own bytes are full of personal data that nothing here needs, so only ids and names are kept;
a body that could not be understood is kept whole until somebody has looked.
"""

import hashlib
from collections.abc import Iterable

import structlog

from loyaltyview.events import metrics
from loyaltyview.events.alarms import raise_dead
from loyaltyview.events.models import Event, EventSource, EventState
from loyaltyview.events.payloads import dump, is_text, parse
from loyaltyview.programs.models import Program
from loyaltyview.work import clock
from loyaltyview.work.sources import wake
from providers.types import WebhookEvent, WebhookName

log = structlog.get_logger(__name__)

FIELDS = ("event_id", "name", "member_ref", "provider_ref")
HANDLED = frozenset(name.value for name in WebhookName)


def store_hints(program: Program, hints: Iterable[WebhookEvent]) -> None:
    """Store each hint once and commit. Raises django.db.Error: then none was stored. May be repeated."""
    now = clock.now()
    events = []
    for hint in hints:
        is_handled = hint.name in HANDLED
        events.append(
            Event(
                program=program,
                source=EventSource.PROVIDER,
                name=hint.name if is_text(hint.name) else "unnamed",
                # An id of the vendor's that no column takes is told apart by its hash.
                dedupe_key=hint.event_id if is_text(hint.event_id, 250) else _hash(_bytes_of(hint)),
                state=EventState.WAITING if is_handled else EventState.IGNORED,
                payload=_bytes_of(hint),
                received_at=now,
                due_at=now if is_handled else None,
            )
        )
    Event.objects.bulk_create(events, ignore_conflicts=True)
    for event in events:
        metrics.received.labels(program.slug, event.state).inc()
        log.info("provider_event_received", program=program.slug, name=event.name)
    wake()


def store_unreadable(program: Program, body: bytes, problem: str) -> None:
    """Keep a verified body that the adapter does not understand as a dead event, and commit."""
    event = Event(
        program=program,
        source=EventSource.PROVIDER,
        dedupe_key=f"dead:{_hash(body)}",
        state=EventState.DEAD,
        payload=body,
        received_at=clock.now(),
        last_error=f"not understood: {problem}"[:500],
    )
    Event.objects.bulk_create([event], ignore_conflicts=True)
    metrics.received.labels(program.slug, EventState.DEAD.value).inc()
    raise_dead(program, "", event.last_error)


def read_hint(body: bytes) -> WebhookEvent:
    """Return the hint that `store_hints` wrote."""
    return WebhookEvent(**parse(body))


def _bytes_of(hint: WebhookEvent) -> bytes:
    return dump({field: getattr(hint, field) for field in FIELDS})


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
