"""Orders as checkouts: they earn, burn the points reserved for them, and are undone when cancelled.

Every checkout says when the sale was (`effective_timestamp`): events that waited for an outage to end would
count as made when they arrive otherwise. A checkout may be sent again at any time: Antavo takes each
transaction id once. The setting `orders` says whether checkouts wait (`waiting`).
"""

import uuid
from decimal import Decimal
from typing import Any

from django.utils import timezone

from providers import clock
from providers.antavo import feed, feed_delivery, reservations, transactions, waiting
from providers.antavo.client import Client, plain
from providers.antavo.fields import rows, table, text, whole
from providers.antavo.refusals import Refused
from providers.antavo.rewards import cart_body
from providers.errors import UnexpectedAnswer
from providers.journal import queue
from providers.journal.booking import refunded
from providers.journal.models import WriteKind, WriteState
from providers.sales import Order, PointsChange
from providers.types import Cart

LATER = PointsChange(points=None)
DONE = (WriteState.DONE,)


def record_order(client: Client, order: Order) -> PointsChange:
    """Let the order earn, once per order id. Antavo decides later (None) while the checkout is pending or
    waits in our queue."""
    burned = reservations.take_over(client, order.spends, order.order_id)
    data = checkout_data(client, order, burned)
    # Points whose reservation has ended must be burned at once, so such an order never waits.
    way = client.settings.orders
    waits = way != "now" and not burned
    due_at = feed_delivery.next_time(client) if way == "feed" else clock.now()
    sale, is_new = client.journal.open(
        WriteKind.SALE,
        order.order_id,
        order_id=order.order_id,
        member_ref=order.member_ref,
        amount=order.earn_base.amount,
        detail=plain(data),
        due_at=due_at if waits else None,
    )
    # A refused line of a file waits for a person.
    if sale.due_at or (not is_new and sale.state == WriteState.PLANNED and sale.lines.exists()):
        if is_new and way == "asynchronous" and queue.take(sale):
            waiting.hand_over(client, sale)
        return LATER
    waiting.check_out(client, sale, order.member_ref, data)
    return PointsChange(points=0 if sale.state == WriteState.VOID else sale.points)


def cancel_order(client: Client, order: Order) -> PointsChange:
    """Take back all points that the order earned; burned points come back with it. Safe to repeat."""
    sale = client.journal.get(WriteKind.SALE, order.order_id)
    if sale and (sale.state == WriteState.VOID or queue.drop(sale)):
        return PointsChange(points=0)
    if feed.goes_by_file(client, WriteKind.CANCEL, order.order_id, order.order_id):
        return feed.put_cancel(client, order)
    waiting.flush(client, order.order_id)
    ref, found = order.member_ref, transactions.read(client, order.member_ref, order.order_id)
    if found is None or found.status in transactions.UNDONE:
        return PointsChange(points=0)
    if found.status == transactions.PENDING:
        transactions.undo(client, ref, found)
        return PointsChange(points=0)
    _count, before = transactions.refunds_of(client, ref, order.order_id)
    if reservations.is_unspent(client, order.order_id):
        # A whole refund would give the burned points back a second time.
        left = found.total - refunded(client.journal, order.order_id, DONE)
        refund_part(client, ref, order.order_id, left)
    else:
        transactions.undo(client, ref, found)
    _count, after = transactions.refunds_of(client, ref, order.order_id)
    return PointsChange(points=after - before)


def preview_earn(client: Client, ref: str, cart: Cart) -> int | None:
    """Return the points that a checkout of this cart would earn, None without the module or in another
    currency."""
    if cart.total.currency != client.config.currency:
        return None
    # A random id: it is not documented whether the preview uses an id up.
    data = {"transaction_id": f"preview-{uuid.uuid4().hex}", "currency": cart.total.currency}
    if cart.store:
        data[client.names["store"]] = cart.store
    body = client.event_body("checkout", ref, {**data, **cart_body(cart)})
    try:
        answer = table(client.ask("/extensions/automation/campaign-bonus", "preview_earn", body))
    except Refused as refused:
        if refused.status == 404:
            return None
        raise
    if "data" not in answer:
        raise UnexpectedAnswer("preview_earn: no data")
    wanted = client.settings.account
    own = [row for row in rows(answer, "data", "accounts") if wanted and text(row.get("id")) == wanted]
    result = own[0] if own else table(answer.get("data"))
    return whole(table(result.get("purchase")).get("points"))


def checkout_data(client: Client, order: Order, burned: int) -> dict[str, Any]:
    """Return the data of the order's checkout. `total` is what was paid, after every discount."""
    data: dict[str, Any] = {
        "transaction_id": order.order_id,
        "total": order.earn_base.amount,
        "currency": order.earn_base.currency,
        "effective_timestamp": int(min(order.placed_at, timezone.now()).timestamp()),
        "items": [
            {
                "product_id": line.product_id,
                "quantity": line.quantity,
                "price": (line.net / max(line.quantity, 1)).quantize(Decimal("0.0001")),
                "subtotal": line.net,
            }
            for line in order.lines
        ],
    }
    if order.store:
        data[client.names["store"]] = order.store
    if burned:
        data["points_burned"] = burned
    return data


def refund_part(client: Client, ref: str, transaction_id: str, amount: Decimal) -> None:
    """Refund a part of an accepted transaction. Sent once; Antavo has no key for it."""
    data = {"transaction_id": transaction_id, client.names["refund_amount"]: amount}
    client.event("partial_refund", ref, data)
