"""Returns: a part of an accepted checkout is refunded, a pending one is made smaller or rejected.

Partial refunds have no key at Antavo. The refunds that were there before are counted when one is sent, and
the events of one order come one after another: one more than before means that ours arrived. A workspace that
rewards items takes returns item by item (setting `returns`).
"""

from collections.abc import Callable
from decimal import Decimal
from functools import partial

from providers.antavo import feed, transactions, waiting
from providers.antavo.client import SETTLED_AFTER, Client
from providers.antavo.orders import DONE, refund_part
from providers.errors import OutcomeUnknown, ProviderError
from providers.journal.booking import refunded
from providers.journal.delivery import deliver, resolve
from providers.journal.models import Write, WriteKind, WriteState
from providers.journal.spending import Found, Made
from providers.journal.states import advance, note
from providers.sales import PointsChange, Return

COUNT, POINTS = "count", "points"  # what `Write.shown_before` of a return holds


def record_return(client: Client, ret: Return) -> PointsChange:
    """Take back the points that the returned goods earned, once per return id."""
    if feed.goes_by_file(client, WriteKind.RETURN, ret.return_id, ret.order_id):
        return feed.put_return(client, ret)
    write, _is_new = client.journal.open(
        WriteKind.RETURN, ret.return_id, order_id=ret.order_id, member_ref=ret.member_ref
    )
    if write.state == WriteState.DONE:
        return PointsChange(points=write.points)
    # An order of the web shop has the id under which the shop reported it.
    checkout, ref = ret.reported_as or ret.order_id, ret.member_ref
    waiting.flush(client, checkout)
    resolve(write, _look_for(client, write, ref, checkout), SETTLED_AFTER)
    if write.state == WriteState.DONE:
        return PointsChange(points=write.points)
    found = transactions.read(client, ref, checkout)
    if found is None or found.status in transactions.UNDONE:
        return _noted(write, Decimal(0), 0)
    if found.status == transactions.ACCEPTED and _goes_by_item(client, ret):
        return _refund_items(client, write, ret, checkout)
    left = ret.order_earn_base.amount - refunded(client.journal, ret.order_id, DONE)
    amount = left if ret.is_complete else min(ret.net.amount, left)
    if amount <= 0:
        return _noted(write, Decimal(0), 0)
    if found.status == transactions.PENDING:
        _shrink(client, ref, found, left - amount)
        return _noted(write, amount, None)
    note(write, amount=amount)
    _deliver(client, write, ref, checkout, lambda: refund_part(client, ref, checkout, amount))
    return PointsChange(points=write.points)


def _look_for(client: Client, write: Write, ref: str, checkout: str) -> Callable[[], Found]:
    """Return a function that finds the refund of `write`: there is one more than before it was sent."""

    def look() -> Found:
        before = write.shown_before or {}
        count, points = transactions.refunds_of(client, ref, checkout)
        if count <= before.get(COUNT, 0):
            return Found()
        return Found(made=(Made(ref=write.key, points=points - before.get(POINTS, 0)),))

    return look


def _deliver(client: Client, write: Write, ref: str, checkout: str, refund: Callable[[], None]) -> None:
    """Send the refund of `write` once."""

    def shown() -> dict[str, int]:
        counted = transactions.refunds_of(client, ref, checkout)
        return dict(zip((COUNT, POINTS), counted, strict=True))

    def send() -> Made:
        refund()
        try:
            _count, after = transactions.refunds_of(client, ref, checkout)
        except ProviderError as error:
            raise OutcomeUnknown("refunded, and its points cannot be read") from error
        return Made(ref=write.key, points=after - (write.shown_before or {})[POINTS])

    deliver(write, send, _look_for(client, write, ref, checkout), SETTLED_AFTER, before=shown)


def _goes_by_item(client: Client, ret: Return) -> bool:
    """Return whether the return is refunded item by item: not the rest of an order, which has parts that are
    no goods, and not one whose amount was cut."""
    if client.settings.returns != "items" or ret.is_complete or not ret.lines:
        return False
    return sum(line.net for line in ret.lines) == ret.net.amount


def _refund_items(client: Client, write: Write, ret: Return, checkout: str) -> PointsChange:
    """Refund each returned product by an event of its own, each once. The return is done when all are."""
    names, total = client.names, 0
    for number, (product, (quantity, net)) in enumerate(sorted(_goods(ret).items()), 1):
        part, _is_new = client.journal.open(
            WriteKind.RETURN,
            f"{ret.return_id}:{number}",
            order_id=ret.order_id,
            member_ref=ret.member_ref,
            amount=net,
        )
        data = {
            "transaction_id": checkout,
            names["item_product"]: product,
            names["item_quantity"]: quantity,
            names["item_amount"]: net,
        }
        send = partial(client.event, names["refund_item"], ret.member_ref, data)
        _deliver(client, part, ret.member_ref, checkout, send)
        total += part.points or 0
    return _noted(write, Decimal(0), total)  # the parts have the amounts


def _goods(ret: Return) -> dict[str, tuple[int, Decimal]]:
    """Return quantity and amount of each returned product."""
    found: dict[str, tuple[int, Decimal]] = {}
    for line in ret.lines:
        quantity, net = found.get(line.product_id, (0, Decimal(0)))
        found[line.product_id] = (quantity + line.quantity, net + line.net)
    return found


def _shrink(client: Client, ref: str, found: transactions.Transaction, total: Decimal) -> None:
    """Lower the pending checkout to `total`, or reject it when no amount is left. Safe to repeat."""
    if total <= 0:
        transactions.undo(client, ref, found)
        return
    data = {"transaction_id": found.transaction_id, client.names["update_total"]: total}
    client.event("checkout_update", ref, data)


def _noted(write: Write, amount: Decimal, points: int | None) -> PointsChange:
    advance(write, WriteState.PLANNED, WriteState.DONE, amount=amount, points=points)
    return PointsChange(points=points)
