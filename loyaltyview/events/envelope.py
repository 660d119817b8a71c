"""A delivery of NewStore before its payload is read: which event it is, about which order, and what of its
JSON is stored. Source: docs/contracts/newstore.md 6.2 (de-duplication), 6.4 (names).
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from loyaltyview.events.models import EventState
from loyaltyview.events.payloads import LONGEST_ID, NotJson, dump, is_text, parse, read_time
from providers.texts import plain_of


class EventName(StrEnum):
    """The events that we act on."""

    ORDER_CREATED = "order.created"
    ORDER_OPENED = "order.opened"
    ORDER_COMPLETED = "order.completed"
    ORDER_CANCELLED = "order.cancelled"
    ORDER_ITEMS_CANCELLED = "order.items_cancelled"
    RETURN_PROCESSED = "return.processed"
    REFUND_ISSUED = "refund_request.issued"


KNOWN = frozenset(name.value for name in EventName)
# Our own name for an order of which no event came (`EventSource.FOUND`). NewStore sends none of that name.
ORDER_FOUND = "order.found"
# These are about an order, but have an id of their own.
WITH_ORDER_ID = frozenset({EventName.RETURN_PROCESSED.value, EventName.REFUND_ISSUED.value})
# An order emits each of these once, and so does a return or a refund: `payload.id` identifies repetitions.
# Events of every other name are compared by content: order.items_cancelled and
# payment_account.amount_refunded repeat the order's id.
ONCE_PER_ID = KNOWN - {EventName.ORDER_ITEMS_CANCELLED.value}
# The de-duplication key of a delivery that is not understood.
DEAD_KEY = "dead:"
# Blocks that nothing here needs and that must not be stored (docs/architecture.md 12).
NEVER_STORED = frozenset(
    {
        "billing_address", "shipping_address", "address", "addresses", "payment", "payments",
        "payment_history", "payment_method", "payment_methods", "instruments", "transactions",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What a delivery is, before its payload is read. `problem` says why it is DEAD."""

    state: EventState
    name: str = ""
    subject: str = ""
    dedupe_key: str
    published_at: datetime | None = None
    stored: bytes
    problem: str = ""


def read_envelope(body: bytes, tenant: str) -> Envelope:
    """Judge the bytes of a delivery for the program whose NewStore tenant is `tenant`. Never raises."""
    try:
        data, stored = read_storable(body)
        return _judge(body, data, stored, tenant)
    except NotJson as error:
        return _dead(body, body, f"not JSON ({error})")


def read_storable(body: bytes) -> tuple[Any, bytes]:
    """Return the JSON value in `body` without address and payment blocks, and the bytes that may be stored:
    `body` itself when it has no such block, else the value's. Raises NotJson."""
    blocks = _Blocks()
    value = parse(body, blocks.drop)
    return value, dump(value) if blocks.were_there else body


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
        # "" for a return without an order: it waits for no other event.
        subject=subject,
        dedupe_key=f"{name}:{identifier}" if name in ONCE_PER_ID else _by_content(name, body),
        published_at=published_at,
        stored=stored,
    )


def _by_content(name: str, body: bytes) -> str:
    # The blocks that are not stored count, too: two refunds may differ only there.
    return hashlib.sha256(dump([name, parse(body).get("payload")])).hexdigest()


def _dead(body: bytes, stored: bytes, problem: str, name: str = "") -> Envelope:
    # The key is made of all its bytes, so it never blocks a readable delivery with the same id.
    key = f"{DEAD_KEY}{hashlib.sha256(body).hexdigest()}"
    return Envelope(state=EventState.DEAD, name=name, dedupe_key=key, stored=stored, problem=problem)


class _Blocks:
    """Removes the blocks while the JSON is parsed: a walk through the result took three times as long."""

    def __init__(self) -> None:
        self.were_there = False

    def drop(self, value: dict[str, Any]) -> dict[str, Any]:
        if NEVER_STORED.isdisjoint(map(str.lower, value)):
            return value
        self.were_there = True
        return {key: item for key, item in value.items() if key.lower() not in NEVER_STORED}
