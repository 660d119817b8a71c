"""NewStore's event names that we act on. Source: docs/contracts/newstore.md 6.4, 6.2 (de-duplication)."""

from enum import StrEnum


class EventName(StrEnum):
    ORDER_CREATED = "order.created"
    ORDER_OPENED = "order.opened"
    ORDER_COMPLETED = "order.completed"
    ORDER_CANCELLED = "order.cancelled"
    ORDER_ITEMS_CANCELLED = "order.items_cancelled"
    RETURN_PROCESSED = "return.processed"
    REFUND_ISSUED = "refund_request.issued"


KNOWN = frozenset(name.value for name in EventName)
# These are about an order, but have an id of their own.
WITH_ORDER_ID = frozenset({EventName.RETURN_PROCESSED.value, EventName.REFUND_ISSUED.value})
# One order emits each of these once, one return or refund its own, so `payload.id` tells repetitions apart.
# Every other name is told apart by content: order.items_cancelled and payment_account.amount_refunded repeat
# the order's id.
ONCE_PER_ID = KNOWN - {EventName.ORDER_ITEMS_CANCELLED.value}
