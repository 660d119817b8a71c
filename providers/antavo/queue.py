"""Checkouts that wait and are sent in bulk, for programs with the setting `orders = "queue"`; and those that
are sent at once, as long as their answer is not there.

A checkout may be sent again at any time: Antavo takes each transaction id once.
"""

from datetime import timedelta
from typing import Any

from django.db.models import F

from providers import clock
from providers.antavo import transactions
from providers.antavo.answers import TRANSACTION_USED, WORKFLOW_INTERRUPTED, read_envelope
from providers.antavo.client import Client, plain
from providers.antavo.models import QueuedCheckout
from providers.errors import ProviderError, Unavailable
from providers.types import Order

BULK = 50  # more is not refused, but slower (docs/contracts/antavo.md 3.2)
LEASE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=1)


def put(client: Client, order: Order, data: dict[str, Any]) -> None:
    """Keep the order's checkout until it is sent. Once per order."""
    QueuedCheckout.objects.get_or_create(
        program=client.program,
        transaction_id=order.order_id,
        defaults={"member_ref": order.member_ref, "data": plain(data), "due_at": clock.now()},
    )


def begin(client: Client, order: Order, data: dict[str, Any]) -> bool:
    """Keep the order's checkout while it is sent at once; returns whether it was not sent before. One whose
    answer is lost stays: `drop` sends it for certain, so that it cannot arrive after its cancellation."""
    rows = QueuedCheckout.objects.filter(program=client.program, transaction_id=order.order_id)
    is_new = not rows.exists()
    row = QueuedCheckout(
        program=client.program,
        transaction_id=order.order_id,
        member_ref=order.member_ref,
        data=plain(data),
        attempts=1,
    )
    # Another process may keep the same order, or forget it, at this moment: neither is an error.
    QueuedCheckout.objects.bulk_create([row], ignore_conflicts=True)
    return is_new


def end(client: Client, order_id: str) -> None:
    """Forget the order's checkout: what became of it is known."""
    QueuedCheckout.objects.filter(
        program=client.program, transaction_id=order_id, sent_at=None, attempts__gt=0
    ).delete()


def send_due(client: Client) -> tuple[int, int]:
    """Send up to BULK due checkouts; returns how many were taken and how many not. Raises ProviderError
    when the request as a whole failed: its rows stay in the queue."""
    due = QueuedCheckout.objects.filter(program=client.program, sent_at=None, due_at__lte=clock.now())
    rows = [row for row in due.order_by("due_at", "pk")[:BULK] if _lease(row)]
    return _send(client, rows)


def flush(client: Client, order_id: str) -> None:
    """Send the order's checkout now if it still waits; raise Unavailable when that does not work."""
    row = _waiting(client, order_id)
    if row is None:
        return
    if not _lease(row) or not _send(client, [row])[0]:
        raise Unavailable("the order's checkout still waits in our queue")


def drop(client: Client, order_id: str) -> bool:
    """Take the order's checkout out of the queue; returns whether it was never sent. One that was tried may
    have landed: it is sent for certain, so that it can be undone."""
    row = _waiting(client, order_id)
    if row is None:
        return False
    if row.attempts == 0:
        deleted, _ = QueuedCheckout.objects.filter(pk=row.pk, attempts=0, sent_at=None).delete()
        if deleted:
            return True
    flush(client, order_id)
    return False


def _waiting(client: Client, order_id: str) -> QueuedCheckout | None:
    return QueuedCheckout.objects.filter(
        program=client.program, transaction_id=order_id, sent_at=None
    ).first()


def _lease(row: QueuedCheckout) -> bool:
    """Take the row for LEASE; returns whether nobody else did."""
    until = clock.now() + LEASE
    mine = QueuedCheckout.objects.filter(pk=row.pk, due_at=row.due_at, sent_at=None)
    taken = mine.update(due_at=until, attempts=F("attempts") + 1)
    row.due_at, row.attempts = until, row.attempts + 1
    return taken == 1


def _send(client: Client, rows: list[QueuedCheckout]) -> tuple[int, int]:
    if not rows:
        return 0, 0
    bodies = [client.event_body("checkout", row.member_ref, row.data) for row in rows]
    try:
        results = client.events(bodies)
    except ProviderError as error:
        for row in rows:
            _postpone(row, type(error).__name__)
        raise
    taken = 0
    for row, result in zip(rows, results, strict=True):
        envelope = read_envelope(result)
        if envelope and envelope.code not in (TRANSACTION_USED, WORKFLOW_INTERRUPTED):
            _postpone(row, f"code {envelope.code}")
            continue
        QueuedCheckout.objects.filter(pk=row.pk).update(
            sent_at=clock.now(), due_at=None, last_error=""
        )  # fmt: skip
        taken += 1
        if client.settings.accepts_checkouts:
            _accept(client, row)
    return taken, len(rows) - taken


def _accept(client: Client, row: QueuedCheckout) -> None:
    found = transactions.read(client, row.member_ref, row.transaction_id)
    if found:
        transactions.accept(client, row.member_ref, found)


def _postpone(row: QueuedCheckout, error: str) -> None:
    pause = min(timedelta(seconds=30) * 2 ** min(row.attempts, 10), LONGEST_PAUSE)
    QueuedCheckout.objects.filter(pk=row.pk, sent_at=None).update(
        due_at=clock.now() + pause, last_error=error
    )  # fmt: skip
