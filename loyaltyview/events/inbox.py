"""The inbox: from the bytes of a delivery to a committed row. The worker handles it later.

Every delivery of NewStore that has the right key is stored: an answer other than 200 can stop the retailer's
whole stream. Of a vendor's delivery only the ids and names are stored that the adapter understood: the rest
is full of personal data that nothing here needs. A body that the adapter does not understand is kept whole
until an administrator has looked at it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from prometheus_client import Counter

from loyaltyview.events.alarms import raise_dead
from loyaltyview.events.envelope import DEAD_KEY, read_envelope
from loyaltyview.events.group_commit import NewEvent, event_writer
from loyaltyview.events.models import Event, EventSource, EventState
from loyaltyview.events.payloads import dump, is_text
from loyaltyview.programs.models import Program
from loyaltyview.work import clock
from loyaltyview.work.registry import wake
from providers.types import WebhookEvent, WebhookName

log = structlog.get_logger(__name__)

received = Counter(
    "loyaltyview_events_received_total",
    "Deliveries accepted, repetitions included, by what they are: waiting, ignored, dead.",
    ["program", "state"],
)
# The headers that are kept: their names in WSGI, and in the row.
KEPT_HEADERS = {
    "CONTENT_TYPE": "content-type",
    "HTTP_USER_AGENT": "user-agent",
    "HTTP_X_REQUEST_ID": "x-request-id",
}

HINT_FIELDS = ("event_id", "name", "member_ref", "provider_ref")
HANDLED_HINTS = frozenset(name.value for name in WebhookName)


def store_delivery(program: Program, body: bytes, environ: Mapping[str, Any]) -> EventState:
    """Store one delivery and commit; a duplicate is stored once. `environ` is WSGI's, of which some headers
    are kept. Returns the state it was given.
    Raises django.db.Error or NotStored when it could not be committed. May be repeated."""
    envelope = read_envelope(body, program.newstore_tenant)
    now = clock.now()
    event_writer.store(
        NewEvent(
            program_id=program.pk,
            source=EventSource.NEWSTORE.value,
            name=envelope.name,
            dedupe_key=envelope.dedupe_key,
            subject=envelope.subject,
            state=envelope.state.value,
            payload=envelope.stored,
            headers=_kept(environ),
            received_at=now,
            published_at=envelope.published_at,
            due_at=now if envelope.state is EventState.WAITING else None,
            last_error=envelope.problem,
        )
    )
    received.labels(program.slug, envelope.state.value).inc()
    if envelope.state is EventState.DEAD:
        raise_dead(program, envelope.name, envelope.problem)
    else:
        wake()
    return envelope.state


def store_hints(program: Program, hints: Iterable[WebhookEvent]) -> None:
    """Store each hint once and commit. Raises django.db.Error: then none was stored. May be repeated."""
    now = clock.now()
    events = []
    for hint in hints:
        is_handled = hint.name in HANDLED_HINTS
        events.append(
            Event(
                program=program,
                source=EventSource.PROVIDER,
                name=hint.name if is_text(hint.name) else "unnamed",
                # An id that the column cannot hold is replaced by a hash.
                dedupe_key=hint.event_id if is_text(hint.event_id, 250) else _hash(_bytes_of(hint)),
                state=EventState.WAITING if is_handled else EventState.IGNORED,
                payload=_bytes_of(hint),
                received_at=now,
                due_at=now if is_handled else None,
            )
        )
    Event.objects.bulk_create(events, ignore_conflicts=True)
    for event in events:
        received.labels(program.slug, event.state).inc()
        log.info("provider_event_received", program=program.slug, name=event.name)
    wake()


def store_unreadable(program: Program, body: bytes, problem: str) -> None:
    """Store a verified body that the adapter does not understand as a dead event, and commit."""
    event = Event(
        program=program,
        source=EventSource.PROVIDER,
        dedupe_key=f"{DEAD_KEY}{_hash(body)}",
        state=EventState.DEAD,
        payload=body,
        received_at=clock.now(),
        last_error=f"not understood: {problem}"[:500],
    )
    Event.objects.bulk_create([event], ignore_conflicts=True)
    received.labels(program.slug, EventState.DEAD.value).inc()
    raise_dead(program, "", event.last_error)


def _kept(environ: Mapping[str, Any]) -> dict[str, str]:
    found = {name: str(environ.get(key, ""))[:200] for key, name in KEPT_HEADERS.items()}
    return {name: value for name, value in found.items() if is_text(value, 200)}


def _bytes_of(hint: WebhookEvent) -> bytes:
    return dump({field: getattr(hint, field) for field in HINT_FIELDS})


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
