"""Checkouts that wait: sent later in bulk, or handed to the Async Events API and asked for later.

Antavo takes each transaction id once, so a checkout whose outcome is not known may be sent again in whichever
way (docs/contracts/antavo.md 3.7).
"""

from collections.abc import Mapping
from typing import Any

from providers.antavo import transactions
from providers.antavo.asynchronous import PROCESSED, REFUSED, AsyncEvents
from providers.antavo.client import SETTLED_AFTER, Client
from providers.antavo.refusals import TRANSACTION_USED, WORKFLOW_INTERRUPTED, read_envelope
from providers.errors import ProviderError, Unavailable
from providers.journal import queue
from providers.journal.delivery import deliver
from providers.journal.models import Write, WriteKind, WriteState
from providers.journal.spending import Made
from providers.journal.states import note

BULK = 50  # more is not refused, but slower (docs/contracts/antavo.md 3.2)
TAKEN = (TRANSACTION_USED, WORKFLOW_INTERRUPTED)


def send_due(client: Client) -> tuple[int, int]:
    """Send up to BULK due checkouts, or ask what became of them; return how many Antavo has now, and how many
    not. Raises ProviderError when a request as a whole failed: its rows stay in the queue."""
    sales = queue.take_due(client.journal, WriteKind.SALE, BULK)
    if client.settings.orders == "asynchronous":
        taken = sum(hand_over(client, sale) for sale in sales)
    else:
        taken = _send_in_bulk(client, sales)
    return taken, len(sales) - taken


def flush(client: Client, order_id: str) -> None:
    """Send the order's checkout now, if it waits or its outcome is not known: what comes after it must find
    it. Raise Unavailable when that does not work."""
    sale = client.journal.get(WriteKind.SALE, order_id)
    if sale is None or sale.state not in (WriteState.PLANNED, WriteState.SENT):
        return
    if sale.due_at is None:
        check_out(client, sale, sale.member_ref, sale.detail)
    elif not queue.take(sale) or not _send_in_bulk(client, [sale]):
        raise Unavailable("the order's checkout still waits in our queue")


def check_out(client: Client, sale: Write, ref: str, data: Mapping[str, Any]) -> None:
    """Send the checkout of a sale that does not wait. May be repeated."""

    def send() -> Made:
        return made(transactions.check_out(client, ref, data))

    deliver(sale, send, None, SETTLED_AFTER)
    if sale.state == WriteState.DONE:
        finish(client, sale)


def hand_over(client: Client, sale: Write) -> bool:
    """Hand a checkout that this process took from the queue to the Async Events API, or ask what became of
    it; return whether Antavo has it now. The row stays SENT until the transaction is seen. What fails is
    tried again later."""
    events = AsyncEvents(client=client)
    try:
        if not sale.vendor_ref:
            note(sale, vendor_ref=events.submit("checkout", sale.member_ref, sale.detail))
            queue.postpone(sale, "")
            return False
        return _ask(client, events, sale)
    except ProviderError as error:
        queue.postpone(sale, f"{type(error).__name__} {error.detail}")
        return False


def _ask(client: Client, events: AsyncEvents, sale: Write) -> bool:
    outcome = events.outcome(sale.vendor_ref)
    if outcome and (outcome.status == PROCESSED or outcome.code in TAKEN):
        found = transactions.read(client, sale.member_ref, sale.key)
        if found:
            queue.done(sale, made(found))
            finish(client, sale)
            return True
    if outcome is None or outcome.status == REFUSED:
        # It did not happen, or nobody knows: it is handed over again.
        note(sale, vendor_ref="")
    if outcome is None:
        told = "the event is not known to Antavo"
    else:
        told = f"code {outcome.code}" if outcome.code else f"status {outcome.status}"
    queue.postpone(sale, told)
    return False


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
        if envelope and envelope.code not in TAKEN:
            queue.postpone(sale, f"code {envelope.code}")
            continue
        queue.done(sale, Made(ref=sale.key))
        taken += 1
        finish(client, sale)
    return taken


def made(found: transactions.Transaction) -> Made:
    """Return what a checkout made: the points that it earned, unless they are pending."""
    points = None if found.status == transactions.PENDING else found.earned
    return Made(ref=found.transaction_id, points=points)


def finish(client: Client, sale: Write) -> None:
    """Accept a checkout that Antavo has, where that is ours to do. May be repeated: a refusal does not mean
    that the checkout did not arrive."""
    points = sale.points
    if points is None and client.settings.accepts_checkouts:
        found = transactions.read(client, sale.member_ref, sale.key)
        found = found and transactions.accept(client, sale.member_ref, found)
        points = found.earned if found and found.status == transactions.ACCEPTED else None
    if sale.detail or points != sale.points:
        note(sale, points=points, detail={})  # the bought goods are no longer needed
