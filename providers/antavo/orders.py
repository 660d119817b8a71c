"""Orders as checkouts: they earn, burn what was reserved for them, and are undone when cancelled.

Every checkout says when the sale was (`effective_timestamp`): events that waited for an outage to end would
count as made when they arrive otherwise.
"""

import uuid
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.utils import timezone

from providers.antavo import queue, reservations, transactions
from providers.antavo.answers import Refused
from providers.antavo.client import Client
from providers.antavo.fields import rows, table, text, whole
from providers.antavo.models import RefundRecord, RefundState
from providers.antavo.offers import cart_body
from providers.errors import AuthFailed, Rejected, Unavailable, UnexpectedAnswer
from providers.types import Cart, Order, PointsChange


def record_order(client: Client, order: Order) -> PointsChange:
    """Let the order earn, once per order id. Antavo decides later (None) while the checkout is pending or
    waits in our queue."""
    burned = reservations.take_over(client, order.spends, order.order_id)
    data = checkout_data(client, order, burned)
    # Points that are let go must be burned at once, so such an order never waits.
    if client.settings.orders == "queue" and not burned:
        queue.put(client, order, data)
        return PointsChange(points=None)
    is_first = queue.begin(client, order, data)
    try:
        found = transactions.check_out(client, order.member_ref, data)
    except (Rejected, AuthFailed, Unavailable):
        # It did not arrive. An earlier one, whose answer is lost, may still.
        if is_first:
            queue.end(client, order.order_id)
        raise
    queue.end(client, order.order_id)
    return PointsChange(points=None if found.status == transactions.PENDING else found.earned)


def cancel_order(client: Client, order: Order) -> PointsChange:
    """Take back all that the order earned; burned points come back with it. Safe to repeat."""
    if queue.drop(client, order.order_id):
        return PointsChange(points=0)
    ref, found = order.member_ref, transactions.read(client, order.member_ref, order.order_id)
    if found is None or found.status in transactions.UNDONE:
        return PointsChange(points=0)
    if found.status == transactions.PENDING:
        transactions.undo(client, ref, found)
        return PointsChange(points=0)
    _count, before = transactions.refunds_of(client, ref, order.order_id)
    if reservations.is_unspent(client, order.order_id):
        # A whole refund would give the burned points back a second time.
        refund_part(client, ref, order.order_id, found.total - refunded_amount(client, order.order_id))
    else:
        transactions.undo(client, ref, found)
    _count, after = transactions.refunds_of(client, ref, order.order_id)
    return PointsChange(points=after - before)


def preview_earn(client: Client, ref: str, cart: Cart) -> int | None:
    """Return what a checkout of this cart would earn, None without the module or in another currency."""
    if cart.total.currency != client.config.currency:
        return None
    # A name that is thrown away: whether the preview uses an id up is not documented.
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


def refunded_amount(client: Client, order_id: str) -> Decimal:
    """Return how much of the order's money our returns have refunded."""
    done = RefundRecord.objects.filter(program=client.program, order_id=order_id, state=RefundState.DONE)
    amount: Decimal | None = done.aggregate(Sum("amount"))["amount__sum"]
    return amount or Decimal(0)
