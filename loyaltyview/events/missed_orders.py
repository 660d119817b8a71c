"""Orders and returns whose events never reached us, or only events that are not enough.

With `newstore_find_missed_events`, GraphQL lists the orders and returns of the day
(docs/contracts/newstore.md 8.3). NewStore's REST API lists one customer's orders only (8.2). So without
that setting the orders of the members who redeemed that day are listed, by the NewStore profile that the
redemption stores. Where a tenant has the older coupon list (`newstore_disable_codes`), that list shows
codes that were used, too (4.3).

Without GraphQL this cannot find the orders of members who redeemed nothing that day. Without the coupon
list it cannot find the code of a redemption whose cart had no customer, or another one when it was paid.
For those, have NewStore deliver the day again (`manage.py reconcile --day DAY --replay`).
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from django.db.models import QuerySet

from loyaltyview.events.earning import cancel_order, complete_order
from loyaltyview.events.missed_events import take_returns, unknown_orders, unknown_returns
from loyaltyview.events.models import Order
from loyaltyview.events.order_backfill import take_order
from loyaltyview.events.orders import note_completed, with_reward_codes
from loyaltyview.newstore.coupon_list import is_code_used
from loyaltyview.newstore.coupons import coupon_name
from loyaltyview.newstore.data_query import Page, orders_of, returns_of
from loyaltyview.newstore.errors import NewStoreError, NewStoreRejected, NewStoreUnexpected
from loyaltyview.newstore.orders import (
    CLOSED,
    ITEM_CANCELLED,
    OPEN,
    HostOrder,
    list_orders,
    read_order,
)
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.audit import of_day
from loyaltyview.redemptions.codes import spellings, with_codes
from loyaltyview.redemptions.models import IssuedCode, Redemption, State
from loyaltyview.redemptions.serialization import coupon_of
from loyaltyview.work import clock

# NewStore promises its events within 15 minutes.
PATIENCE = timedelta(hours=1)
# A code that was shown at the end of the day is paid with on the next.
NEXT_DAY = timedelta(hours=1)
MOST_PAGES = 500  # of a day's orders or returns

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One finding of the reconciliation. `about` is the order or redemption. `repair` may raise
    ProviderError or NewStoreError, and is None where a person must look."""

    cause: str
    about: str
    detail: str = ""
    repair: Callable[[], object] | None = None


def find_missed_orders(program: Program, since: datetime, until: datetime) -> Iterator[Gap]:
    """Yield the orders and returns of that time that never reached us. Takes one read of NewStore for each
    100 orders and returns, or for each customer who redeemed; one for each order that we do not know; and one
    for each code without an order where there is the coupon list."""
    rows = of_day(program, since, until).filter(requested_at__lt=clock.now() - PATIENCE)
    latest = min(until + NEXT_DAY, clock.now() - PATIENCE)
    found: set[str] = set()
    try:
        wanted = _created_only(program, since, latest)
        wanted += yield from _list_orders(program, rows, since, latest)
        for order_id in unknown_orders(program, wanted):
            try:
                host = with_reward_codes(program, read_order(program, order_id))
            except (NewStoreRejected, NewStoreUnexpected) as error:
                yield _not_asked(error, order_id)
                continue
            found.update(spelled for code in host.codes for spelled in spellings(code))
            yield from _compare(program, host)
        if program.newstore_disable_codes:
            yield from _used_codes(program, rows, found)
    except NewStoreError as error:  # the next question would end the same
        yield _not_asked(error, "the orders of the day")


def find_missed_returns(program: Program, since: datetime, until: datetime) -> Iterator[Gap]:
    """Yield the returns of that time that never reached us, where the program has GraphQL searched."""
    if not program.newstore_find_missed_events:
        return
    latest = min(until, clock.now() - PATIENCE)
    if since >= latest:
        return
    try:
        found = yield from _pages(partial(returns_of, program, since, latest))
    except NewStoreError as error:
        yield _not_asked(error, "the returns of the day")
        return
    for each in unknown_returns(program, (each for each in found if not each.is_historical)):
        repair = partial(take_returns, program, [each])
        about = f"of order {each.order_id}" if each.order_id else "without an order"
        yield Gap(cause="return never reached us", about=each.return_id, detail=about, repair=repair)


