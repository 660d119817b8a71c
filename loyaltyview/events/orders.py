"""The row of an order, as its events describe it in any order of arrival. Database only, except
`settle_order`.

Nothing moves backwards: each `*_seen_at` is set once and never cleared, `order.created` (can still change)
never overwrites `order.opened` (final), and an order that has earned keeps the lines that it earned on.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar

import structlog
from django.utils import timezone

from loyaltyview.events.alarms import raise_alarm
from loyaltyview.events.envelope import EventName
from loyaltyview.events.models import AlarmKind, Earning, Event, EventSource, ExchangeLink, Order
from loyaltyview.events.payloads import SMALLEST_STEP
from loyaltyview.events.readers import Exchange, Line, OrderCancelled, OrderCodes, OrderOpened
from loyaltyview.newstore.orders import HostOrder
from loyaltyview.programs.earn_base import earn_base
from loyaltyview.programs.erasure import is_pseudonym
from loyaltyview.programs.models import Program
from loyaltyview.programs.program_cache import store_by_id
from loyaltyview.redemptions.codes import is_used_twice, known_codes, used_elsewhere
from loyaltyview.redemptions.orders import (
    detach_dropped_codes,
    has_spends,
    member_of_order,
    settle,
    spends_of_order,
    use_codes,
)
from loyaltyview.work.plain_sql import insert, select, update
from providers.sales import Order as ProviderOrder
from providers.sales import OrderLine, Spend
from providers.texts import code_key
from providers.types import Money

log = structlog.get_logger(__name__)

WithCodes = TypeVar("WithCodes", OrderCodes, OrderOpened, HostOrder)

# Before the vendor was asked to earn, lines may still be taken out.
NOT_EARNED = (Earning.WAITING, Earning.NOTHING)


def find_order(program: Program, order_id: str) -> Order | None:
    """Return the order's row with its program, None where no event has named it yet."""
    found = select(Order, {"program": program.pk, "order_id": order_id}, order_by="order_id", limit=1)
    for order in found:
        order.program = program
    return found[0] if found else None


def order_row(program: Program, order_id: str) -> Order:
    """Return the order's row with its program; it is made where no event has named it yet."""
    order = find_order(program, order_id)
    if order is None:
        insert([Order(program=program, order_id=order_id)], may_be_there=True)
        order = find_order(program, order_id)
    if order is None:
        raise Order.DoesNotExist
    return order


def change(order: Order, only_if: dict[str, Any], changes: dict[str, Any]) -> bool:
    """Write `changes` if the row still is as `only_if` says. `order` has the new values then, and is read
    again otherwise. Returns whether they were written."""
    changed = update(Order, {"id": order.pk, **only_if}, changes) == 1
    if changed:
        for name, value in changes.items():
            setattr(order, name, value)
    else:
        refresh(order)
    return changed


def refresh(order: Order) -> None:
    """Read `order` again, but keep its program, which does not change meanwhile."""
    program = order.program
    order.refresh_from_db()
    order.program = program


def note_created(program: Program, read: OrderOpened) -> Order:
    """Store what `order.created` says, unless the order was opened already."""
    order = order_row(program, read.order_id)
    if not order.opened_seen_at:
        _write(order, read, "created_seen_at", {"opened_seen_at": None})
    note_exchanges(order, read.exchanges)
    return _see(order, "created_seen_at")


def note_opened(program: Program, read: OrderOpened) -> Order:
    """Store what `order.opened` says: the order's final lines."""
    order = order_row(program, read.order_id)
    if order.earning in NOT_EARNED:
        _write(order, read, "opened_seen_at", {"earning": list(NOT_EARNED)})
    note_exchanges(order, read.exchanges)
    return _see(order, "opened_seen_at")


def note_completed(program: Program, order_id: str) -> Order:
    """Store that the order is completed; it may be unknown otherwise."""
    return _see(order_row(program, order_id), "completed_seen_at")


def note_cancelled(program: Program, order_id: str) -> Order:
    """Store that the whole order is cancelled; it may be unknown otherwise."""
    return _see(order_row(program, order_id), "cancelled_seen_at")


