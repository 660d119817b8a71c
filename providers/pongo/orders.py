"""Orders once they are paid, and taking them back.

An order names the rewards used in it, and that uses them. A reward that no order can name (nothing to earn,
another customer's, an order sent before) is used by a call of its own: never both, for Pongo would use
up two where a customer owns two.
"""

from contextlib import suppress
from datetime import timedelta

from django.db.models import Sum

from providers import clock
from providers.answers import whole_of
from providers.errors import (
    ProviderError,
    Rejected,
    RejectReason,
    Unavailable,
    UnexpectedAnswer,
    Unsupported,
)
from providers.pongo.client import data_of, object_of
from providers.pongo.models import HOLDING, OrderState, Refund, SentOrder, Spending, SpendingState
from providers.pongo.order_body import order_body, void_body
from providers.pongo.spending import Shop, mark_confirmed, mark_used, use
from providers.pongo.swaps import follow
from providers.types import Order, PointsChange, Return, Spend

REPLAYED = 202  # "This order has already been processed." (reference, "Create an order")


def confirm(shop: Shop, spend: Spend, order: Order) -> None:
    """The order carries the code: tie the reward to it. Where `record` cannot name it, use it now."""
    row = Spending.objects.filter(program=shop.client.program, key=spend.key).first()
    if row is None or not mark_confirmed(row, order.order_id):
        raise Rejected(RejectReason.NOT_ALLOWED, "nothing is in a cart for this key")
    if row.state == SpendingState.USED:
        return
    was_sent = SentOrder.objects.filter(
        program=shop.client.program, order_id=order.order_id, state=OrderState.SENT
    ).exists()
    if was_sent or not _can_name(shop, row, order):
        use(shop, row)


def record(shop: Shop, order: Order) -> PointsChange:
    """Send the order, with the rewards used in it. Sent before is success, at Pongo and here."""
    if order.earn_base.currency != shop.currency:
        raise Rejected(RejectReason.INVALID_INPUT, f"the program earns in {shop.currency}")
    sent = SentOrder.objects.filter(program=shop.client.program, order_id=order.order_id).first()
    if sent is None:
        if not order.store:
            raise Rejected(RejectReason.INVALID_INPUT, "the store of this order is not mapped")
        sent, _created = SentOrder.objects.get_or_create(
            program=shop.client.program, order_id=order.order_id, defaults={"store_slug": order.store}
        )
    rows = _spendings(shop, order)
    if sent.state == OrderState.SENDING:
        named = [row for row in rows if _can_name(shop, row, order)]
        _send(shop, sent, order, named)
        for row in named:
            mark_used(row)
            # Orders name what a reward is one of: Pongo may have used another one than we had locked.
            if _may_own_another(row):
                with suppress(ProviderError):
                    follow(shop, row)
    for row in rows:
        if row.state == SpendingState.CONFIRMED:
            use(shop, row)
    return PointsChange(points=sent.points)


def cancel(shop: Shop, order: Order) -> PointsChange:
    """Take the whole order back. One that was never sent has earned nothing."""
    sent = SentOrder.objects.filter(program=shop.client.program, order_id=order.order_id).first()
    if sent is None:
        return PointsChange(points=0)
    names = shop.client.names
    _void(shop, sent, (names["value.status_cancelled"], names["value.status_refunded"]))
    return PointsChange(points=None)


def give_back(shop: Shop, ret: Return) -> PointsChange:
    """Note a return. When everything has come back the order is taken back; a part cannot be (Unsupported:
    no such call in the reference)."""
    program = shop.client.program
    sent = SentOrder.objects.filter(program=program, order_id=ret.order_id).first()
    if sent is None:
        return PointsChange(points=0)
    refund, _created = Refund.objects.get_or_create(
        program=program, return_id=ret.return_id, defaults={"order_id": ret.order_id, "net": ret.net.amount}
    )
    if refund.is_taken_back:
        return PointsChange(points=None)
    refunds = Refund.objects.filter(program=program, order_id=ret.order_id)
    returned = refunds.aggregate(sum=Sum("net"))["sum"]
    is_part = not ret.is_complete and returned < ret.order_earn_base.amount
    if sent.state != OrderState.VOIDED and is_part:
        raise Unsupported("points for a part of an order cannot be taken back: adjust them in Pongo by hand")
    names = shop.client.names
    _void(shop, sent, (names["value.status_refunded"], names["value.status_cancelled"]))
    refunds.update(is_taken_back=True)
    return PointsChange(points=None)


def _send(shop: Shop, sent: SentOrder, order: Order, named: list[Spending]) -> None:
    body = order_body(order, named, shop.client.names)
    SentOrder.objects.filter(pk=sent.pk).update(sent_at=clock.now())
    answer = shop.client.write("POST", shop.client.names["path.orders"], operation="create_order", body=body)
    points: int | None = None
    if answer.status != REPLAYED:
        answered = object_of(answer, RejectReason.MEMBER_NOT_FOUND)
        points = whole_of(answered, "points")
    SentOrder.objects.filter(pk=sent.pk, state=OrderState.SENDING).update(
        state=OrderState.SENT, points=points
    )
    sent.refresh_from_db()


def _void(shop: Shop, sent: SentOrder, statuses: tuple[str, str]) -> None:
    """Set the order's status at Pongo to the first of `statuses` that it takes."""
    if sent.state == OrderState.VOIDED:
        return
    path = shop.client.path("order", order=sent.order_id)
    is_settled = clock.now() > sent.sent_at + timedelta(seconds=shop.settle_s)
    refused: ProviderError = UnexpectedAnswer("no status was tried")
    for status in statuses:
        body = void_body(sent.store_slug, status, shop.client.names)
        answer = shop.client.write("PATCH", path, operation="void_order", body=body)
        if answer.status == 404:
            if sent.state == OrderState.SENDING and not is_settled:
                raise Unavailable("the order may still be on its way")
            break  # it never arrived
        try:
            if answer.status != 204:
                data_of(answer)
            break
        except Rejected as error:
            refused = error
    else:
        raise refused
    SentOrder.objects.filter(pk=sent.pk).update(state=OrderState.VOIDED)
    sent.refresh_from_db()


def _can_name(shop: Shop, row: Spending, order: Order) -> bool:
    """Return whether the order that we will send can say that `row` was used."""
    is_sent = bool(order.store) and order.earn_base.amount > 0 and order.earn_base.currency == shop.currency
    # Before the sale is complete the member is whoever redeemed; then an order has one customer.
    return is_sent and row.member_ref == (order.member_ref or row.member_ref)


def _spendings(shop: Shop, order: Order) -> list[Spending]:
    """Return the rewards of the order that are not used yet, each tied to it."""
    keys = [spend.key for spend in order.spends]
    rows = Spending.objects.filter(program=shop.client.program, key__in=keys).order_by("pk")
    return [
        row for row in rows if mark_confirmed(row, order.order_id) and row.state == SpendingState.CONFIRMED
    ]


def _may_own_another(row: Spending) -> bool:
    """Return whether the customer may own another reward of this kind: then an order may use up that one."""
    others = Spending.objects.filter(
        program=row.program, member_ref=row.member_ref, reward_id=row.reward_id, state__in=HOLDING
    ).exclude(pk=row.pk)
    return row.hashes_before is None or bool(row.hashes_before) or others.exists()
