"""Refunds: goods that came back, and cancelled orders. Yotpo's answer says only "received".

Source: loyaltyapi.yotpo.com/reference/create-refund. A refund has an id of ours; sent again under it after a
lost answer, it is taken to count once. A refund that overtakes its order would take nothing back, and the
order would earn afterwards: it waits for its order, or reduces what is sent.
"""

from collections.abc import Sequence
from typing import Any

from providers.errors import RejectReason
from providers.journal.booking import book_refund
from providers.journal.delivery import deliver
from providers.journal.models import Write, WriteKind, WriteState
from providers.journal.states import advance
from providers.sales import Order, PointsChange, Return
from providers.yotpo.arrival import is_at_yotpo
from providers.yotpo.client import Client, is_ok
from providers.yotpo.orders import LATER, NOTHING, in_cents, items_of
from providers.yotpo.spending import SETTLED_AFTER


def record_return(client: Client, ret: Return) -> PointsChange:
    """Send the refund once under its own id, never more than is left of the order."""
    total, net = in_cents(ret.order_earn_base), in_cents(ret.net)
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
        return NOTHING
    # An amount that is reduced by more than rounding does not fit the items.
    is_cut = abs((refund.amount or 0) - net) * 100 > len(ret.lines)
    items = () if is_cut else items_of(ret.lines, ret.net.currency)
    sent_order_id = ret.reported_as or ret.order_id
    return _refund(client, refund, ret.return_id, sent_order_id, ret.net.currency, items)


def cancel_order(client: Client, order: Order) -> PointsChange:
    """Refund all that is left of the order."""
    total = in_cents(order.earn_base)
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
        return NOTHING
    refund_id = f"cancelled-{order.order_id}"
    return _refund(client, refund, refund_id, order.order_id, order.earn_base.currency)


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
    sale = client.journal.get(WriteKind.SALE, order_id)
    if sale and not is_at_yotpo(client, sale) and refund.state == WriteState.PLANNED:
        # Yotpo does not have the order: it is sent without what came back.
        advance(refund, WriteState.PLANNED, WriteState.DONE)
        return LATER
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
