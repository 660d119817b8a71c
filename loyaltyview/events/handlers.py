"""What each event does, NewStore's first, then the vendor's: one function for each name. All may be repeated,
in any order.

Events of one order are handled one after another (the constraint of `Event`). Without a call to another
system, all of an event may be one transaction (`processing`). Each function raises PayloadError, NotYet,
Hopeless, ProviderError or NewStoreError when it could not do all of its work.
"""

from collections.abc import Callable
from datetime import timedelta

from loyaltyview.events import orders
from loyaltyview.events.alarms import raise_alarm
from loyaltyview.events.earning import (
    MAYBE_EARNED,
    cancel_order,
    complete_order,
    take_back_order,
    undo_order,
)
from loyaltyview.events.envelope import ORDER_FOUND, EventName
from loyaltyview.events.errors import NotYet, PayloadError
from loyaltyview.events.give_back import (
    has_given_parts,
    warn_of_exchange,
)
from loyaltyview.events.models import AlarmKind, Earning, Event, Order, ReturnState
from loyaltyview.events.order_backfill import ensure_earned, opened_order, take_found_order
from loyaltyview.events.orders import is_member_erased
from loyaltyview.events.payloads import payload_of
from loyaltyview.events.readers import (
    OrderOpened,
    read_appeasement,
    read_cancelled,
    read_codes,
    read_completed,
    read_hint,
    read_order,
    read_return,
)
from loyaltyview.events.return_settlement import settle_return
from loyaltyview.events.returns import (
    keep_goods,
    note_appeasement,
    note_late_cancellation,
    note_refund,
    note_return,
    reopen_refund,
    returned_so_far,
)
from loyaltyview.redemptions.cancellation import cancel_spend
from loyaltyview.redemptions.code_deactivation import queue_used_codes
from loyaltyview.redemptions.models import Redemption
from loyaltyview.work import clock
from providers.outbound import catalogues
from providers.types import WebhookName

# A vendor may report a spend before its answer to us has been stored.
PATIENCE = timedelta(minutes=1)


def order_created(event: Event) -> None:
    """The order exists and can still change: use its codes."""
    _use(event, is_final=False)
    order = orders.note_created(event.program, _read_order(event))
    if order.cancelled_seen_at and not order.is_historical:
        undo_order(order)


def order_opened(event: Event) -> None:
    """The order is final: use its codes and confirm them to the vendor."""
    _use(event, is_final=True)
    read = _read_order(event)
    order = orders.note_opened(event.program, read)
    orders.note_final(order, read)
    if order.is_historical and order.earning in MAYBE_EARNED:
        take_back_order(order)  # NewStore's REST API does not say that an order is historical
    if order.cancelled_seen_at and not order.is_historical:
        undo_order(order)
    if tuple(order.codes) == read.codes:
        orders.confirm_spends(order)
    else:  # it had earned before, with the codes that NewStore's REST API named
        orders.settle_order(order)


def order_completed(event: Event) -> None:
    """The sale is completed: it earns. The amounts are those of `order.opened`."""
    order = orders.note_completed(event.program, read_completed(bytes(event.payload)).order_id)
    complete_order(opened_order(event, order.order_id, order))


def order_cancelled(event: Event) -> None:
    """The whole order is cancelled, possibly before order.created arrived."""
    cancel_order(event.program, read_cancelled(bytes(event.payload)).order_id)


def order_items_cancelled(event: Event) -> None:
    """Some items are cancelled: they do not earn, or what they earned is taken back."""
    read = read_cancelled(bytes(event.payload))
    order, is_in_time = orders.note_items_cancelled(event.program, read)
    # An order that earns nothing counts, too: earlier returns are a larger share of what is left.
    if not is_in_time or has_given_parts(order):
        record = note_late_cancellation(order, read, event.dedupe_key)
        settle_return(record, order)


def return_processed(event: Event) -> None:
    """Goods came back: take back what they earned, and give back what the order spent: a part, all or
    nothing, by the program's rule. A return without an order waits for a person."""
    record = note_return(event.program, read_return(bytes(event.payload)))
    if not record.order_id:
        return
    order = opened_order(event, record.order_id)
    if record.state == ReturnState.WAITING:
        if order.earns_with_tax:
            note_refund(record, read_return(bytes(event.payload), with_tax=True))
        if not is_member_erased(order):
            keep_goods(record, order)
        order = ensure_earned(event, order)
    settle_return(record, order)
    for later in Order.objects.filter(program=order.program, order_id__in=orders.exchanges_of(order)):
        warn_of_exchange(later, tuple(later.codes))


