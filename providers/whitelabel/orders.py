"""Sales earn, returns and cancelled orders take back: each told to the engine once. How a sale is told is in
`reporting`.

Source: docs/contracts/whitelabel.md 2.7. There is no standard for returns: the tenant's own event type
(`return_type`), or the command that adjusts points. No balance is taken below zero; what could not be
taken is owed: the next return of the same order takes it, or the refund of a spend that had the points
(`release`).
"""

from contextlib import ExitStack
from decimal import ROUND_FLOOR, Decimal

from providers.errors import RejectReason, Unavailable
from providers.journal.booking import locked
from providers.journal.delivery import deliver, resolve
from providers.journal.models import Write, WriteKind, WriteState
from providers.journal.spending import Found, Made
from providers.journal.states import advance, note
from providers.sales import Order, PointsChange, Return
from providers.whitelabel import events
from providers.whitelabel.client import Client, Json, rejecting
from providers.whitelabel.members import available_points
from providers.whitelabel.release import TAKING
from providers.whitelabel.reporting import (
    earned_points,
    is_new_member,
    look_for_sale,
    report_once,
    request_of,
)
from providers.whitelabel.worth import sale_amount

ADJUSTED = "POINTS_ADJUSTED"


def record_order(client: Client, order: Order) -> PointsChange:
    """Report the sale once; return what it earned, None while the engine has not decided. One without a
    member earns nothing and is reported only where the program asks for it."""
    if not order.member_ref and not client.settings.report_all_sales:
        return PointsChange(points=0)
    sale, _is_new = client.journal.open(
        WriteKind.SALE,
        order.order_id,
        order_id=order.order_id,
        member_ref=order.member_ref,
        amount=order.earn_base.amount,
    )

    if is_new_member(sale, order):
        note(sale, member_ref=order.member_ref)
    report_once(client, sale, order)
    return PointsChange(points=earned_points(client, sale, is_patient=True))


def record_return(client: Client, ret: Return) -> PointsChange:
    """Take back, once, what the returned goods earned."""
    sale = _sale_of(client, ret.order_id)
    if sale is None:
        return PointsChange(points=0)
    if not sale.member_ref:
        return _undo_without_member(client, sale, WriteKind.RETURN, ret.return_id, ret.net.amount, ret.store)
    amount = None if ret.is_complete else ret.net.amount
    return _take_back(client, sale, WriteKind.RETURN, ret.return_id, amount, ret.member_ref, ret.store)


def cancel_order(client: Client, order: Order) -> PointsChange:
    """Take back all that the order earned and that no return took; an unknown order: nothing."""
    sale = _sale_of(client, order.order_id)
    if sale is None:
        return PointsChange(points=0)
    resolve(sale, lambda: look_for_sale(client, sale), client.settled_after)
    if sale.state == WriteState.PLANNED and advance(sale, WriteState.PLANNED, WriteState.VOID):
        return PointsChange(points=0)
    if not sale.member_ref:
        return _undo_without_member(
            client, sale, WriteKind.CANCEL, order.order_id, sale.amount or Decimal(0), order.store
        )
    return _take_back(client, sale, WriteKind.CANCEL, order.order_id, None, order.member_ref, order.store)


def _sale_of(client: Client, order_id: str) -> Write | None:
    sale = client.journal.get(WriteKind.SALE, order_id)
    return None if sale is None or sale.state == WriteState.VOID else sale


def _undo_without_member(
    client: Client, sale: Write, kind: WriteKind, key: str, amount: Decimal, store: str
) -> PointsChange:
    """Tell of goods that came back from a sale without a member, where the tenant has an event type for it:
    no points move."""
    write, _is_new = client.journal.open(
        kind, key, order_id=sale.key, amount=amount, points=0, detail={"owed": 0, "paid": 0}
    )
    if client.settings.return_type:
        _send(client, write, store)
    else:
        advance(write, WriteState.PLANNED, WriteState.DONE)
    return PointsChange(points=0)


def _take_back(
    client: Client,
    sale: Write,
    kind: WriteKind,
    key: str,
    amount: Decimal | None,
    member_ref: str,
    store: str,
) -> PointsChange:
    """Take back what goods of this amount earned; without an amount all that is left."""
    earned = earned_points(client, sale, is_patient=False)
    if earned is None:
        raise Unavailable("the engine has not decided yet what the sale earned")
    balance = max(available_points(client, member_ref), 0)
    write = _plan(client, sale, kind, key, amount, earned, balance)
    if write.points:
        _send(client, write, store)
    else:
        advance(write, WriteState.PLANNED, WriteState.DONE)
    return PointsChange(points=write.points)


def _plan(
    client: Client,
    sale: Write,
    kind: WriteKind,
    key: str,
    amount: Decimal | None,
    earned: int,
    balance: int,
) -> Write:
    """Return the row of this taking back, its points fixed when it is first seen: pro rata of everything
    returned so far, rounded for the member, less what was taken before, and never beyond the balance."""
    with locked(sale), ExitStack() as stack:
        if known := client.journal.get(kind, key):
            return known
        rows = list(client.journal.writes(order_id=sale.key, kind__in=TAKING))
        before = [stack.enter_context(locked(row)) for row in rows]
        taken = sum(row.detail["paid"] - (row.points or 0) for row in before)
        base = sale.amount or Decimal(0)
        returned = base
        if amount is not None:
            returned = min(sum((row.amount or Decimal(0) for row in before), amount), base)
        due = int((earned * returned / base).to_integral_value(ROUND_FLOOR)) if base else earned
        wanted = max(due - taken, 0)
        points = min(wanted, balance)
        for row in before:  # this return owes what those before it could not take, too
            note(row, detail={**row.detail, "owed": 0})
        write, _is_new = client.journal.open(
            kind,
            key,
            order_id=sale.key,
            member_ref=sale.member_ref,
            amount=amount,
            points=-points,
            detail={"owed": wanted - points, "paid": 0},
        )
        return write


def _send(client: Client, write: Write, store: str) -> None:
    kind, request = client.settings.return_type, request_of(write)

    def report() -> Made:
        payload = client.names.payload(
            {
                "points_points": -(write.points or 0),
                "points_cart": write.order_id,
                "points_store": store,
                "points_request": request,
                "return_id": write.key,
                "return_amount": sale_amount(client, write.amount or Decimal(0)),
            }
        )
        with rejecting(RejectReason.INVALID_INPUT):
            event = events.report(client, kind, write.member_ref, payload)
        return Made(ref=events.event_id(event))

    def adjust() -> None:
        """Source: OpenAPI, adjust_points; `actorId` is the member."""
        body = {
            "points": write.points,
            "actorId": write.member_ref,
            "comment": _comment(request),
            "impactType": "EARN",
        }
        with rejecting(RejectReason.INVALID_INPUT):
            client.send("/commands/adjust_points", body, operation="adjust_points")

    def look() -> Found:
        if kind:
            return events.find_request(client, write, kind, "points_request", request)
        return events.find_event(client, write, ADJUSTED, is_ours)

    def is_ours(event: Json) -> bool:
        return client.names.text(events.payload_of(event), "adjusted_comment") == _comment(request)

    deliver(write, report if kind else adjust, look, client.settled_after)


def _comment(request: str) -> str:
    return f"LoyaltyView {request}"
