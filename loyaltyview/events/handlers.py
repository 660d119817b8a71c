"""What each of NewStore's events does: one function a name. All may be repeated, in any order.

Events of one order come here one after another (`Event`'s constraint). Nothing here runs in a transaction.
Each raises PayloadError, NotYet or ProviderError when it could not do all of its work.
"""

from collections.abc import Callable

from loyaltyview.events import orders
from loyaltyview.events.earning import NotYet, earn, take_back_order, take_back_return
from loyaltyview.events.models import Event, Order, ReturnState
from loyaltyview.events.names import EventName
from loyaltyview.events.readers import read_cancelled, read_codes, read_completed, read_order, read_return
from loyaltyview.events.returns import note_late_cancellation, note_return
from loyaltyview.redemptions.orders import give_back_order, member_of_order, settle, use_codes
from providers.types import Spend


def order_created(event: Event) -> None:
    """The order exists and can still change: its codes are in use."""
    _use(event)
    order = orders.note_created(event.program, read_order(bytes(event.payload)))
    if order.cancelled_seen_at and not order.is_historical:
        _undo(order)


def order_opened(event: Event) -> None:
    """The order is final: its codes are used, and the vendor is told."""
    spends = _use(event)
    order = orders.note_opened(event.program, read_order(bytes(event.payload)))
    if order.is_historical:
        return
    if order.cancelled_seen_at:
        _undo(order)
        return
    settle(event.program, orders.to_provider(order, member_of_order(event.program, order.order_id), spends))


def order_completed(event: Event) -> None:
    """The sale is done: it earns. The amounts are those of `order.opened`."""
    order = orders.note_completed(event.program, read_completed(bytes(event.payload)).order_id)
    if not order.opened_seen_at:
        raise NotYet("order.opened has not arrived")
    earn(order, use_codes(event.program, order_id=order.order_id, codes=tuple(order.codes)))


def order_cancelled(event: Event) -> None:
    """The whole order is off, perhaps before it was heard of."""
    _undo(orders.note_cancelled(event.program, read_cancelled(bytes(event.payload)).order_id))


def order_items_cancelled(event: Event) -> None:
    """Some items are off: they do not earn, or what they earned is taken back."""
    read = read_cancelled(bytes(event.payload))
    order, is_in_time = orders.note_items_cancelled(event.program, read)
    if not is_in_time:
        take_back_return(note_late_cancellation(order, read, event.dedupe_key))


def return_processed(event: Event) -> None:
    """Goods came back: what they earned is taken back. Without an order a person decides."""
    record = note_return(event.program, read_return(bytes(event.payload)))
    if record.state == ReturnState.WAITING:
        take_back_return(record)


def _use(event: Event) -> tuple[Spend, ...]:
    # Before anything else is read: the customer has had the discount, however odd the rest may be.
    read = read_codes(bytes(event.payload))
    if read.is_historical:
        return ()
    return use_codes(event.program, order_id=read.order_id, codes=read.codes)


def _undo(order: Order) -> None:
    take_back_order(order)
    give_back_order(order.program, order_id=order.order_id)


HANDLERS: dict[str, Callable[[Event], None]] = {
    EventName.ORDER_CREATED: order_created,
    EventName.ORDER_OPENED: order_opened,
    EventName.ORDER_COMPLETED: order_completed,
    EventName.ORDER_CANCELLED: order_cancelled,
    EventName.ORDER_ITEMS_CANCELLED: order_items_cancelled,
    EventName.RETURN_PROCESSED: return_processed,
}
