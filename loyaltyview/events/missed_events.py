"""Orders and returns that NewStore has and of which no event came: which ones, and what is done with them.

A return becomes the event that did not come, with its name and id, so that a late delivery is a repetition.
GraphQL tells less of an order than its events do. So an order becomes an event of our own, whose handler
reads the order from the REST API; a late `order.opened` still adds what only events say.
"""

from collections.abc import Iterable, Sequence

import structlog
from django.db.models import Q
from prometheus_client import Counter

from loyaltyview.events.envelope import ORDER_FOUND, EventName
from loyaltyview.events.inbox import store_delivery
from loyaltyview.events.models import Event, EventSource, EventState, Order, ReturnRecord, Searched
from loyaltyview.events.payloads import dump
from loyaltyview.newstore.data_query import FoundOrder, FoundReturn, Refund
from loyaltyview.programs.models import Program
from loyaltyview.work import clock
from loyaltyview.work.registry import wake

log = structlog.get_logger(__name__)

missed = Counter(
    "loyaltyview_missed_events_total",
    "Orders and returns of NewStore of which no event came, found by the search.",
    ["program", "kind"],
)
BATCH = 1000  # ids of one query
DECIDED = Q(opened_seen_at__isnull=False) | Q(completed_seen_at__isnull=False)
DECIDED |= Q(cancelled_seen_at__isnull=False)
# Stored as the sender of the events that we write.
SENDER = {"HTTP_USER_AGENT": "loyaltyview, found at NewStore", "CONTENT_TYPE": "application/json"}


def unknown_orders(program: Program, order_ids: Sequence[str]) -> list[str]:
    """Return those of `order_ids` that did not reach us as sold or cancelled, in their order, each once. One
    that is only created counts as such. One whose event waits or is dead is known, and so is one that was
    found before. Two queries for each BATCH."""
    at_hand = Q(state__in=(EventState.WAITING, EventState.DEAD)) | Q(source=EventSource.FOUND)
    return _unknown(program, order_ids, DECIDED, at_hand)


def orders_without_events(program: Program, order_ids: Sequence[str]) -> list[str]:
    """Return those of `order_ids` of which no event came, in their order, each once. Two queries for each
    BATCH. An order of the web shop is created long before it is opened: that is no missed event."""
    return _unknown(program, order_ids, DECIDED | Q(created_seen_at__isnull=False), Q())


def _unknown(program: Program, order_ids: Sequence[str], seen: Q, events: Q) -> list[str]:
    known: set[str] = set()
    for start in range(0, len(order_ids), BATCH):
        some = order_ids[start : start + BATCH]
        orders = Order.objects.filter(seen, program=program, order_id__in=some)
        about = Event.objects.filter(events, program=program, subject__in=some)
        known.update(orders.values_list("order_id", flat=True), about.values_list("subject", flat=True))
    return [each for each in dict.fromkeys(order_ids) if each not in known]


def unknown_returns(program: Program, found: Iterable[FoundReturn]) -> list[FoundReturn]:
    """Return those of `found` that did not reach us, each once. Two queries for each BATCH."""
    returns = {each.return_id: each for each in found}
    ids, known = list(returns), set[str]()
    for start in range(0, len(ids), BATCH):
        some = ids[start : start + BATCH]
        keys = {f"{EventName.RETURN_PROCESSED}:{each}": each for each in some}
        events = Event.objects.filter(program=program, source=EventSource.NEWSTORE, dedupe_key__in=list(keys))
        records = ReturnRecord.objects.filter(program=program, return_id__in=some)
        known.update(keys[key] for key in events.values_list("dedupe_key", flat=True))
        known.update(records.values_list("return_id", flat=True))
    return [each for return_id, each in returns.items() if return_id not in known]


def take_orders(program: Program, found: Sequence[FoundOrder]) -> list[str]:
    """Have the worker handle those of `found` of which no event came, without imported history. Returns their
    ids. May be repeated."""
    orders = {each.order_id: each for each in found if not each.is_historical}
    unknown = orders_without_events(program, list(orders))
    if not unknown:
        return []
    now = clock.now()
    Event.objects.bulk_create(
        [
            Event(
                program=program,
                source=EventSource.FOUND,
                name=ORDER_FOUND,
                dedupe_key=f"{ORDER_FOUND}:{order_id}",
                subject=order_id,
                payload=dump({"payload": {"id": order_id, "is_exchange": orders[order_id].is_exchange}}),
                received_at=now,
                published_at=orders[order_id].placed_at,
                due_at=now,
            )
            for order_id in unknown
        ],
        ignore_conflicts=True,
    )
    _note(program, Searched.ORDERS, unknown)
    wake()
    return unknown


def take_returns(program: Program, found: Iterable[FoundReturn]) -> list[str]:
    """Store the events of those of `found` that did not reach us, and have the worker handle them. Returns
    their ids. Raises django.db.Error, NotStored. May be repeated."""
    unknown = unknown_returns(program, (each for each in found if not each.is_historical))
    for each in unknown:
        store_delivery(program, dump(_envelope(program, each)), SENDER)
    _note(program, Searched.RETURNS, [each.return_id for each in unknown])
    return [each.return_id for each in unknown]


def _note(program: Program, kind: Searched, ids: list[str]) -> None:
    if ids:
        missed.labels(program.slug, kind.value).inc(len(ids))
        log.warning("events_missed", program=program.slug, kind=kind.value, ids=ids[:20], count=len(ids))


def _envelope(program: Program, found: FoundReturn) -> dict[str, object]:
    """Return the event as NewStore would have sent it (docs/contracts/newstore.md 6.3, 6.9)."""
    returned_at = found.returned_at.isoformat()
    items = [
        {
            "id": item.item_id or None,
            "product_id": item.product_id,
            "quantity": item.quantity,
            **_money("refund_{}", item.refund),
        }
        for item in found.items
    ]
    payload = {
        "id": found.return_id,
        "order_id": found.order_id or None,
        "returned_at": returned_at,
        "return_location_id": found.store_id,
        # A return without an order names no currency here; a person decides about it.
        "currency": found.currency or program.currency,
        **_money("total_refund_{}", found.total),
        "items": items,
    }
    return {
        "tenant": program.newstore_tenant,
        "name": EventName.RETURN_PROCESSED.value,
        "published_at": returned_at,
        "payload": payload,
    }


def _money(keys: str, refund: Refund) -> dict[str, object]:
    return {
        keys.format("amount"): refund.amount,
        keys.format("excl_tax"): refund.excl_tax,
        keys.format("tax"): refund.tax,
    }
