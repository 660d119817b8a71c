"""Orders: each is sent once, when it is completed. Yotpo's answer says only "received"; what it does to the
points comes later.

Sources: loyaltyapi.yotpo.com/reference/create-order, support.yotpo.com (store-associate managed loyalty). A
program may send an open order before as well (`order_sending`); the second is then taken for an update.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from providers.answers import text_of
from providers.currencies import hundredths
from providers.errors import Rejected, RejectReason, Unavailable
from providers.journal.booking import refunded
from providers.journal.delivery import deliver
from providers.journal.models import Write, WriteKind, WriteState
from providers.journal.states import advance, note
from providers.journal.states import confirm as confirm_spend
from providers.sales import Order, OrderLine, PointsChange, Spend
from providers.types import Money
from providers.yotpo.arrival import SHOWN_AFTER, is_at_yotpo, look, totals
from providers.yotpo.client import Client, is_ok
from providers.yotpo.customers import deducted_codes, fetch_by_ref
from providers.yotpo.holds import is_held, note_order
from providers.yotpo.members import is_newcomer
from providers.yotpo.refs import identity_of

LATER = PointsChange(points=None)
NOTHING = PointsChange(points=0)


def confirm(client: Client, spend: Spend, order: Order) -> None:
    """Note that an order carries the code. Held points go with the order itself, when it is completed; where
    the program sends open orders, now."""
    row = client.journal.get(WriteKind.SPEND, spend.key)
    if row is None or row.state != WriteState.DONE:
        raise Rejected(RejectReason.NOT_ALLOWED, "nothing stands under this key")
    if row.confirmed_at:
        return
    sale = client.journal.get(WriteKind.SALE, order.order_id)
    was_sent = sale is not None and sale.state != WriteState.PLANNED  # or may have been
    if client.settings.sends_open_orders:
        # An order that has earned must not become an open one again.
        has_earned = was_sent and bool(sale and sale.amount)
        status = client.settings.earning_status if has_earned else client.settings.open_status
        _Sending(client, replace(order, spends=(*order.spends, spend)), status).send()
    elif is_held(row) and was_sent:
        raise Rejected(RejectReason.NOT_ALLOWED, "the order was sent before this code was known")
    confirm_spend(row, order.order_id)


def record_order(client: Client, order: Order) -> PointsChange:
    """Send the order in the status that earns, without what came back before it was sent."""
    return LATER if _send_once(client, order, client.settings.earning_status) else NOTHING


def close_order(client: Client, order: Order) -> None:
    """Send an order that earns nothing, so that the held points of its codes go: in a status that does not
    earn, and without an amount, since not every platform looks at the status. Without held points there is
    nothing to send."""
    if any(is_held(row) for row in _redemptions(client, order.spends)):
        nothing = replace(order.earn_base, amount=Decimal(0))
        _send_once(client, replace(order, earn_base=nothing, lines=()), client.settings.open_status)


def in_cents(money: Money) -> Decimal:
    """Return the amount, rounded to cents."""
    return Decimal(hundredths(money.amount, money.currency)) / 100


def items_of(lines: tuple[OrderLine, ...], currency: str) -> list[dict[str, Any]]:
    """Return the lines by product: Yotpo's product rules and item refunds name a product, and the till lists
    each unit by itself."""
    merged: dict[str, tuple[int, Decimal]] = {}
    for line in lines:
        quantity, net = merged.get(line.product_id, (0, Decimal(0)))
        merged[line.product_id] = (quantity + line.quantity, net + line.net)
    return [
        {
            "id": product_id,
            "name": product_id,
            "quantity": quantity,
            "price_cents": hundredths(net / quantity, currency),
        }
        for product_id, (quantity, net) in merged.items()
        if quantity > 0
    ]


def _send_once(client: Client, order: Order, status: str) -> bool:
    """Send a completed order, unless Yotpo has it. Return whether Yotpo has it then: of an order that came
    back before it was sent nothing is left to send. Raises Unavailable while a lost answer leaves it open."""
    sale, _is_new = client.journal.open(
        WriteKind.SALE,
        order.order_id,
        order_id=order.order_id,
        member_ref=order.member_ref,
        amount=in_cents(order.earn_base),
        store=order.store,
    )
    if is_at_yotpo(client, sale):
        return True
    back = refunded(client.journal, order.order_id, [WriteState.DONE])
    if back:
        left = max(Decimal(0), in_cents(order.earn_base) - back)
        # The items are not known one by one; with them, Yotpo would add up more than the amount.
        order = replace(order, earn_base=replace(order.earn_base, amount=left), lines=())
        note(sale, amount=left)
    if back and not order.earn_base.amount and not any(map(is_held, _redemptions(client, order.spends))):
        advance(sale, WriteState.PLANNED, WriteState.DONE)
        return False
    sending = _Sending(client, order, status)
    deliver(sale, sending.send, lambda: look(client, sale), SHOWN_AFTER, sending.before)
    return True


def _redemptions(client: Client, spends: Iterable[Spend]) -> "QuerySet[Write]":
    """Return the rows of those spends that stand."""
    keys = [spend.key for spend in spends]
    return client.journal.writes(WriteKind.SPEND, key__in=keys, state=WriteState.DONE)


@dataclass(slots=True)
class _Sending:
    """One order on its way, with one read of its customer."""

    client: Client
    order: Order
    status: str
    customer: Mapping[str, Any] | None = None

    def before(self) -> dict[str, Any]:
        """Return what the order will change at Yotpo, as it is now."""
        self.customer = self._fetch()
        gone = deducted_codes(self.customer)
        codes = [row.vendor_ref for row in _redemptions(self.client, self.order.spends) if is_held(row)]
        if self.client.settings.sends_open_orders and self.order.earn_base.amount:
            codes = []  # the open order may take their points as well, so they say nothing about this one
        return totals(self.customer, [code for code in codes if code not in gone])

    def send(self) -> None:
        order = self.order
        # All codes go with every sending: whether a later one replaces the list or adds to it is not said.
        codes = dict.fromkeys(row.vendor_ref for row in _redemptions(self.client, order.spends))
        body = self._body(codes)
        # Before the order goes out: from here on its points may be on their way.
        note_order(self.client.journal, [spend.key for spend in order.spends])
        answer = self.client.post("/orders", operation="send_order", body=body)
        if not is_ok(answer):
            raise self.client.refusal(answer)

    def _body(self, codes: Iterable[str]) -> dict[str, Any]:
        order, settings = self.order, self.client.settings
        identity = identity_of(self.client.program, order.member_ref)
        cents = hundredths(order.earn_base.amount, order.earn_base.currency)
        body: dict[str, Any] = {
            "order_id": order.order_id,
            "customer_email": identity.get("customer_email") or self._email(),
            "total_amount_cents": str(cents) if settings.names["total_form"] == "text" else cents,
            "currency_code": order.earn_base.currency,
            "created_at": order.placed_at.astimezone(UTC).strftime(settings.names["created_at_form"]),
            "channel_type": "offline",
            # Both are required, and say nothing about a till: the checks on them are switched off.
            "ip_address": "0.0.0.0",  # noqa: S104 - a placeholder, nothing listens
            "user_agent": "LoyaltyView",
            "ignore_ip_ua": True,
        }
        optional = {
            "customer_id": identity.get("customer_id", ""),
            "status": self.status,
            "coupon_code": ",".join(codes),
            "clerk_employee_id": order.associate_id,
            **{f"store_{name}": text for name, text in settings.stores.get(order.store, {}).items()},
            "items": items_of(order.lines, order.earn_base.currency),
        }
        return body | {name: value for name, value in optional.items() if value}

    def _fetch(self) -> dict[str, Any]:
        ref = self.order.member_ref
        try:
            return fetch_by_ref(self.client, ref, with_history=True)
        except Rejected as error:
            if is_newcomer(self.client.program, ref):
                raise Unavailable("Yotpo does not find the new customer yet") from error
            raise

    def _email(self) -> str:
        """Return the e-mail that orders need, of a member who is known by an id."""
        customer = self.customer or self._fetch()
        if email := text_of(customer, "email"):
            return email
        raise Rejected(RejectReason.NOT_ALLOWED, "the customer has no e-mail")
