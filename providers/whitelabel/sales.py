"""Sales earn, returns and cancelled orders take back: each told to the engine once.

Source: docs/contracts/whitelabel.md 2.7. There is no standard for returns: the tenant's own event type
(`return_type`), or the command that adjusts points. Nobody's balance is taken below zero; what could not be
taken is owed: the next return of the same order takes it, or the refund of a spend that had the points
(`refunds`).
"""

from collections.abc import Callable
from decimal import ROUND_FLOOR, Decimal

from django.db import transaction

from providers.errors import Rejected, RejectReason, Unavailable
from providers.types import Order, PointsChange, Return
from providers.whitelabel import settling
from providers.whitelabel.engine import Engine, Json, Refused
from providers.whitelabel.models import TAKING, Report, ReportKind, ReportState
from providers.whitelabel.outbox import age, deliver, open_report, resolve, turn
from providers.whitelabel.rate import sale_amount
from providers.whitelabel.refunds import find_request
from providers.whitelabel.spending import available_points

ADJUSTED = "POINTS_ADJUSTED"


def record_order(engine: Engine, order: Order) -> PointsChange:
    """Report the sale once; return what it earned, None while the engine has not decided."""
    row, _created = open_report(
        engine,
        ReportKind.SALE,
        order.order_id,
        order.member_ref,
        order_id=order.order_id,
        net=order.earn_base.amount,
    )
    kind, request = engine.settings.sale_type, f"sale-{order.order_id}"

    def send() -> Json:
        payload = _sale(engine, order, request)
        return settling.report(
            engine, kind, order.member_ref, payload, executor=order.associate_id, at=order.placed_at
        )

    def look(known: Report) -> settling.Search:
        return find_request(engine, known, kind, "sale_request", request)

    _deliver(row, send, look)
    return PointsChange(points=_earned(engine, row, is_patient=True))


def record_return(engine: Engine, ret: Return) -> PointsChange:
    """Take back, once, what the returned goods earned."""
    sale = _sale_of(engine, ret.order_id)
    if sale is None:
        return PointsChange(points=0)
    earned = _settled_sale(engine, sale)
    balance = max(available_points(engine, ret.member_ref), 0)
    net = None if ret.is_complete else ret.net.amount
    row = _plan(sale, ReportKind.RETURN, ret.return_id, earned, net, balance)
    return _take(engine, row, ret.order_id, ret.return_id, ret.store)


def cancel_order(engine: Engine, order: Order) -> PointsChange:
    """Take back all that the order earned and that no return took; an unknown order: nothing."""
    sale = _sale_of(engine, order.order_id)
    if sale is None:
        return PointsChange(points=0)
    if sale.state != ReportState.DONE and not _was_sent(engine, sale):
        return PointsChange(points=0)
    earned = _settled_sale(engine, sale)
    balance = max(available_points(engine, order.member_ref), 0)
    row = _plan(sale, ReportKind.CANCEL, order.order_id, earned, None, balance)
    return _take(engine, row, order.order_id, order.order_id, order.store)


def _sale(engine: Engine, order: Order, request: str) -> Json:
    """Return the tenant's payload of a sale. No personal data: events outlive the member's account."""
    names = engine.names
    items = [
        names.payload(
            {
                "item_sku": line.product_id,
                "item_quantity": line.quantity,
                "item_amount": sale_amount(engine, line.net),
            }
        )
        for line in order.lines
    ]
    benefits = [
        names.payload({"benefit_id": spend.provider_ref}) for spend in order.spends if "burned" in spend.memo
    ]
    return names.payload(
        {
            "sale_id": order.order_id,
            "sale_amount": sale_amount(engine, order.earn_base.amount),
            "sale_currency": order.earn_base.currency,
            "sale_store": order.store,
            "sale_associate": order.associate_id,
            "sale_request": request,
            "sale_items": items,
            "sale_benefits": benefits,
        }
    )


def _sale_of(engine: Engine, order_id: str) -> Report | None:
    return (
        Report.objects.filter(program=engine.config.program, kind=ReportKind.SALE, reference=order_id)
        .exclude(state=ReportState.VOID)
        .first()
    )


