"""The daily reconciliation compares orders, codes, redemptions, and the vendor's view of them. Each gap has a
cause, and a repair where the program can fix it: the event is handled again, or the redemption goes on. Reads
the vendor and NewStore; only a repair changes anything.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

import structlog
from django.db.models import Q

from loyaltyview.events.alarms import close_alarm, raise_alarm
from loyaltyview.events.earning import cancel_order, complete_order, why_nothing
from loyaltyview.events.missed_orders import Gap, find_missed_orders, find_missed_returns, is_used
from loyaltyview.events.models import OF_ORDERS, AlarmKind, Earning, Event, EventState, Order
from loyaltyview.events.order_backfill import take_cancellations
from loyaltyview.events.orders import note_completed, settle_order
from loyaltyview.events.stored_events import replay
from loyaltyview.newstore.errors import NewStoreError
from loyaltyview.newstore.orders import CLOSED, HostOrder, read_order
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.audit import ask_vendor, in_trouble, of_day, resume
from loyaltyview.redemptions.codes import issued_of
from loyaltyview.redemptions.models import State
from loyaltyview.work import clock

log = structlog.get_logger(__name__)

RECONCILE_EVERY_S = 86_400
# An order of a store is completed within seconds; one that is shipped may take weeks. Less than the four
# hours between the end of the day and `reconcile_yesterday`: no other day looks at its orders again.
LATE = timedelta(hours=3)
LONGEST_OPEN = timedelta(days=60)
CODE_IS_SPENT = (State.USED, State.SETTLED)


def find_gaps(program: Program, day: date) -> list[Gap]:
    """Return every gap of this day (UTC) of the program. Takes one read of the vendor for each redemption,
    and the reads of NewStore that `find_missed_orders` says."""
    since, until = span_of(day)
    return [
        *find_missed_orders(program, since, until),
        *find_missed_returns(program, since, until),
        *_dead_events(program, since, until),
        *_orders(program, since, until),
        *_redemptions(program, since, until),
    ]


def span_of(day: date) -> tuple[datetime, datetime]:
    """Return the beginning and the end of this day (UTC)."""
    since = datetime.combine(day, time(), UTC)
    return since, since + timedelta(days=1)


def reconcile_yesterday() -> None:
    """Reconcile yesterday for each active program; what was found is an alarm, and so is a program that
    cannot be reconciled. Done daily by the worker."""
    day = clock.now().date() - timedelta(days=1)
    for program in Program.objects.filter(is_active=True):
        command = f"manage.py reconcile --day {day} --program {program.slug}"
        try:
            gaps = find_gaps(program, day)
        except Exception as error:
            # Any error: the other programs are still reconciled.
            log.exception("reconciliation_failed", program=program.slug)
            detail = f"not reconciled ({type(error).__name__}): {command}"
            raise_alarm(program, AlarmKind.GAP, detail, str(day))
            continue
        if gaps:
            raise_alarm(program, AlarmKind.GAP, f"{len(gaps)} gaps: {command}", str(day))
        else:
            close_alarm(program, AlarmKind.GAP, str(day))


def _dead_events(program: Program, since: datetime, until: datetime) -> Iterator[Gap]:
    events = Event.objects.filter(
        program=program, state=EventState.DEAD, received_at__gte=since, received_at__lt=until
    )
    for event in events.order_by("pk"):
        yield Gap(
            cause="event is dead",
            about=event.subject or f"event {event.pk}",
            detail=f"{event.name}: {event.last_error}",
            repair=partial(replay, Event.objects.filter(pk=event.pk)),
        )


def _orders(program: Program, since: datetime, until: datetime) -> Iterator[Gap]:
    received = Event.objects.filter(
        program=program,
        source__in=OF_ORDERS,
        received_at__gte=since,
        received_at__lt=until,
        subject__gt="",
    )
    orders = Order.objects.select_related("program").filter(program=program, is_historical=False)
    placed = Q(placed_at__gte=since, placed_at__lt=until)
    # Shipped goods are completed on a later day, and that event may be lost.
    still_open = Q(placed_at__gte=since - LONGEST_OPEN, placed_at__lt=since, earning=Earning.WAITING)
    still_open &= Q(opened_seen_at__isnull=False, completed_seen_at=None, cancelled_seen_at=None)
    for order in orders.filter(placed | still_open | Q(order_id__in=received.values("subject"))).order_by(
        "pk"
    ):
        if _is_waiting(order):
            continue  # The worker is not finished with it.
        yield from _codes(order)
        if not order.cancelled_seen_at:
            yield from _earning(order)


def _codes(order: Order) -> Iterator[Gap]:
    for issued in issued_of(order.program_id, order.codes):
        row = issued.redemption
        if order.cancelled_seen_at or row.is_order_cancelled or row.state == State.STUCK:
            continue
        if row.state not in CODE_IS_SPENT:
            yield Gap(
                cause="code used, redemption not",
                about=order.order_id,
                detail=f"redemption {row.id} is {row.state}",
                repair=partial(settle_order, order),
            )
        elif row.order_id != order.order_id and not order.is_exchange:
            yield Gap(cause="code used in two orders", about=order.order_id, detail=f"and in {row.order_id}")
        elif row.state == State.USED and order.opened_seen_at:
            yield Gap(
                cause="used, and the provider was not told",
                about=order.order_id,
                detail=f"redemption {row.id}",
                repair=partial(settle_order, order),
            )


def _earning(order: Order) -> Iterator[Gap]:
    if order.earning not in (Earning.WAITING, Earning.STARTED):
        return
    if order.completed_seen_at:
        cause = "completed, and not earned" if order.opened_seen_at else "order.opened was lost"
        yield Gap(cause=cause, about=order.order_id, repair=partial(_replay_order, order))
        return
    is_late = order.placed_at is not None and order.placed_at < clock.now() - LATE
    earns = not why_nothing(order)
    if not order.opened_seen_at or not is_late or not (earns or is_used(order)):
        return
    try:
        host = read_order(order.program, order.order_id)
    except NewStoreError as error:
        yield Gap(cause="NewStore cannot be asked", about=order.order_id, detail=error.detail)
        return
    if host.is_off:
        yield Gap(
            cause="order.cancelled was lost",
            about=order.order_id,
            repair=partial(cancel_order, order.program, order.order_id),
        )
    elif host.status == CLOSED and earns:
        repair = partial(_complete, order, host)
        yield Gap(cause="order.completed was lost", about=order.order_id, repair=repair)


def _redemptions(program: Program, since: datetime, until: datetime) -> Iterator[Gap]:
    for row in of_day(program, since, until):
        trouble = in_trouble(row) or ask_vendor(row)
        if trouble:
            repair = partial(resume, row, trouble) if trouble.is_repairable else None
            yield Gap(
                cause=trouble.value, about=f"redemption {row.id}", detail=row.last_error[:200], repair=repair
            )


def _is_waiting(order: Order) -> bool:
    return Event.objects.filter(
        program=order.program, subject=order.order_id, state=EventState.WAITING
    ).exists()


def _replay_order(order: Order) -> int:
    return replay(
        Event.objects.filter(program=order.program, source__in=OF_ORDERS, subject=order.order_id).exclude(
            state=EventState.IGNORED
        )
    )


def _complete(order: Order, host: HostOrder) -> None:
    take_cancellations(order, host)
    complete_order(note_completed(order.program, order.order_id))