def _list_orders(
    program: Program, rows: QuerySet[Redemption], since: datetime, latest: datetime
) -> Generator[Gap, None, list[str]]:
    """Yield what could not be asked, and return the ids of the orders of that time as NewStore lists them."""
    if program.newstore_find_missed_events and since < latest:
        try:
            orders = yield from _pages(partial(orders_of, program, since, latest))
            return [each.order_id for each in orders if not each.is_historical]
        except NewStoreError as error:  # the REST API may answer
            yield _not_asked(error, "the orders of the day by GraphQL")
    wanted: list[str] = []
    for profile_id in _profiles(rows):
        try:
            listed = list_orders(program, profile_id)
        except NewStoreUnexpected as error:
            yield _not_asked(error, "a customer's orders")
            continue
        wanted += [each.order_id for each in listed if since <= each.placed_at < latest]
    return wanted


def _pages(read: Callable[[str], Page[Found]]) -> Generator[Gap, None, list[Found]]:
    """Yield what could not be read, and return what is on all pages. Raises NewStoreError, also for more than
    MOST_PAGES pages."""
    cursor, found = "", list[Found]()
    for _page in range(MOST_PAGES):
        page = read(cursor)
        for each in page.unreadable:
            yield Gap(cause="NewStore's answer cannot be read", about=each)
        found += page.found
        cursor = page.cursor
        if not cursor:
            return found
    raise NewStoreUnexpected(f"more than {MOST_PAGES} pages")


def _not_asked(error: NewStoreError, about: str) -> Gap:
    return Gap(cause="NewStore cannot be asked", about=about, detail=error.detail)


def _created_only(program: Program, since: datetime, until: datetime) -> list[str]:
    placed = Order.objects.filter(program=program, placed_at__gte=since, placed_at__lt=until)
    return list(placed.filter(opened_seen_at=None).values_list("order_id", flat=True))


def _profiles(rows: QuerySet[Redemption]) -> QuerySet[Redemption, str]:
    return rows.exclude(profile_id="").order_by("profile_id").values_list("profile_id", flat=True).distinct()


def _compare(program: Program, host: HostOrder) -> Iterator[Gap]:
    """An order on hold is still to be opened, and one that failed or was cancelled needs nothing of us."""
    order = Order.objects.filter(program=program, order_id=host.order_id).first()
    if host.is_off and order and is_used(order):
        cause = "order was cancelled or failed, its redemption is used"
        yield Gap(cause=cause, about=host.order_id, repair=partial(cancel_order, program, order.order_id))
    is_sale = any(item.status != ITEM_CANCELLED for item in host.items)
    if host.status not in (OPEN, CLOSED) or not is_sale:
        return
    rows = with_codes(program, host.codes)
    if not rows and host.channel_type not in program.report_channels:
        return
    is_elsewhere = any(row.order_id not in ("", host.order_id) for row in rows)
    yield Gap(
        cause="order with our code never reached us" if rows else "order never reached us",
        about=host.order_id,
        detail=", ".join(f"redemption {row.id} is {row.state}" for row in rows),
        # An exchange repeats its codes, which only its events tell.
        repair=None if is_elsewhere else partial(_take, program, host),
    )


def is_used(order: Order) -> bool:
    """Whether a redemption is used in the order, which is not known to be cancelled."""
    rows = Redemption.objects.filter(program=order.program, order_id=order.order_id)
    return rows.filter(state__in=[State.USED, State.SETTLED], is_order_cancelled=False).exists()


def _take(program: Program, host: HostOrder) -> None:
    order = take_order(program, host)
    if host.status == CLOSED:
        complete_order(note_completed(program, order.order_id))


def _used_codes(program: Program, rows: QuerySet[Redemption], found: set[str]) -> Iterator[Gap]:
    issued = IssuedCode.objects.select_related("redemption").filter(redemption__in=rows)
    without_order = issued.filter(redemption__order_id="").exclude(redemption__state=State.REFUSED)
    for each in without_order.exclude(code__in=found).order_by("pk"):
        row = each.redemption
        try:
            name = coupon_name(program, coupon_of(row))
        except NewStoreRejected:  # minted by older rules: its name is not known any more
            continue
        if is_code_used(program, each.code, name):
            yield Gap(
                cause="code used, its order never reached us",
                about=f"redemption {row.id}",
                detail=f"{row.state}; --replay has NewStore deliver the day again",
            )
