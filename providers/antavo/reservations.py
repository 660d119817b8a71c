"""Points as money: reserved while the code is in the cart, burned by the order's checkout.

Reservation and checkout have different ids, as in Antavo's Magento connector: whether they may share one is
untested. `orders.record_order` burns what is reserved; an order that never earns burns here, by a checkout
of its own over nothing.
"""

from datetime import timedelta

from providers import clock
from providers.antavo import records, transactions
from providers.antavo.answers import Refused
from providers.antavo.client import Client
from providers.antavo.history import events_of
from providers.antavo.models import QueuedCheckout, SpendRecord, SpendState
from providers.errors import Rejected, RejectReason
from providers.types import Order, Spend, SpendKind

FORGOTTEN_AFTER = timedelta(days=3)


def reserve(client: Client, ref: str, key: str, points: int) -> None:
    """Hold `points` under our key. Sent once."""
    client.event("reserve_points", ref, {"transaction_id": key, "points": points})


def is_reserved(client: Client, ref: str, key: str) -> bool:
    """Return whether a reservation was ever made under our key."""
    return _has_event(client, ref, "reserve_points", key)


def unreserve(client: Client, ref: str, key: str) -> None:
    """Let go what is held under our key. Refused is success where it was let go before, or never held."""
    try:
        client.event("release_points", ref, {"transaction_id": key})
    except Refused:
        if is_reserved(client, ref, key) and not _has_event(client, ref, "release_points", key):
            raise


def confirm(client: Client, spend: Spend, order: Order) -> None:
    """The order is real. Its checkout will burn the points; where none will come, or it came already,
    they are burned now."""
    record = _record(client, spend)
    if record.state != SpendState.DONE:
        raise Rejected(RejectReason.NOT_ALLOWED, "nothing is held for this key")
    if record.transaction_id and record.transaction_id != record.key:
        return
    SpendRecord.objects.filter(pk=record.pk, confirmed_at=None).update(confirmed_at=clock.now())
    earns = order.earn_base.amount > 0 and order.earn_base.currency == client.config.currency
    if record.transaction_id or not earns or _is_checked_out(client, spend.member_ref, order.order_id):
        burn_alone(client, record)


def burn_alone(client: Client, record: SpendRecord) -> None:
    """Burn reserved points by a checkout of their own. Safe to repeat."""
    loose = SpendRecord.objects.filter(
        pk=record.pk, state=SpendState.DONE, transaction_id__in=["", record.key]
    )
    if loose.update(transaction_id=record.key):
        unreserve(client, record.member_ref, record.key)
        data = {"transaction_id": record.key, "total": 0, "points_burned": record.points}
        transactions.check_out(client, record.member_ref, data)


def burn_forgotten(client: Client) -> int:
    """Burn what was reserved for orders that were confirmed and never checked out: those of a channel that
    does not earn, for one. Returns how many; safe to repeat."""
    forgotten = SpendRecord.objects.filter(
        program=client.program,
        state=SpendState.DONE,
        transaction_id="",
        confirmed_at__lt=clock.now() - FORGOTTEN_AFTER,
    )
    count = 0
    for record in forgotten.order_by("confirmed_at")[:100]:
        burn_alone(client, record)
        count += 1
    return count


def take_over(client: Client, spends: tuple[Spend, ...], transaction_id: str) -> int:
    """Let go the reservations of an order, so that its checkout can burn them; returns their points. Safe to
    repeat: what the order took over is counted again."""
    points = 0
    for spend in spends:
        if spend.memo.get("way") != records.RESERVE:
            continue
        record = _record(client, spend)
        mine = SpendRecord.objects.filter(
            pk=record.pk, state=SpendState.DONE, transaction_id__in=["", transaction_id]
        )
        if mine.update(transaction_id=transaction_id):
            unreserve(client, spend.member_ref, spend.key)
            points += record.points
    return points


def give_back(client: Client, spend: Spend) -> None:
    """Give points back, reserved or burned. Safe to repeat."""
    record = _record(client, spend)
    if record.state != SpendState.DONE:
        return
    ref, checkout = spend.member_ref, record.transaction_id
    found = transactions.read(client, ref, checkout) if checkout else None
    if found is None:
        unreserve(client, ref, spend.key)
        return
    if checkout == spend.key:
        found = transactions.undo(client, ref, found)
    is_back = found.status == transactions.REJECTED or (
        found.status == transactions.REFUNDED and client.settings.refund_returns_points
    )
    action = client.names["point_unspend"]
    if not is_back and not _has_event(client, ref, action, spend.key):
        names = client.names
        data = {names["unspend_points"]: record.points, names["unspend_transaction"]: spend.key}
        with records.sending_back(client.program, spend.key):
            client.event(action, ref, data)


def is_unspent(client: Client, transaction_id: str) -> bool:
    """Return whether points that this checkout burned were given back by themselves."""
    return SpendRecord.objects.filter(
        program=client.program, transaction_id=transaction_id, state=SpendState.RELEASED
    ).exists()


def _record(client: Client, spend: Spend) -> SpendRecord:
    """Return our record; a lost one (a restored database) is written again from the spend."""
    record, _ = SpendRecord.objects.get_or_create(
        program=client.program,
        key=spend.key,
        defaults={
            "member_ref": spend.member_ref,
            "kind": SpendKind.POINTS.value,
            "item_id": "points",
            "points": spend.points,
            "state": SpendState.DONE,
            "provider_ref": spend.provider_ref,
        },
    )
    return record


def _is_checked_out(client: Client, ref: str, order_id: str) -> bool:
    queued = QueuedCheckout.objects.filter(program=client.program, transaction_id=order_id)
    return queued.exists() or transactions.read(client, ref, order_id) is not None


def _has_event(client: Client, ref: str, action: str, key: str) -> bool:
    name = client.names["event_transaction"]
    return any(event.properties.get(name) == key for event in events_of(client, ref, action))
