"""NewStore's event names that we act on. Source: contracts/newstore.md 6.4, 6.2 (de-duplication)."""

from enum import StrEnum


class EventName(StrEnum):
    ORDER_CREATED = "order.created"
    ORDER_OPENED = "order.opened"
    ORDER_COMPLETED = "order.completed"
    ORDER_CANCELLED = "order.cancelled"
    ORDER_ITEMS_CANCELLED = "order.items_cancelled"
    RETURN_PROCESSED = "return.processed"


KNOWN = frozenset(name.value for name in EventName)
# One order emits each of these once, one return its own, so `payload.id` tells repetitions apart. Every
# other name (order.items_cancelled repeats the order's id; names we do not know) is told apart by content.
ONCE_PER_ID = KNOWN - {EventName.ORDER_ITEMS_CANCELLED.value}
