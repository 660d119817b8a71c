"""The orders and returns of a member, for the page of their points history (`redemptions.member_records`)."""

from datetime import datetime
from decimal import Decimal

from django.db.models import Q

from loyaltyview.events.models import Earning, Order, ReturnKind, ReturnRecord, ReturnState
from loyaltyview.redemptions.member_records import OwnReturn, OwnSale, Records, Wanted
from loyaltyview.redemptions.offers import smallest_unit
from providers.types import Money


def read_records(wanted: Wanted) -> Records:
    """Return the orders and returns that are named, and the member's own of the period. Database only."""
    returns = _returns(wanted)
    order_ids = {*wanted.order_ids, *(record.order_id for record in returns if record.order_id)}
    orders = {order.pk: order for order in _orders_of_period(wanted)}
    missing = order_ids - {order.order_id for order in orders.values()}
    if missing:
        named = Order.objects.filter(program=wanted.program, order_id__in=missing)
        orders |= {order.pk: order for order in named}
    return Records(
        sales=tuple(_sale(order, order.placed_at, wanted) for order in orders.values() if order.placed_at),
        returns=tuple(_return(record) for record in returns),
    )


def _orders_of_period(wanted: Wanted) -> list[Order]:
    orders = Order.objects.filter(program=wanted.program, member_ref=wanted.member_ref)
    orders = orders.filter(placed_at__isnull=False)
    if wanted.since:
        orders = orders.filter(placed_at__gte=wanted.since)
    if wanted.until:
        orders = orders.filter(placed_at__lte=wanted.until)
    return list(orders.order_by("-placed_at")[: wanted.limit])


def _returns(wanted: Wanted) -> list[ReturnRecord]:
    mine = Order.objects.filter(program=wanted.program, member_ref=wanted.member_ref)
    # A refund without a return takes no points.
    records = ReturnRecord.objects.filter(program=wanted.program).exclude(kind=ReturnKind.APPEASEMENT)
    # By their orders, which have an index of the member: a return names no member.
    of_period = Q(order_id__in=mine.values("order_id"))
    if wanted.since:
        of_period &= Q(returned_at__gte=wanted.since)
    if wanted.until:
        of_period &= Q(returned_at__lte=wanted.until)
    found = {row.pk: row for row in records.filter(of_period).order_by("-returned_at")[: wanted.limit]}
    missing = set(wanted.return_ids) - {row.return_id for row in found.values()}
    if missing:
        found |= {row.pk: row for row in records.filter(return_id__in=missing)}
    return list(found.values())


def _sale(order: Order, at: datetime, wanted: Wanted) -> OwnSale:
    is_open = order.earning in (Earning.WAITING, Earning.STARTED) and not order.cancelled_seen_at
    return OwnSale(
        order_id=order.order_id,
        at=at,
        total=_money(order.earn_base, order.currency or wanted.program.currency),
        number=order.external_id,
        store_id=order.store_id,
        told_at=order.earned_at,
        is_open=is_open,
        earns_nothing=order.earning == Earning.NOTHING or order.earned_points == 0,
        is_cancelled=order.cancelled_seen_at is not None,
    )


def _return(record: ReturnRecord) -> OwnReturn:
    return OwnReturn(
        return_id=record.return_id,
        order_id=record.order_id,
        at=record.returned_at,
        refund=_money(record.amount, record.currency),
        store_id=record.store_id,
        told_at=record.done_at if record.state == ReturnState.DONE else None,
        is_open=record.state in (ReturnState.WAITING, ReturnState.PARKED),
        takes_nothing=record.state == ReturnState.NOTHING or record.points_taken == 0,
    )


def _money(amount: Decimal, currency: str) -> Money:
    return Money(amount=amount.quantize(smallest_unit(currency)), currency=currency)
