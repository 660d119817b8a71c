"""Purchases and refunds. Stampcard takes each of them once by its id, so a lost answer is asked for again."""

from providers.answers import Json
from providers.currencies import hundredths
from providers.errors import Unavailable
from providers.journal.delivery import deliver, is_under_way
from providers.journal.models import Write, WriteKind
from providers.journal.spending import Made
from providers.outbound.exchange import segment
from providers.sales import Order, PointsChange, Return
from providers.types import Money
from tests.providers.stampcard.client import Client, stamps
from tests.providers.stampcard.spending import SETTLED_AFTER

NOTHING = PointsChange(points=0)


def record_order(client: Client, order: Order) -> PointsChange:
    """Report the purchase; the answer is how many stamps it brought."""
    if client.journal.get(WriteKind.CANCEL, order.order_id):
        return NOTHING
    write, _is_new = client.journal.open(WriteKind.SALE, order.order_id, **_columns(order, order.earn_base))
    body = {"id": order.order_id, "customer": order.member_ref, "amount": _amount(order.earn_base)}
    return _report(client, write, "/purchases", body)


def record_return(client: Client, ret: Return) -> PointsChange:
    """Take stamps back: Stampcard counts them in proportion, and never more than the purchase brought."""
    if not _was_told(client, ret.order_id):
        return NOTHING
    write, _is_new = client.journal.open(WriteKind.RETURN, ret.return_id, **_columns(ret, ret.net))
    body = {"id": ret.return_id, "amount": _amount(ret.net), "is_last": ret.is_complete}
    return _report(client, write, f"/purchases/{segment(ret.order_id)}/refunds", body)


def cancel_order(client: Client, order: Order) -> PointsChange:
    """Take back all that the order brought."""
    write, _is_new = client.journal.open(WriteKind.CANCEL, order.order_id, **_columns(order, order.earn_base))
    if not _was_told(client, order.order_id):
        return NOTHING
    body = {"id": f"cancel-{order.order_id}", "amount": _amount(order.earn_base), "is_last": True}
    return _report(client, write, f"/purchases/{segment(order.order_id)}/refunds", body)


def _was_told(client: Client, order_id: str) -> bool:
    """Return whether Stampcard may know the purchase. Raise Unavailable while it is on its way."""
    sale = client.journal.get(WriteKind.SALE, order_id)
    if is_under_way(sale, SETTLED_AFTER):
        raise Unavailable("the purchase is on its way")
    return sale is not None


def _report(client: Client, write: Write, path: str, body: Json) -> PointsChange:
    def send() -> Made:
        answer = client.send("POST", path, body, operation=f"report_{write.kind}")
        return Made(ref=write.key, points=stamps(answer))

    deliver(write, send, None, SETTLED_AFTER)
    return PointsChange(points=write.points)


def _columns(about: Order | Return, money: Money) -> Json:
    return {"order_id": about.order_id, "member_ref": about.member_ref, "amount": money.amount}


def _amount(money: Money) -> Json:
    return {"cents": hundredths(money.amount, money.currency), "currency": money.currency}
