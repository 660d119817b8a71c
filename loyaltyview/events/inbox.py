"""The inbox: from raw bytes to a committed row. Handling comes later, in the worker.

Whatever carries the right key is stored: an answer other than 200 can stop the retailer's whole stream.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from loyaltyview.events import metrics
from loyaltyview.events.alarms import raise_dead
from loyaltyview.events.group_commit import GroupCommit
from loyaltyview.events.models import EventSource, EventState
from loyaltyview.events.names import KNOWN, ONCE_PER_ID, WITH_ORDER_ID
from loyaltyview.events.payloads import NotJson, dump, is_text, parse, read_storable, read_time
from loyaltyview.events.readers import LONGEST_ID
from loyaltyview.events.rows import NewEvent, insert
from loyaltyview.programs.models import Program
from loyaltyview.work import clock
from loyaltyview.work.sources import wake
from providers.texts import plain_of

log = structlog.get_logger(__name__)

# WSGI's names of the headers that are kept, and how they are called in the row.
KEPT_HEADERS = {
    "CONTENT_TYPE": "content-type",
    "HTTP_USER_AGENT": "user-agent",
    "HTTP_X_REQUEST_ID": "x-request-id",
}

DEAD_KEY = "dead:"

_writer = GroupCommit(insert)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What a delivery is, before anybody looks at its payload. `problem` says why it is DEAD."""

    state: EventState
    name: str = ""
    subject: str = ""
    dedupe_key: str
    published_at: datetime | None = None
    stored: bytes
    problem: str = ""


def store_delivery(program: Program, body: bytes, environ: Mapping[str, Any]) -> EventState:
    """Store one delivery and commit; a duplicate is stored once. `environ` is WSGI's, of which some headers
    are kept. Returns the state it was given.
    Raises django.db.Error or NotStored when it could not be committed. May be repeated."""
    envelope = read_envelope(body, program.newstore_tenant)
    now = clock.now()
    _writer.store(
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
    metrics.received.labels(program.slug, envelope.state.value).inc()
    if envelope.state is EventState.DEAD:
        raise_dead(program, envelope.name, envelope.problem)
    else:
        wake()
    return envelope.state


def read_envelope(body: bytes, tenant: str) -> Envelope:
    """Judge the bytes of a delivery for the program whose NewStore tenant is `tenant`. Never raises."""
    try:
        data, stored = read_storable(body)
        return _judge(body, data, stored, tenant)
    except NotJson as error:
        return _dead(body, body, f"not JSON ({error})")


def _judge(body: bytes, data: Any, stored: bytes, tenant: str) -> Envelope:
    if not isinstance(data, dict):
        return _dead(body, stored, "not an object")
    name, payload = data.get("name"), data.get("payload")
    if not isinstance(name, str) or not is_text(name):
        return _dead(body, stored, "no name")
    if data.get("tenant", tenant) != tenant:
        return _dead(body, stored, "of another tenant", name)
    published_at = read_time(data.get("published_at"))
    if name not in KNOWN:
        return Envelope(
            state=EventState.IGNORED,
            name=name,
            dedupe_key=_by_content(name, body),
            published_at=published_at,
            stored=stored,
        )
    given = payload.get("id") if isinstance(payload, dict) else None
    identifier = plain_of(given, LONGEST_ID) if isinstance(given, str) else ""
    if not isinstance(payload, dict) or not identifier:
        return _dead(body, stored, "no payload.id", name)
    subject = plain_of(payload.get("order_id"), LONGEST_ID) if name in WITH_ORDER_ID else identifier
    return Envelope(
        state=EventState.WAITING,
        name=name,
        # A return that names no order waits for nobody.
        subject=subject,
        dedupe_key=f"{name}:{identifier}" if name in ONCE_PER_ID else _by_content(name, body),
        published_at=published_at,
        stored=stored,
    )


def _by_content(name: str, body: bytes) -> str:
    # With what is not stored: two refunds may differ in nothing else.
    return hashlib.sha256(dump([name, parse(body).get("payload")])).hexdigest()


def _dead(body: bytes, stored: bytes, problem: str, name: str = "") -> Envelope:
    # Told apart by all its bytes, so that it never stands in the way of a sound delivery with the same id.
    key = f"{DEAD_KEY}{hashlib.sha256(body).hexdigest()}"
    return Envelope(state=EventState.DEAD, name=name, dedupe_key=key, stored=stored, problem=problem)


def _kept(environ: Mapping[str, Any]) -> dict[str, str]:
    found = {name: str(environ.get(key, ""))[:200] for key, name in KEPT_HEADERS.items()}
    return {name: value for name, value in found.items() if is_text(value, 200)}
