"""Orders as checkouts: they earn, burn the points reserved for them, and are undone when cancelled.

Every checkout says when the sale was (`effective_timestamp`): events that waited for an outage to end would
count as made when they arrive otherwise. A checkout may be sent again at any time: Antavo takes each
transaction id once. With the setting `orders = "queue"` checkouts wait and are sent in bulk.
"""

import uuid
from decimal import Decimal
from typing import Any

from django.utils import timezone

from providers import clock
from providers.antavo import reservations, transactions
from providers.antavo.client import SETTLED_AFTER, Client, plain
from providers.antavo.fields import rows, table, text, whole
from providers.antavo.refusals import TRANSACTION_USED, WORKFLOW_INTERRUPTED, Refused, read_envelope
from providers.antavo.rewards import cart_body
from providers.errors import ProviderError, Unavailable, UnexpectedAnswer
from providers.journal import queue
from providers.journal.booking import refunded
from providers.journal.delivery import deliver
from providers.journal.models import Write, WriteKind, WriteState
from providers.journal.spending import Made
from providers.journal.states import note
from providers.sales import Order, PointsChange
from providers.types import Cart

BULK = 50  # more is not refused, but slower (docs/contracts/antavo.md 3.2)
LATER = PointsChange(points=None)
DONE = (WriteState.DONE,)


def record_order(client: Client, order: Order) -> PointsChange:
    """Let the order earn, once per order id. Antavo decides later (None) while the checkout is pending or
    waits in our queue."""
    burned = reservations.take_over(client, order.spends, order.order_id)
    data = checkout_data(client, order, burned)
    # Points whose reservation has ended must be burned at once, so such an order never waits.
    waits = client.settings.orders == "queue" and not burned
    sale, _is_new = client.journal.open(
        WriteKind.SALE,
        order.order_id,
        order_id=order.order_id,
        member_ref=order.member_ref,
        amount=order.earn_base.amount,
        detail=plain(data),
        due_at=clock.now() if waits else None,
    )
    if sale.due_at:
        return LATER
    deliver(sale, lambda: _check_out(client, order.member_ref, data), None, SETTLED_AFTER)
    if sale.state == WriteState.DONE:
        _finish(client, sale)
    return PointsChange(points=0 if sale.state == WriteState.VOID else sale.points)


def cancel_order(client: Client, order: Order) -> PointsChange:
    """Take back all points that the order earned; burned points come back with it. Safe to repeat."""
    sale = client.journal.get(WriteKind.SALE, order.order_id)
    if sale and (sale.state == WriteState.VOID or queue.drop(sale)):
        return PointsChange(points=0)
    flush(client, order.order_id)
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


def flush(client: Client, order_id: str) -> None:
    """Send the order's checkout now, if it waits or its answer is lost: what comes after it must find it.
    Raise Unavailable when that does not work."""
    sale = client.journal.get(WriteKind.SALE, order_id)
    if sale is None or sale.state not in (WriteState.PLANNED, WriteState.SENT):
        return
    if sale.due_at is None:
        deliver(sale, lambda: _check_out(client, sale.member_ref, sale.detail), None, SETTLED_AFTER)
        _finish(client, sale)
    elif not queue.take(sale) or not _send_in_bulk(client, [sale]):
        raise Unavailable("the order's checkout still waits in our queue")


def send_due(client: Client) -> tuple[int, int]:
    """Send up to BULK due checkouts; returns how many were taken and how many not. Raises ProviderError
    when the request as a whole failed: its rows stay in the queue."""
    sales = queue.take_due(client.journal, WriteKind.SALE, BULK)
    taken = _send_in_bulk(client, sales)
    return taken, len(sales) - taken


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


def _check_out(client: Client, ref: str, data: dict[str, Any]) -> Made:
    found = transactions.check_out(client, ref, data)
    points = None if found.status == transactions.PENDING else found.earned
    return Made(ref=found.transaction_id, points=points)


def _finish(client: Client, sale: Write) -> None:
    """Accept a checkout that Antavo has, where that is ours to do. May be repeated: a refusal does not mean
    that the checkout did not arrive."""
    points = sale.points
    if points is None and client.settings.accepts_checkouts:
        found = transactions.read(client, sale.member_ref, sale.key)
        found = found and transactions.accept(client, sale.member_ref, found)
        points = found.earned if found and found.status == transactions.ACCEPTED else None
    if sale.detail or points != sale.points:
        note(sale, points=points, detail={})  # the bought goods are no longer needed


def _send_in_bulk(client: Client, sales: list[Write]) -> int:
    """Send checkouts that this process took from the queue; return how many Antavo has now."""
    if not sales:
        return 0
    bodies = [client.event_body("checkout", sale.member_ref, sale.detail) for sale in sales]
    try:
        results = client.events(bodies)
    except ProviderError as error:
        for sale in sales:
            queue.postpone(sale, type(error).__name__)
        raise
    taken = 0
    for sale, result in zip(sales, results, strict=True):
        envelope = read_envelope(result)
        if envelope and envelope.code not in (TRANSACTION_USED, WORKFLOW_INTERRUPTED):
            queue.postpone(sale, f"code {envelope.code}")
            continue
        queue.done(sale)
        taken += 1
        _finish(client, sale)
    return taken