def refund_issued(event: Event) -> None:
    """Money without a return: it is stored, and changes no points, unless all goods of its order are back and
    it is the last part of the money."""
    read = read_appeasement(bytes(event.payload))
    at = read.requested_at or event.published_at or event.received_at
    record = note_appeasement(event.program, read, at)
    order = Order.objects.filter(program=event.program, order_id=read.order_id or None).first()
    # When the order has not earned yet, its return will count the refund.
    if order and order.earning in (Earning.EARNED, Earning.NOTHING) and returned_so_far(order).is_refunded:
        if record.state == ReturnState.NOTHING and record.counted is None:
            reopen_refund(record)
        settle_return(record, order)


def _read_order(event: Event) -> OrderOpened:
    program = event.program
    read = read_order(bytes(event.payload), program.earn_on, program.newstore_reward_attribute)
    return orders.with_reward_codes(program, read)


def _use(event: Event, *, is_final: bool) -> None:
    # Before the rest is read: the customer has the discount, even if the amounts are unreadable.
    program = event.program
    read = read_codes(bytes(event.payload), program.newstore_reward_attribute)
    read = orders.with_reward_codes(program, read)
    if read.is_historical or not (read.codes or read.exchanges):
        return
    if is_final or not orders.was_opened(program, read.order_id):
        order = orders.order_row(program, read.order_id)
        orders.note_exchanges(order, read.exchanges)
        orders.use_order_codes(order, read.codes)
        if read.codes:
            warn_of_exchange(order, read.codes)


def order_found(event: Event) -> None:
    """The search found an order of which no event came: handle what NewStore has of it."""
    take_found_order(event, is_exchange=payload_of(bytes(event.payload)).get("is_exchange") is True)


def spend_cancelled(event: Event) -> None:
    """The vendor cancelled a spend by itself: its code must no longer be used."""
    ref = read_hint(bytes(event.payload)).provider_ref
    if not ref:
        return
    cancelled = cancel_spend(event.program, provider_ref=ref)
    if cancelled is None and clock.now() < event.received_at + PATIENCE:
        raise NotYet("no redemption has this reference yet")
    for row in cancelled or ():
        _raise_cancelled(row)


def _raise_cancelled(row: Redemption) -> None:
    """Raise an alarm, and have the code switched off at NewStore where the program allows it."""
    cart = f"the cart in {row.store_id}" if row.store_id else "its cart"
    if row.order_id:
        effect = "an order had used it: decide on the worklist"
    elif row.program.newstore_disable_codes:
        effect = f"its code is switched off at NewStore. Have it removed from {cart}"
    elif row.code_expires_at and row.code_expires_at > clock.now():
        until = f"{row.code_expires_at:%H:%M} UTC"
        effect = (
            f"NewStore takes its code until {until}, since disable_codes is off. Have it removed from {cart}"
        )
    else:
        effect = "its code has expired, and there is nothing to do"
    detail = f"{row.title}: cancelled by the program; {effect}."
    raise_alarm(row.program, AlarmKind.CANCELLED, detail, str(row.pk))
    queue_used_codes()


def member_changed(event: Event) -> None:
    """Let the adapter update what it keeps of the member. Pages read members from the vendor each time."""
    ref = read_hint(bytes(event.payload)).member_ref
    if ref:
        event.program.provider().note_member(ref)


def low_stock(event: Event) -> None:
    """Raise an alarm: an administrator must order more."""
    hint = read_hint(bytes(event.payload))
    raise_alarm(event.program, AlarmKind.LOW_STOCK, "reported by the provider", hint.provider_ref)


def catalogue_changed(event: Event) -> None:
    """Have pages and taps read the program's rewards and rules anew."""
    catalogues.drop(event.program.slug)


def not_understood(event: Event) -> None:
    """A body that the adapter did not understand has no name: an administrator must look at it."""
    raise PayloadError("body", "the adapter did not understand it; the provider must send it again")


NEWSTORE_HANDLERS: dict[str, Callable[[Event], None]] = {
    EventName.ORDER_CREATED: order_created,
    EventName.ORDER_OPENED: order_opened,
    EventName.ORDER_COMPLETED: order_completed,
    EventName.ORDER_CANCELLED: order_cancelled,
    EventName.ORDER_ITEMS_CANCELLED: order_items_cancelled,
    EventName.RETURN_PROCESSED: return_processed,
    EventName.REFUND_ISSUED: refund_issued,
}
FOUND_HANDLERS: dict[str, Callable[[Event], None]] = {ORDER_FOUND: order_found}
PROVIDER_HANDLERS: dict[str, Callable[[Event], None]] = {
    "": not_understood,
    WebhookName.SPEND_CANCELLED: spend_cancelled,
    WebhookName.MEMBER_CHANGED: member_changed,
    WebhookName.LOW_STOCK: low_stock,
    WebhookName.CATALOGUE_CHANGED: catalogue_changed,
}