def note_items_cancelled(program: Program, read: OrderCancelled) -> tuple[Order, bool]:
    """Take the cancelled items out of what the order earns on. Returns the order, and False when it is
    too late for that: the order has earned on them."""
    order = order_row(program, read.order_id)
    cancelled = sorted({*order.cancelled_items, *read.item_ids})
    changes = {"cancelled_items": cancelled, "earn_base": _base(order.lines, cancelled)}
    return order, change(order, {"earning": list(NOT_EARNED)}, changes)


def note_exchanges(order: Order, exchanges: tuple[Exchange, ...]) -> None:
    """Store which orders this one takes the place of."""
    for exchange in exchanges:
        if exchange.order_id != order.order_id:
            ExchangeLink.objects.get_or_create(
                order=order, old_order_id=exchange.order_id, return_id=exchange.return_id
            )


def use_order_codes(order: Order, codes: tuple[str, ...]) -> None:
    """Tie the redemptions of `codes` to this order. An exchange repeats the codes of the order that it
    replaces: they stay with the oldest of these orders, in any order of arrival."""
    if not codes:
        return
    earlier, later = exchanged_by(order), exchanges_of(order)
    use_codes(order.program, order_id=order.order_id, codes=codes, earlier=earlier, later=later)
    # NewStore takes a code once. But a code that was used just before it expired may have been renewed.
    for other in used_elsewhere(order.program, codes, earlier | later | {order.order_id}):
        detail = f"one redemption is used in order {other} and in order {order.order_id}"
        raise_alarm(order.program, AlarmKind.TWICE, detail, order.order_id)
    if is_used_twice(order.program, codes):
        detail = f"one redemption is used twice in order {order.order_id}"
        raise_alarm(order.program, AlarmKind.TWICE, detail, order.order_id)


def with_reward_codes(program: Program, read: WithCodes) -> WithCodes:
    """Return `read` with the codes of ours that only the reward's extended attribute names. A code that a
    discount names as well is there once; a text that is no code of ours is left out and counted in the
    log."""
    if not read.reward_texts:
        return read
    ours: dict[str, str] = known_codes(program.pk, read.reward_texts)
    if unknown := len(read.reward_texts) - len(ours):
        # A text may hold personal data: it is not logged.
        log.info("reward_attribute_unknown", program=program.slug, order=read.order_id, texts=unknown)
    codes: dict[str, str] = {code_key(code): code for code in (*ours.values(), *read.codes)}
    added: tuple[str, ...] = tuple(code for code in codes.values() if code not in read.codes)
    return replace(read, codes=(*read.codes, *added), reward_texts=())


def was_opened(program: Program, order_id: str) -> bool:
    """Whether `order.opened` is stored, or its order was read from NewStore: then `order.created` no longer
    counts."""
    return Order.objects.filter(program=program, order_id=order_id, opened_seen_at__isnull=False).exists()


def opened_event(order: Order) -> Event | None:
    """Return the stored `order.opened` of the order, None when it did not come or is no longer kept."""
    key = f"{EventName.ORDER_OPENED}:{order.order_id}"
    by_key = {"program": order.program_id, "source": EventSource.NEWSTORE, "dedupe_key": key}
    return next(iter(select(Event, by_key, order_by="dedupe_key", limit=1)), None)


def note_final(order: Order, read: OrderOpened) -> None:
    """Store what only `order.opened` says, even if the order was read from NewStore before, and detach the
    redemptions whose codes were taken out of the order."""
    told = {name: getattr(read, name) for name in ("is_historical", "is_exchange", "associate_id")}
    if any(getattr(order, name) != value for name, value in told.items()):
        change(order, {}, told)
    drop_codes(order, read.codes)


def drop_codes(order: Order, codes: tuple[str, ...]) -> None:
    """The order is final with `codes`: detach the redemptions whose codes were taken out of it."""
    if order.is_historical or not has_spends(order.program, order.order_id):
        return
    if not exchanged_by(order) and not exchanges_of(order):
        detach_dropped_codes(order.program, order_id=order.order_id, codes=codes)


def is_member_erased(order: Order) -> bool:
    """Whether the order's member was erased: then the order changes no points any more."""
    return is_pseudonym(order.member_ref)


def exchanged_by(order: Order) -> frozenset[str]:
    """Return the ids of all orders that this one takes the place of, directly or through others."""
    found: set[str] = set()
    wanted = {order.order_id}
    while wanted:
        links = ExchangeLink.objects.filter(order__program=order.program, order__order_id__in=wanted)
        wanted = set(links.values_list("old_order_id", flat=True)) - found
        found |= wanted
    return frozenset(found - {order.order_id})


