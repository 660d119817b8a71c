"""Daily files of purchases, returns and cancelled orders, which the workspace imports.

A delivered line is a write whose outcome is not known. It is done when the transaction shows it; a list of
refused lines in the folder `errors` says what is not (docs/contracts/antavo.md 3.9, decision 0039). A refund
is written when its checkout can be read, one of each order at a time: they are told apart by counting.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

from django.db.models import Q

from providers import clock
from providers.antavo import feed_delivery, feed_file, feed_outcomes, transactions
from providers.antavo.client import Client
from providers.errors import ProviderError
from providers.journal import batches
from providers.journal.booking import book_refund
from providers.journal.models import BatchState, Write, WriteKind, WriteState
from providers.journal.queue import WAITING
from providers.journal.states import advance, note_detail
from providers.sales import Order, PointsChange, Return

MOST_LINES = 10_000
FIRST_LOOK = timedelta(minutes=10)
LATER = PointsChange(points=None)
# Another process may write the same return into a file while this one asks Antavo about it.
IS_PLANNED = Q(state=WriteState.PLANNED)


@dataclass(slots=True)
class Run:
    """What one run did: names of files, and numbers of lines."""

    written: list[str] = field(default_factory=list)
    delivered: list[str] = field(default_factory=list)
    refused: int = 0
    done: int = 0


def has_work(client: Client) -> bool:
    """Return whether the program uses files, or files of it are not closed, or a return still waits for one:
    it did when it came."""
    if client.settings.orders == "feed":
        return True
    open_files = batches.files(client.journal, *feed_delivery.UNDELIVERED, BatchState.DELIVERED)
    refunds = client.journal.writes(None, kind__in=feed_outcomes.REFUNDS, due_at__isnull=False)
    return open_files.exists() or refunds.exists()


def goes_by_file(client: Client, kind: WriteKind, key: str, order_id: str) -> bool:
    """Return whether this return or cancelled order goes into a file. What belongs to an order that burned
    points goes in real time, as its checkout did."""
    known = client.journal.get(kind, key)
    if known:
        return known.due_at is not None or known.lines.exists()
    if client.settings.orders != "feed":
        # Beside one that goes by file none can go in another way: they are told apart by counting.
        waiting = client.journal.writes(None, order_id=order_id, kind__in=feed_outcomes.REFUNDS)
        return waiting.filter(WAITING).exists()
    return not client.journal.writes(WriteKind.SPEND, order_id=order_id).exists()


def put_return(client: Client, ret: Return) -> PointsChange:
    """Let the return wait for a file, once per return id."""
    base = ret.order_earn_base.amount
    write = book_refund(
        client.journal,
        WriteKind.RETURN,
        ret.return_id,
        ret.order_id,
        amount=base if ret.is_complete else ret.net.amount,
        total=base,
        member_ref=ret.member_ref,
        detail={"checkout": ret.reported_as or ret.order_id, "base": str(base)},
        due_at=feed_delivery.next_time(client),
    )
    return _told(write)


def put_cancel(client: Client, order: Order) -> PointsChange:
    """Let the cancelled order wait for a file, once per order."""
    base = order.earn_base.amount
    write = book_refund(
        client.journal,
        WriteKind.CANCEL,
        order.order_id,
        order.order_id,
        amount=base,
        total=base,
        member_ref=order.member_ref,
        detail={"checkout": order.order_id, "base": str(base)},
        due_at=feed_delivery.next_time(client),
    )
    return _told(write)


def run(client: Client, *, everything: bool = False) -> Run:
    """Write what is due (or everything that waits) into a file, deliver files, read lists of refused lines,
    and look for what was delivered. May be repeated at any time."""
    done = Run()
    _collect(client, done, everything)
    done.delivered += feed_delivery.deliver(client)
    done.done += feed_outcomes.look(client)
    done.refused += feed_outcomes.read_refusals(client)
    batches.close_decided(client.journal)
    return done


def _collect(client: Client, done: Run, everything: bool) -> None:
    journal, now = client.journal, clock.now()
    is_due = Q(due_at__isnull=False) if everything else Q(due_at__lte=now)
    planned = journal.writes(None, is_due, state=WriteState.PLANNED)
    by_file = client.settings.orders == "feed"
    writes = list(planned.filter(kind=WriteKind.SALE)[:MOST_LINES]) if by_file else []
    orders: set[str] = set()
    for write in planned.filter(kind__in=feed_outcomes.REFUNDS)[:MOST_LINES]:
        if _prepare(client, write, orders):
            writes.append(write)
    day = now.astimezone(ZoneInfo(client.config.time_zone or "UTC")).date()

    def name(number: int) -> str:
        return client.settings.feed_name.format(
            program=client.program, day=day.strftime("%Y%m%d"), number=number
        )

    batch = batches.collect(journal, writes, day, name, partial(feed_file.render, client), now + FIRST_LOOK)
    if batch:
        done.written.append(batch.name)


def _prepare(client: Client, write: Write, orders: set[str]) -> bool:
    """Decide which event refunds this, by what Antavo shows of the checkout; return whether it can be
    written now. `orders` are those of which a refund is in the file already."""
    under_way = client.journal.writes(
        None, order_id=write.order_id, kind__in=feed_outcomes.REFUNDS, state=WriteState.SENT
    )
    if write.order_id in orders or under_way.exists():
        note_detail(write, IS_PLANNED, add={}, due_at=feed_delivery.next_time(client))
        return False
    checkout, ref = write.detail["checkout"], write.member_ref
    sale = client.journal.get(WriteKind.SALE, checkout)
    try:
        found = transactions.read(client, ref, checkout)
        if found is None and sale and sale.state in (WriteState.PLANNED, WriteState.SENT):
            note_detail(write, IS_PLANNED, add={}, due_at=feed_delivery.next_time(client))
            return False
        if found is None or found.status in transactions.UNDONE:
            advance(write, WriteState.PLANNED, WriteState.DONE, amount=0, points=0, due_at=None)
            return False
        count, points = transactions.refunds_of(client, ref, checkout)
    except ProviderError as error:
        due_at = clock.now() + FIRST_LOOK
        note_detail(write, IS_PLANNED, add={}, due_at=due_at, last_error=type(error).__name__)
        return False
    event, before = _refund_of(client, write, found), {"count": count, "points": points}
    if not note_detail(write, IS_PLANNED, add=event, shown_before=before):
        return False
    orders.add(write.order_id)
    return True


def _refund_of(client: Client, write: Write, found: transactions.Transaction) -> dict[str, object]:
    checkout = {"transaction_id": found.transaction_id}
    is_pending = found.status == transactions.PENDING
    amount = write.amount or Decimal(0)
    left = found.total - amount
    if write.kind == WriteKind.CANCEL or (is_pending and left <= 0):
        return {"action": "checkout_reject" if is_pending else "refund", "data": checkout}
    if is_pending:
        data = {**checkout, client.names["update_total"]: float(left)}
        return {"action": "checkout_update", "data": data, "left": str(left)}
    return {"action": "partial_refund", "data": {**checkout, client.names["refund_amount"]: float(amount)}}


def _told(write: Write | None) -> PointsChange:
    if write is None:
        return PointsChange(points=0)
    return PointsChange(points=write.points) if write.state == WriteState.DONE else LATER
