"""Orders once they are paid, and taking them back.

An order names the rewards used in it, and that uses them. A reward that no order can name (nothing to earn,
another customer's, an order sent before) is used by a separate call: never both, because Pongo would use up
two where a customer owns two.

Pongo takes an order of one id once and says so, so an order may be sent again at any time. It takes points
back for whole orders only: a part is stored, and a person handles its event.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from providers.answers import whole_of
from providers.errors import (
    ProviderError,
    Rejected,
    RejectReason,
    Unavailable,
    UnexpectedAnswer,
    Unsupported,
)
from providers.journal.booking import refunded
from providers.journal.delivery import deliver, is_under_way
from providers.journal.models import OPEN, Write, WriteKind, WriteState
from providers.journal.spending import Made, is_past
from providers.journal.states import advance, end_wait, note
from providers.journal.states import confirm as confirm_spend
from providers.pongo.client import data_of, object_of
from providers.pongo.members import by_phone, enrol, newcomer_body
from providers.pongo.order_body import order_body, void_body
from providers.pongo.release import follow, is_used, use
from providers.pongo.spending import Shop
from providers.sales import Order, PointsChange, Return, Spend, SpendKind
from providers.types import Consents, Member, MemberProfile

REPLAYED = 202  # "This order has already been processed." (reference, "Create an order")


def confirm(shop: Shop, spend: Spend, order: Order) -> None:
    """The order carries the code: assign the reward to the order. Use it now where `record` cannot name
    it."""
    row = shop.journal.get(WriteKind.SPEND, spend.key)
    if row is None or not confirm_spend(row, order.order_id):
        raise Rejected(RejectReason.NOT_ALLOWED, "nothing is in a cart for this key")
    if is_used(row):
        return
    sale = _sale(shop, order.order_id)
    was_sent = sale is not None and sale.state == WriteState.DONE
    if was_sent or not _can_name(shop, row, order):
        use(shop, row)


def record(shop: Shop, order: Order) -> PointsChange:
    """Send the order, with the rewards used in it. A repetition is success, at Pongo and here."""
    if order.earn_base.currency != shop.currency:
        raise Rejected(RejectReason.INVALID_INPUT, f"the program earns in {shop.currency}")
    sale = _open_sale(shop, order)
    rows = _rewards_of(shop, order)
    if sale.state in (WriteState.PLANNED, WriteState.SENT):
        named = [row for row in rows if _can_name(shop, row, order)]
        deliver(sale, lambda: _send(shop, order, named), None, shop.settled_after)
        for row in named:
            end_wait(row)
            # Orders name the kind of a reward: Pongo may have used another one than we had locked.
            if _may_own_another(shop, row):
                with suppress(ProviderError):
                    follow(shop, row)
    for row in rows:
        if not is_used(row):
            use(shop, row)
    return PointsChange(points=sale.points)


def enlist(shop: Shop, order: Order, profile: MemberProfile, consents: Consents) -> Member:
    """Enrol a customer with the order that they paid, and return them; an existing one is returned as they
    are, and the order is not sent. A repetition sends the same order, which Pongo takes once."""
    client = shop.client
    sale = _sale(shop, order.order_id)
    known = by_phone(client, profile.phone)
    if sale is None and known:
        return enrol(client, profile, consents, order.store)  # keeps what they answered
    sale = sale or _open_sale(shop, order)
    newcomer = newcomer_body(client, profile, consents)
    deliver(sale, lambda: _send(shop, order, [], newcomer), None, shop.settled_after)
    member = by_phone(client, profile.phone)
    if member is None and not is_past(sale, shop.settled_after):
        raise Unavailable("the order was sent, and the customer is not there yet")
    # Pongo took the order and no customer: better a member without these points than none.
    member = member or enrol(client, profile, consents, order.store)
    note(sale, member_ref=member.ref)
    return member


def cancel(shop: Shop, order: Order) -> PointsChange:
    """Take the whole order back. An order that was never sent has earned nothing."""
    sale = _sale(shop, order.order_id)
    if sale is None:
        return PointsChange(points=0)
    names = shop.client.names
    _void(shop, sale, (names["value.status_cancelled"], names["value.status_refunded"]))
    return PointsChange(points=None)


def give_back(shop: Shop, ret: Return) -> PointsChange:
    """Note a return. When everything has come back the order is taken back; a part cannot be (Unsupported:
    no such call in the reference)."""
    sale = _sale(shop, ret.order_id)
    if sale is None:
        return PointsChange(points=0)
    refund, _is_new = shop.journal.open(
        WriteKind.RETURN,
        ret.return_id,
        order_id=ret.order_id,
        amount=ret.net.amount,
        member_ref=ret.member_ref,
    )
    if refund.state == WriteState.DONE:
        return PointsChange(points=None)
    is_part = not ret.is_complete and refunded(shop.journal, ret.order_id) < ret.order_earn_base.amount
    if sale.state in OPEN and is_part:
        raise Unsupported("points for a part of an order cannot be taken back: adjust them in Pongo by hand")
    names = shop.client.names
    _void(shop, sale, (names["value.status_refunded"], names["value.status_cancelled"]))
    for row in shop.journal.writes(WriteKind.RETURN, order_id=ret.order_id):
        advance(row, WriteState.PLANNED, WriteState.DONE)
    return PointsChange(points=None)


def _open_sale(shop: Shop, order: Order) -> Write:
    if not order.store and _sale(shop, order.order_id) is None:
        raise Rejected(RejectReason.INVALID_INPUT, "the store of this order is not mapped")
    sale, _is_new = shop.journal.open(
        WriteKind.SALE,
        order.order_id,
        order_id=order.order_id,
        store=order.store,
        member_ref=order.member_ref,
    )
    return sale


def _sale(shop: Shop, order_id: str) -> Write | None:
    return shop.journal.get(WriteKind.SALE, order_id)


def _send(shop: Shop, order: Order, named: list[Write], newcomer: Mapping[str, Any] | None = None) -> Made:
    body = order_body(order, named, shop.client.names, newcomer)
    answer = shop.client.write("POST", shop.client.names["path.orders"], operation="create_order", body=body)
    if answer.status == REPLAYED:
        return Made(ref=order.order_id)
    points = whole_of(object_of(answer, RejectReason.MEMBER_NOT_FOUND), "points")
    return Made(ref=order.order_id, points=points)


def _void(shop: Shop, sale: Write, statuses: tuple[str, str]) -> None:
    """Set the order's status at Pongo to the first of `statuses` that it takes."""
    if sale.state not in (WriteState.SENT, WriteState.DONE):
        advance(sale, WriteState.PLANNED, WriteState.VOID)
        return
    path = shop.client.path("order", order=sale.order_id)
    # Judged before Pongo is asked: an order that arrives in between shows in the answer.
    may_still_arrive = is_under_way(sale, shop.settled_after)
    refused: ProviderError = UnexpectedAnswer("no status was tried")
    for status in statuses:
        body = void_body(sale.store, status, shop.client.names)
        answer = shop.client.write("PATCH", path, operation="void_order", body=body)
        if answer.status == 404:
            if may_still_arrive:
                raise Unavailable("the order may still be on its way")
            if sale.state == WriteState.DONE:
                raise UnexpectedAnswer("404: an order that Pongo took is not there")
            break  # it never arrived
        try:
            if answer.status != 204:
                data_of(answer)
            break
        except Rejected as error:
            refused = error
    else:
        raise refused
    advance(sale, WriteState.SENT, WriteState.DONE)
    advance(sale, WriteState.DONE, WriteState.UNDONE)


def _can_name(shop: Shop, row: Write, order: Order) -> bool:
    """Return whether the order that we will send can name the reward of `row`."""
    is_sent = bool(order.store) and order.earn_base.amount > 0 and order.earn_base.currency == shop.currency
    # Before the sale is complete, the member is the one who redeemed; afterwards an order has one customer.
    return is_sent and row.member_ref == (order.member_ref or row.member_ref)


def _rewards_of(shop: Shop, order: Order) -> list[Write]:
    """Return the order's rewards that are not used yet, each assigned to it."""
    rows = shop.journal.writes(WriteKind.SPEND, key__in=[spend.key for spend in order.spends])
    return [row for row in rows if confirm_spend(row, order.order_id) and not is_used(row)]


def _may_own_another(shop: Shop, row: Write) -> bool:
    """Return whether the customer may own another reward of this kind: then an order may use up that one."""
    if row.item_kind == SpendKind.VOUCHER or row.shown_before:
        return True
    spends = shop.journal.writes(WriteKind.SPEND, member_ref=row.member_ref, state=WriteState.DONE)
    return any(other.detail["reward"] == row.detail["reward"] for other in spends.exclude(pk=row.pk))
