"""Orders whose events were lost: after some patience they are read from NewStore itself.

Events usually come within seconds, and NewStore's REST API lags behind them. So for one minute we wait for
the event, and for another minute "not found" means "not yet" (docs/contracts/newstore.md 6.11).
"""

from datetime import timedelta

import structlog

from loyaltyview.events.earning import cancel_order, complete_order, why_nothing
from loyaltyview.events.errors import Hopeless, NotYet, OrderOpen
from loyaltyview.events.models import Earning, Event, Order
from loyaltyview.events.orders import (
    drop_codes,
    find_order,
    note_completed,
    note_items_cancelled,
    note_opened,
    settle_order,
    with_reward_codes,
)
from loyaltyview.events.readers import Line, OrderCancelled, OrderOpened
from loyaltyview.newstore.errors import NewStoreRejected
from loyaltyview.newstore.orders import CLOSED, ITEM_CANCELLED, OPEN, HostOrder, read_order
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.codes import with_codes
from loyaltyview.work import clock

log = structlog.get_logger(__name__)

PATIENCE = timedelta(minutes=1)
NOT_A_SALE = ("failed", "created_for_blind_return")


def opened_order(event: Event, order_id: str, order: Order | None = None) -> Order:
    """Return the order of `event` (`order` where it was just read), opened: by its own event, or else from
    NewStore, its codes used.
    Raises NotYet, Hopeless, NewStoreError, ProviderError. May be repeated."""
    order = order or find_order(event.program, order_id)
    if order and order.opened_seen_at:
        return order
    if clock.now() < event.received_at + PATIENCE:
        raise NotYet("order.opened has not arrived")
    return take_order(event.program, _read(event, order_id))


def ensure_earned(event: Event, order: Order) -> Order:
    """Let an order earn whose order.completed was lost: `event` shows that it must have been completed.
    Raises NotYet while it may still come, and what `opened_order` raises. May be repeated."""
    if order.earning != Earning.WAITING or order.completed_seen_at or why_nothing(order):
        return order
    if clock.now() < event.received_at + PATIENCE:
        raise NotYet("order.completed has not arrived")
    host = _read(event, order.order_id)
    if host.status == OPEN:
        raise OrderOpen("the order is not completed yet")
    if host.status != CLOSED:
        raise NotYet(f"the order is {host.status}")
    take_cancellations(order, host)
    order = note_completed(event.program, order.order_id)
    log.warning("order_completed_from_newstore", order=order.order_id)
    complete_order(order)
    return order


def take_found_order(event: Event, *, is_exchange: bool) -> None:
    """Handle an order of which no event came as if they had come: its codes are used, and it earns once
    NewStore says that it is completed, or is undone once it is cancelled. Events that come late change
    nothing. Raises OrderOpen while it is open, Hopeless for an exchange with our codes (only its events tell
    what it replaces), NotYet, NewStoreError, ProviderError. May be repeated."""
    program, order_id = event.program, event.subject
    order = Order.objects.filter(program=program, order_id=order_id).first()
    if order and order.completed_seen_at:
        complete_order(opened_order(event, order_id))
        return
    host = with_reward_codes(program, _read(event, order_id))
    if not order or not order.opened_seen_at:
        if host.status in NOT_A_SALE or host.is_off:
            if order:  # its order.created came since, and may have used codes
                cancel_order(program, order_id)
            return
        if host.status not in (OPEN, CLOSED):
            raise OrderOpen(f"the order is {host.status}")
        rows = with_codes(program, host.codes)
        if rows and (is_exchange or rows.exclude(order_id__in=["", order_id]).exists()):
            raise Hopeless("an exchange: have NewStore send the events of its time again")
        order = take_order(program, host)
    else:
        settle_order(order)  # an earlier attempt may have ended before
    if host.is_off or order.cancelled_seen_at:
        cancel_order(program, order_id)  # again: an earlier attempt may have ended before
        return
    if host.status != CLOSED:
        raise OrderOpen("the order is not completed yet")
    take_cancellations(order, host)
    complete_order(note_completed(program, order_id))


def take_order(program: Program, host: HostOrder) -> Order:
    """Store what NewStore says of an order as if its order.opened had come, and settle its redemptions.
    Raises Hopeless when it is no sale, ProviderError. May be repeated."""
    if host.status in NOT_A_SALE:
        raise Hopeless(f"NewStore says that the order is {host.status}")
    host = with_reward_codes(program, host)
    order = take_cancellations(note_opened(program, _as_opened(host)), host)
    drop_codes(order, host.codes)
    log.warning("order_opened_from_newstore", order=order.order_id)
    settle_order(order)
    return order


def take_cancellations(order: Order, host: HostOrder) -> Order:
    """Take out the items that NewStore has as cancelled: the event of that may be lost."""
    cancelled = tuple(item.item_id for item in host.items if item.status == ITEM_CANCELLED)
    return note_items_cancelled(order.program, OrderCancelled(order_id=order.order_id, item_ids=cancelled))[0]


def _read(event: Event, order_id: str) -> HostOrder:
    try:
        return read_order(event.program, order_id)
    except NewStoreRejected as error:
        if error.status not in (404, 410):
            raise
        if error.status == 404 and clock.now() < event.received_at + 2 * PATIENCE:
            raise NotYet("NewStore does not have the order yet") from error
        raise Hopeless(f"an event of the order never came, and NewStore answers {error.detail}") from error


def _as_opened(host: HostOrder) -> OrderOpened:
    lines = [
        Line(item_id=item.item_id, product_id=item.product_id, quantity=1, net=item.net)
        for item in host.items
    ]
    return OrderOpened(
        order_id=host.order_id,
        external_id=host.external_id,
        placed_at=host.placed_at,
        channel_type=host.channel_type,
        store_id=host.store_id if host.channel_type == "store" else "",
        # The REST API does not have these.
        associate_id="",
        profile_id=host.customer_id,
        customer_email=host.customer_email,
        currency=host.currency,
        is_exchange=False,
        is_historical=False,
        exchanges=(),
        codes=host.codes,
        lines=tuple(lines),
        earns_with_tax=host.earns_with_tax,
    )
