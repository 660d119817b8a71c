"""Calls that report what was sold: orders, returns, cancellations. Each counts once by its id."""

from decimal import Decimal

from django.http import HttpRequest
from ninja import Router

from providers import clock
from providers.house.api import reports
from providers.house.api.calls.answers import OrderPoints, ReturnPoints
from providers.house.api.calls.bodies import CancellationIn, LineIn, OrderIn, ReturnIn
from providers.house.api.calls.fields import money_in
from providers.house.api.calls.scoped import caller_of, member_of, scoped
from providers.house.api.models import Scope
from providers.house.api.problems import wrong_field
from providers.sales import Order, OrderLine, Return
from providers.types import Money

router = Router(tags=["orders"])


@router.post("/orders", response=OrderPoints, summary="Report an order", **scoped(Scope.ORDERS_WRITE))
def report_order(request: HttpRequest, body: OrderIn) -> OrderPoints:
    """Report a paid order: it earns once. A repeat returns the first answer; other content under the same
    id is refused with `id_used`. An order that NewStore reported as well earns once in sum."""
    total = money_in(body.total, caller_of(request).currency, "total")
    member = member_of(request, body.member)
    order = Order(
        order_id=body.order_id,
        external_id=body.order_id,
        member_ref=member.member_id,
        placed_at=body.placed_at,
        earn_base=total,
        lines=_lines_of(body.lines, total),
        store=body.store,
    )
    return OrderPoints.model_validate(
        reports.report_order(caller_of(request).house, member, body.member, order)
    )


@router.post("/returns", response=ReturnPoints, summary="Report a return", **scoped(Scope.ORDERS_WRITE))
def report_return(request: HttpRequest, body: ReturnIn) -> ReturnPoints:
    """Report goods that came back: the points that they earned are taken back once. A return may be reported
    before its order: the order then earns less. Report each return here or in NewStore, not in both."""
    currency = caller_of(request).currency
    net = money_in(body.total, currency, "total")
    member = member_of(request, body.member)
    ret = Return(
        return_id=body.return_id,
        order_id=body.order_id,
        member_ref=member.member_id,
        returned_at=body.returned_at,
        net=net,
        order_earn_base=net,
        lines=_lines_of(body.lines, net),
        is_complete=body.is_complete,
    )
    return ReturnPoints.model_validate(
        reports.report_return(caller_of(request).house, member, body.member, ret)
    )


@router.post(
    "/cancellations", response=OrderPoints, summary="Report a cancellation", **scoped(Scope.ORDERS_WRITE)
)
def report_cancellation(request: HttpRequest, body: CancellationIn) -> OrderPoints:
    """Report that a whole order is cancelled: what was confirmed with it is given back, then the points that
    are left of it are taken back. An order that is reported later earns nothing."""
    member = member_of(request, body.member)
    order = Order(
        order_id=body.order_id,
        external_id=body.order_id,
        member_ref=member.member_id,
        placed_at=clock.now(),
        earn_base=Money(amount=Decimal(0), currency=caller_of(request).currency),
    )
    return OrderPoints.model_validate(
        reports.report_cancellation(caller_of(request).house, member, body.member, order)
    )


def _lines_of(lines: list[LineIn], total: Money) -> tuple[OrderLine, ...]:
    found = tuple(
        OrderLine(
            item_id=line.line_id,
            product_id=line.product_id,
            quantity=line.quantity,
            net=Decimal(line.total),
        )
        for line in lines
    )
    if found and sum(line.net for line in found) != total.amount:
        raise wrong_field("lines", "their totals must add up to `total`")
    return found