def _was_sent(engine: Engine, sale: Report) -> bool:
    """Return whether a sale of unknown outcome reached the engine; raise Unavailable while unknown."""

    def look(known: Report) -> settling.Search:
        kind = engine.settings.sale_type
        return find_request(engine, known, kind, "sale_request", f"sale-{known.reference}")

    resolve(sale, look)
    return not turn(sale, [ReportState.NEW], ReportState.VOID)


def _earned(engine: Engine, sale: Report, *, is_patient: bool) -> int | None:
    """Return what a reported sale earned, asking the engine until it is known."""
    if sale.points is None and sale.vendor_ref:
        if is_patient:
            points = settling.settled_points(engine, {"id": sale.vendor_ref})
        else:
            points = settling.moved_points(engine, sale.vendor_ref)
        if points is not None:
            Report.objects.filter(pk=sale.pk, points=None).update(points=max(points, 0))
            sale.refresh_from_db()
    return sale.points


def _settled_sale(engine: Engine, sale: Report) -> int:
    earned = _earned(engine, sale, is_patient=False)
    if earned is None:
        raise Unavailable("the engine has not decided yet what the sale earned")
    return earned


def _plan(
    sale: Report, kind: ReportKind, reference: str, earned: int, net: Decimal | None, balance: int
) -> Report:
    """Return the row of this taking back, its points fixed when it is first seen: pro rata of everything
    returned so far, rounded for the member, less what was taken before, and never beyond the balance."""
    with transaction.atomic():
        Report.objects.select_for_update().get(pk=sale.pk)
        known = Report.objects.filter(program=sale.program, kind=kind, reference=reference).first()
        if known:
            return known
        before = list(
            Report.objects.select_for_update()
            .filter(program=sale.program, order_id=sale.reference, kind__in=TAKING)
            .order_by("pk")
        )
        taken = sum(row.paid - (row.points or 0) for row in before)
        base = sale.net or Decimal(0)
        returned = base if net is None else min(sum((row.net or Decimal(0) for row in before), net), base)
        due = int((earned * returned / base).to_integral_value(ROUND_FLOOR)) if base else earned
        wanted = max(due - taken, 0)
        points = min(wanted, balance)
        # This return owes what those before it could not take, too.
        Report.objects.filter(pk__in=[row.pk for row in before]).update(owed=0)
        return Report.objects.create(
            program=sale.program,
            kind=kind,
            reference=reference,
            order_id=sale.reference,
            member_ref=sale.member_ref,
            net=net,
            points=-points,
            owed=wanted - points,
        )


def _take(engine: Engine, row: Report, order_id: str, return_id: str, store: str) -> PointsChange:
    if not row.points:
        turn(row, [ReportState.NEW], ReportState.DONE)
        return PointsChange(points=0)
    request = f"{row.kind}-{return_id}"
    kind = engine.settings.return_type

    def send() -> Json | None:
        if not kind:
            _adjust(engine, row, request)
            return None
        payload = engine.names.payload(
            {
                "points_points": -(row.points or 0),
                "points_cart": order_id,
                "points_store": store,
                "points_request": request,
                "return_id": return_id,
            }
        )
        return settling.report(engine, kind, row.member_ref, payload)

    def look(known: Report) -> settling.Search:
        if kind:
            return find_request(engine, known, kind, "points_request", request)

        def is_ours(event: Json) -> bool:
            comment = engine.names.text(settling.payload_of(event), "adjusted_comment")
            return comment == _comment(request)

        return settling.search(engine, known.member_ref, ADJUSTED, age(known), is_ours)

    _deliver(row, send, look)
    return PointsChange(points=row.points)


def _adjust(engine: Engine, row: Report, request: str) -> None:
    """Source: OpenAPI, adjust_points; `actorId` is the member."""
    body = {
        "points": row.points,
        "actorId": row.member_ref,
        "comment": _comment(request),
        "impactType": "EARN",
    }
    engine.send("/commands/adjust_points", body, operation="adjust_points")


def _comment(request: str) -> str:
    return f"LoyaltyView {request}"


def _deliver(row: Report, send: Callable[[], Json | None], look: Callable[[Report], settling.Search]) -> None:
    try:
        deliver(row, send, look)
    except Refused as refused:
        raise Rejected(RejectReason.INVALID_INPUT, str(refused), text=refused.message) from refused
