"""Orders and refunds: both are only received by Yotpo's answer, what they do to the points comes later.

Sources: loyaltyapi.yotpo.com/reference/create-order, /create-refund, support.yotpo.com (store-associate
managed loyalty). No page says what a second order of one id does, so an order is sent once, when it is
completed. A program may send it before as well (`order_sending`); the second is then taken for an update.
"""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Sum

from providers import clock, types
from providers.currencies import hundredths
from providers.dates import timestamp
from providers.errors import Rejected, RejectReason, Unavailable
from providers.types import Order, OrderLine, PointsChange, Return
from providers.yotpo import store
from providers.yotpo.client import Client, is_ok
from providers.yotpo.customers import email_of
from providers.yotpo.models import Refund, Spend, SpendState
from providers.yotpo.refs import identity_of
from providers.yotpo.spending import SETTLED_AFTER

LATER = PointsChange(points=None)


def confirm(client: Client, spend: types.Spend, order: Order) -> None:
    """Note that an order carries the code. Held points go with the order itself, when it is completed; where
    the program sends open orders, now."""
    row = store.get(client.program, spend.key)
    if row is None or row.state not in store.STANDING:
        raise Rejected(RejectReason.NOT_ALLOWED, "nothing stands under this key")
    if row.confirmed_at:
        return
    if client.settings.sends_open_orders:
        spends = [*order.spends, spend]
        _send(client, replace(order, spends=tuple(spends)), client.settings.open_status)
    elif row.state == SpendState.HELD and store.is_sent(client.program, order.order_id):
        raise Rejected(RejectReason.NOT_ALLOWED, "the order was sent before this code was known")
    store.confirm(row, clock.now())


def record_order(client: Client, order: Order) -> PointsChange:
    """Send the order in the status that earns."""
    _send_once(client, order, client.settings.earning_status)
    return LATER


def close_order(client: Client, order: Order) -> None:
    """Send an order that earns nothing in a status that does not earn, so that the held points of its codes
    go. Without one there is nothing to say."""
    if store.holds(client.program, [spend.key for spend in order.spends]):
        _send_once(client, order, client.settings.open_status)


def record_return(client: Client, ret: Return) -> PointsChange:
    """Send the refund once under its own id, never more than is left of the order."""
    return _refund(
        client,
        refund_id=ret.return_id,
        order_id=ret.order_id,
        sent_order_id=ret.reported_as or ret.order_id,
        amount_cents=hundredths(ret.net.amount, ret.net.currency),
        total_cents=hundredths(ret.order_earn_base.amount, ret.order_earn_base.currency),
        currency=ret.net.currency,
        lines=ret.lines,
        is_rest=ret.is_complete,
    )


def cancel_order(client: Client, order: Order) -> PointsChange:
    """Refund all that is left of the order."""
    total_cents = hundredths(order.earn_base.amount, order.earn_base.currency)
    return _refund(
        client,
        refund_id=f"cancelled-{order.order_id}",
        order_id=order.order_id,
        sent_order_id=order.order_id,
        amount_cents=total_cents,
        total_cents=total_cents,
        currency=order.earn_base.currency,
        lines=(),
        is_rest=True,
    )


def _send_once(client: Client, order: Order, status: str) -> None:
    if client.settings.sends_open_orders:
        _send(client, order, status)
        return
    sending = store.begin_order(client.program, order.order_id)
    if sending.sent_at is None:
        _send(client, order, status)
        store.mark_order_sent(sending)


def _send(client: Client, order: Order, status: str) -> None:
    codes = _codes(client, order.spends)
    # Before the order goes out: from here on its points may be on their way.
    store.note_order(client.program, [spend.key for spend in order.spends])
    body: dict[str, Any] = {
        "order_id": order.order_id,
        "customer_email": email_of(client, order.member_ref),
        "total_amount_cents": hundredths(order.earn_base.amount, order.earn_base.currency),
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


def _codes(client: Client, spends: Iterable[types.Spend]) -> tuple[str, ...]:
    """Return the codes of the spends that stand, each once. All of the order's go with every sending: whether
    a later one replaces the list or adds to it is not documented."""
    keys = [spend.key for spend in spends]
    rows = Spend.objects.filter(
        program=client.program, key__in=keys, state__in=[SpendState.HELD, SpendState.TAKEN]
    )
    return tuple(dict.fromkeys(rows.order_by("pk").values_list("code", flat=True)))


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
    *,
    refund_id: str,
    order_id: str,
    sent_order_id: str,
    amount_cents: int,
    total_cents: int,
    currency: str,
    lines: tuple[OrderLine, ...],
    is_rest: bool,
) -> PointsChange:
    wanted_cents = total_cents if is_rest else amount_cents
    row = _book(client.program, refund_id, order_id, wanted_cents, total_cents)
    if row is None:
        return PointsChange(points=0)
    if row.sent_at:
        return LATER
    if store.is_order_under_way(client.program, sent_order_id, SETTLED_AFTER):
        # A refund that overtakes its order takes nothing back, and the order would earn afterwards.
        raise Unavailable("the order may still be on its way")
    body: dict[str, Any] = {
        "id": refund_id,
        "order_id": sent_order_id,
        "total_amount_cents": row.amount_cents,
        # Must be that of the order, and is required where an account has several.
        "currency": currency,
    }
    # Cut to what is left of the order, by more than rounding, the amount would no longer fit the items.
    if lines and abs(row.amount_cents - amount_cents) <= len(lines):
        body["items"] = [{"id": item["id"], "quantity": item["quantity"]} for item in _items(lines, currency)]
    answer = client.post("/refunds", operation="send_refund", body=body)
    if not is_ok(answer):
        raise client.refusal(answer, not_found=RejectReason.NOT_ALLOWED)
    Refund.objects.filter(pk=row.pk, sent_at=None).update(sent_at=clock.now())
    return LATER


def _book(program: str, refund_id: str, order_id: str, amount_cents: int, total_cents: int) -> Refund | None:
    """Return the row of this refund, made now if it is new; None when nothing of the order is left to refund.
    Events of one order come one after another, so nobody books beside us."""
    with transaction.atomic():
        known = Refund.objects.filter(program=program, refund_id=refund_id).first()
        if known:
            return known
        booked = Refund.objects.filter(program=program, order_id=order_id).aggregate(
            cents=Sum("amount_cents")
        )
        amount_cents = min(amount_cents, total_cents - (booked["cents"] or 0))
        if amount_cents <= 0:
            return None
        return Refund.objects.create(
            program=program, order_id=order_id, refund_id=refund_id, amount_cents=amount_cents
        )