def exchanges_of(order: Order) -> frozenset[str]:
    """Return the ids of all orders that took the place of this one, directly or through others."""
    found: set[str] = set()
    wanted = {order.order_id}
    while wanted:
        links = ExchangeLink.objects.filter(order__program=order.program, old_order_id__in=wanted)
        wanted = set(links.values_list("order__order_id", flat=True)) - found
        found |= wanted
    return frozenset(found - {order.order_id})


def settle_order(order: Order) -> tuple[Spend, ...]:
    """Use the codes of an opened order and tell the vendor; return its spends. Raises ProviderError; may be
    repeated. Cancelled and historical orders are left as they are."""
    if order.is_historical or order.cancelled_seen_at:
        return ()
    use_order_codes(order, tuple(order.codes))
    return confirm_spends(order)


def confirm_spends(order: Order) -> tuple[Spend, ...]:
    """Tell the vendor of an opened order whose codes are used; otherwise as `settle_order`."""
    if order.is_historical or order.cancelled_seen_at or not has_spends(order.program, order.order_id):
        return ()
    spends = spends_of_order(order.program, order_id=order.order_id)
    settle(order.program, to_provider(order, member_of_order(order.program, order.order_id), spends))
    return spends


def member_who_spent(order: Order) -> str:
    """Return the ref of the member whose redemption was used in this order, else in an order that it was
    exchanged for; "" without one."""
    related = (order.order_id, *sorted(exchanged_by(order)))
    return next(filter(None, (member_of_order(order.program, order_id) for order_id in related)), "")


def lines_of(rows: list[dict[str, Any]]) -> tuple[OrderLine, ...]:
    """Return stored lines in the vendor interface's words."""
    return tuple(OrderLine(**{**row, "net": Decimal(row["net"])}) for row in rows)


def lines_to_json(lines: tuple[Line, ...]) -> list[dict[str, Any]]:
    """Return lines as they are stored; `lines_of` reads them."""
    return [
        {
            "item_id": line.item_id,
            "product_id": line.product_id,
            "quantity": line.quantity,
            "net": str(line.net),
        }
        for line in lines
    ]


def provider_store(program: Program, store_id: str) -> str:
    """Return the vendor's id of a NewStore store, "" where none is set."""
    store = store_by_id(program.pk, store_id)
    return store.provider_store if store else ""


def to_provider(order: Order, member_ref: str, spends: tuple[Spend, ...]) -> ProviderOrder:
    """Return an opened order in the vendor interface's words, without its cancelled items."""
    kept = [row for row in order.lines if row["item_id"] not in order.cancelled_items]
    return ProviderOrder(
        order_id=order.order_id,
        external_id=order.external_id,
        member_ref=member_ref,
        placed_at=order.placed_at or timezone.now(),
        earn_base=Money(amount=order.earn_base, currency=order.currency),
        lines=lines_of(kept),
        spends=spends,
        store=provider_store(order.program, order.store_id),
        associate_id=order.associate_id,
    )


def _see(order: Order, seen: str) -> Order:
    """Note that the event was seen, once."""
    if getattr(order, seen) is None:
        change(order, {seen: None}, {seen: timezone.now()})
    return order


def _write(order: Order, read: OrderOpened, seen: str, only_if: dict[str, Any]) -> None:
    """Write what the event says, and that it was seen, if the row still is as `only_if` says."""
    lines = lines_to_json(read.lines)
    changes = {
        "external_id": read.external_id,
        "channel_type": read.channel_type,
        "store_id": read.store_id,
        "associate_id": read.associate_id,
        "profile_id": read.profile_id,
        "placed_at": read.placed_at,
        "currency": read.currency,
        "lines": lines,
        "codes": list(read.codes),
        "earn_base": _base(lines, order.cancelled_items),
        "earns_with_tax": read.earns_with_tax,
        "is_exchange": read.is_exchange,
        "is_historical": read.is_historical,
        seen: getattr(order, seen) or timezone.now(),
    }
    change(order, only_if, changes)


def _base(lines: list[dict[str, Any]], cancelled: list[str]) -> Decimal:
    """Return what the lines that are not cancelled earn on."""
    base = earn_base(Decimal(line["net"]) for line in lines if line["item_id"] not in cancelled)
    return base.quantize(SMALLEST_STEP)
