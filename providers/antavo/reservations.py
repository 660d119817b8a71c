"""Points as money: reserved while the code is in the cart, burned by the order's checkout.

Reservation and checkout have different ids, as in Antavo's Magento connector: whether they may share one is
untested. `orders.record_order` burns the reserved points. For an order that never earns they are burned here,
by a separate checkout over 0. The row's `order_id` names the checkout that burns.
"""

from datetime import timedelta

import structlog

from providers import clock
from providers.antavo import transactions
from providers.antavo.client import SETTLED_AFTER, Client
from providers.antavo.history import events_of
from providers.antavo.refusals import Refused
from providers.errors import OutcomeUnknown, Rejected, RejectReason, UnexpectedAnswer
from providers.journal.booking import book_release
from providers.journal.delivery import deliver
from providers.journal.models import OPEN, Write, WriteKind, WriteState
from providers.journal.spending import Found, Made
from providers.journal.states import confirm as confirm_spend
from providers.journal.states import end_wait, end_wait_by, wait_for
from providers.sales import Order, Spend

log = structlog.get_logger(__name__)
FORGOTTEN_AFTER = timedelta(days=3)


def reserve(client: Client, ref: str, key: str, points: int) -> None:
    """Hold `points` under our key. Sent once."""
    client.event("reserve_points", ref, {"transaction_id": key, "points": points})


def is_reserved(client: Client, ref: str, key: str) -> bool:
    """Return whether a reservation was made under our key at any time."""
    return _has_event(client, ref, "reserve_points", key)


def unreserve(client: Client, ref: str, key: str) -> None:
    """End the reservation under our key. A refusal is success where it had already ended, or never
    existed."""
    try:
        client.event("release_points", ref, {"transaction_id": key})
    except Refused:
        if is_reserved(client, ref, key) and not _has_event(client, ref, "release_points", key):
            raise


def confirm(client: Client, spend: Spend, order: Order) -> None:
    """The order is final. Its checkout will burn the points; if no checkout comes, or it already came, they
    are burned now."""
    row = client.journal.row_of(spend)
    if not confirm_spend(row):
        raise Rejected(RejectReason.NOT_ALLOWED, "nothing is held for this key")
    if row.order_id and row.order_id != row.key:
        return
    earns = order.earn_base.amount > 0 and order.earn_base.currency == client.config.currency
    if row.order_id or not earns or _is_checked_out(client, spend.member_ref, order.order_id):
        burn_alone(client, row)


def burn_alone(client: Client, row: Write) -> None:
    """Burn reserved points by a separate checkout. Safe to repeat."""
    if wait_for(row, row.key):
        unreserve(client, row.member_ref, row.key)
        data = {"transaction_id": row.key, "total": 0, "points_burned": row.points}
        found = transactions.check_out(client, row.member_ref, data)
        transactions.accept(client, row.member_ref, found)
        end_wait(row)


def burn_forgotten(client: Client) -> int:
    """Burn the points reserved for orders that were confirmed and never checked out, such as those of a
    channel that does not earn. Returns how many; safe to repeat. What Antavo refuses is not tried again."""
    forgotten = client.journal.writes(
        WriteKind.SPEND,
        state=WriteState.DONE,
        waits_for_order=True,
        confirmed_at__lt=clock.now() - FORGOTTEN_AFTER,
    )
    count = 0
    for row in forgotten.order_by("confirmed_at")[:100]:
        try:
            burn_alone(client, row)
            count += 1
        except Rejected as error:
            log.warning("reservation_not_burned", program=client.program, error=error.detail)
            end_wait(row)
        except (OutcomeUnknown, UnexpectedAnswer):
            continue  # it still waits, and the next time tells
    return count


def take_over(client: Client, spends: tuple[Spend, ...], order_id: str) -> int:
    """End the reservations of an order, so that its checkout can burn them; returns their points. Safe to
    repeat: what the order took over is counted again."""
    points = 0
    for spend in spends:
        if not spend.is_held:
            continue
        row = client.journal.row_of(spend)
        if end_wait_by(row, order_id):
            unreserve(client, spend.member_ref, spend.key)
            points += row.points or 0
    return points


def give_back(client: Client, row: Write) -> None:
    """Give points back, reserved or burned. Safe to repeat."""
    ref, checkout = row.member_ref, row.order_id
    found = transactions.read(client, ref, checkout) if checkout else None
    if found is None:
        unreserve(client, ref, row.key)
        return
    if checkout == row.key:
        found = transactions.undo(client, ref, found)
    if found.status == transactions.REJECTED:
        return
    if found.status == transactions.REFUNDED and client.settings.refund_returns_points:
        return
    action, names = client.names["point_unspend"], client.names

    def send() -> Made:
        data = {names["unspend_points"]: row.points, names["unspend_transaction"]: row.key}
        client.event(action, ref, data)
        return Made(ref=row.key)

    def look() -> Found:
        return Found(made=(Made(ref=row.key),) if _has_event(client, ref, action, row.key) else ())

    deliver(book_release(row, row.points or 0), send, look, SETTLED_AFTER)


def is_unspent(client: Client, order_id: str) -> bool:
    """Return whether points that this checkout burned were given back by a separate event."""
    return client.journal.writes(WriteKind.SPEND, order_id=order_id, state=WriteState.UNDONE).exists()


def _is_checked_out(client: Client, ref: str, order_id: str) -> bool:
    sales = client.journal.writes(WriteKind.SALE, key=order_id, state__in=OPEN)
    return sales.exists() or transactions.read(client, ref, order_id) is not None


def _has_event(client: Client, ref: str, action: str, key: str) -> bool:
    name = client.names["event_transaction"]
    return any(event.properties.get(name) == key for event in events_of(client, ref, action))
