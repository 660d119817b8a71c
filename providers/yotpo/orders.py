"""Orders and refunds: both are only received by Yotpo's answer, what they do to the points comes later.

Sources: loyaltyapi.yotpo.com/reference/create-order, /create-refund, support.yotpo.com (store-associate
managed loyalty). No page says what a second order of one id does, so an order is sent once, when it is
completed. A program may send it before as well (`order_sending`); the second is then taken for an update.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from providers.currencies import hundredths
from providers.dates import timestamp
from providers.errors import Rejected, RejectReason, Unavailable
from providers.journal.booking import book_refund
from providers.journal.delivery import deliver, is_under_way
from providers.journal.models import Write, WriteKind, WriteState
from providers.journal.states import confirm as confirm_spend
from providers.sales import Order, OrderLine, PointsChange, Return, Spend
from providers.types import Money
from providers.yotpo.client import Client, is_ok
from providers.yotpo.customers import email_of
from providers.yotpo.holds import is_held, note_order
from providers.yotpo.refs import identity_of
from providers.yotpo.spending import SETTLED_AFTER

LATER = PointsChange(points=None)
NOTHING_LEFT = PointsChange(points=0)


def confirm(client: Client, spend: Spend, order: Order) -> None:
    """Note that an order carries the code. Held points go with the order itself, when it is completed; where
    the program sends open orders, now."""
    row = client.journal.get(WriteKind.SPEND, spend.key)
    if row is None or row.state != WriteState.DONE:
        raise Rejected(RejectReason.NOT_ALLOWED, "nothing stands under this key")
    if row.confirmed_at:
        return
    if client.settings.sends_open_orders:
        _send(client, replace(order, spends=(*order.spends, spend)), client.settings.open_status)
    elif is_held(row) and _was_sent(client, order.order_id):
        raise Rejected(RejectReason.NOT_ALLOWED, "the order was sent before this code was known")
    confirm_spend(row, order.order_id)


def record_order(client: Client, order: Order) -> PointsChange:
    """Send the order in the status that earns."""
    _send_once(client, order, client.settings.earning_status)
    return LATER


def close_order(client: Client, order: Order) -> None:
    """Send an order that earns nothing in a status that does not earn, so that the held points of its codes
    go. Without one there is nothing to say."""
    if any(is_held(row) for row in _redemptions(client, order.spends)):
        _send_once(client, order, client.settings.open_status)


def record_return(client: Client, ret: Return) -> PointsChange:
    """Send the refund once under its own id, never more than is left of the order."""
    total, net = _in_cents(ret.order_earn_base), _in_cents(ret.net)
    refund = book_refund(
        client.journal,
        WriteKind.RETURN,
        ret.return_id,
        ret.order_id,
        amount=total if ret.is_complete else net,
        total=total,
        member_ref=ret.member_ref,
    )
    if refund is None:
        return NOTHING_LEFT
    # An amount that is reduced by more than rounding does not fit the items.
    is_cut = abs((refund.amount or 0) - net) * 100 > len(ret.lines)
    items = () if is_cut else _items(ret.lines, ret.net.currency)
    sent_order_id = ret.reported_as or ret.order_id
    return _refund(client, refund, ret.return_id, sent_order_id, ret.net.currency, items)


def cancel_order(client: Client, order: Order) -> PointsChange:
    """Refund all that is left of the order."""
    total = _in_cents(order.earn_base)
    refund = book_refund(
        client.journal,
        WriteKind.CANCEL,
        order.order_id,
        order.order_id,
        amount=total,
        total=total,
        member_ref=order.member_ref,
    )
    if refund is None:
        return NOTHING_LEFT
    refund_id = f"cancelled-{order.order_id}"
    return _refund(client, refund, refund_id, order.order_id, order.earn_base.currency)


def _send_once(client: Client, order: Order, status: str) -> None:
    """Send a completed order, unless Yotpo has received it."""
    sale, _is_new = client.journal.open(
        WriteKind.SALE,
        order.order_id,
        order_id=order.order_id,
        member_ref=order.member_ref,
        amount=_in_cents(order.earn_base),
        store=order.store,
    )
    # Sent again under its id after a lost answer, it is taken to earn once.
    deliver(sale, lambda: _send(client, order, status), None, SETTLED_AFTER)


def _was_sent(client: Client, order_id: str) -> bool:
    """Return whether the order went out, or may have."""
    sale = client.journal.get(WriteKind.SALE, order_id)
    return sale is not None and sale.state != WriteState.PLANNED


def _redemptions(client: Client, spends: Iterable[Spend]) -> "QuerySet[Write]":
    """Return the rows of those spends that stand."""
    keys = [spend.key for spend in spends]
    return client.journal.writes(WriteKind.SPEND, key__in=keys, state=WriteState.DONE)


def _send(client: Client, order: Order, status: str) -> None:
    # All codes go with every sending: whether a later one replaces the list or adds to it is not documented.
    codes = dict.fromkeys(row.vendor_ref for row in _redemptions(client, order.spends))
    # Before the order goes out: from here on its points may be on their way.
    note_order(client.journal, [spend.key for spend in order.spends])
    body: dict[str, Any] = {
        "order_id": order.order_id,
        "customer_email": email_of(client, order.member_ref),
        "total_amount_cents": _cents(order.earn_base),
        "currency_code": order.earn_base.currency,
        "created_at": timestamp(order.placed_at),
        "channel_type": "offline",
        # Both are required, and say nothing about a till: the checks on them are switched off.
        "ip_address": "0.0.0.0",  # noqa: S104 - a placeholder, nothing listens
        "user_agent": "LoyaltyView",
        "ignore_ip_ua": True,
        "items": _items(order.lines, order.earn_base.currency),
    }
    identity = identity_of(client.program, order.member_ref)
    place = client.settings.stores.get(order.store, {})
    optional = {
        "customer_id": identity.get("customer_id", ""),
        "status": status,
        "coupon_code": ",".join(codes),
        "clerk_employee_id": order.associate_id,
        **{f"store_{name}": text for name, text in place.items()},
    }
    body |= {name: value for name, value in optional.items() if value}
    answer = client.post("/orders", operation="send_order", body=body)
    if not is_ok(answer):
        raise client.refusal(answer)


def _items(lines: tuple[OrderLine, ...], currency: str) -> list[dict[str, Any]]:
    """Return the lines by product: Yotpo's product rules and item refunds name a product, and the till lists
    each unit by itself."""
    merged: dict[str, tuple[int, Decimal]] = {}
    for line in lines:
        quantity, net = merged.get(line.product_id, (0, Decimal(0)))
        merged[line.product_id] = (quantity + line.quantity, net + line.net)
    return [
        {
            "id": product_id,
            "name": product_id,
            "quantity": quantity,
            "price_cents": hundredths(net / quantity, currency),
        }
        for product_id, (quantity, net) in merged.items()
        if quantity > 0
    ]


def _refund(
    client: Client,
    refund: Write,
    refund_id: str,
    order_id: str,
    currency: str,
    items: Sequence[dict[str, Any]] = (),
) -> PointsChange:
    if refund.state == WriteState.DONE:
        return LATER
    if is_under_way(client.journal.get(WriteKind.SALE, order_id), SETTLED_AFTER):
        # A refund that overtakes its order takes nothing back, and the order would earn afterwards.
        raise Unavailable("the order may still be on its way")
    body: dict[str, Any] = {
        "id": refund_id,
        "order_id": order_id,
        "total_amount_cents": int((refund.amount or 0) * 100),
        # Must be that of the order, and is required where an account has several.
        "currency": currency,
    }
    if items:
        body["items"] = [{"id": item["id"], "quantity": item["quantity"]} for item in items]

    def send() -> None:
        answer = client.post("/refunds", operation="send_refund", body=body)
        if not is_ok(answer):
            raise client.refusal(answer, not_found=RejectReason.NOT_ALLOWED)

    # Sent again under its id after a lost answer, it is taken to count once.
    deliver(refund, send, None, SETTLED_AFTER)
    return LATER


def _cents(money: Money) -> int:
    return hundredths(money.amount, money.currency)


def _in_cents(money: Money) -> Decimal:
    """Return the amount, rounded to cents."""
    return Decimal(_cents(money)) / 100
