"""Orders, refunds and adjustments: received at once, applied at once or by `apply`.

Source: docs/contracts/yotpo.md 9 and 10.1. What a second order of one id does is not documented: `REPEATS`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from typing import Literal

from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.answers import ApiError, Json, answer, faults
from loyaltyview.sandbox.vendors.yotpo.answers import find_customer, invalid, read_body
from loyaltyview.sandbox.vendors.yotpo.state import Books, Order
from loyaltyview.sandbox.vendors.yotpo.views import customer_json
from loyaltyview.sandbox.vendors.yotpo.webhooks import Webhooks

ORDER = {
    "customer_email": "string*",
    "total_amount_cents": "string|number*",
    "currency_code": "string*",
    "order_id": "string*",
    "ip_address": "string*",
    "user_agent": "string*",
    "ignore_ip_ua": "boolean",
    **dict.fromkeys(
        (
            "customer_id", "status", "created_at", "coupon_code", "tags", "channel_type", "clerk_employee_id",
            "clerk_name", "store_address", "store_city", "store_state",
        ),
        "string",
    ),
    "discount_amount_cents": "number",
    "items": "array",
    "customer": "object",
}  # fmt: skip
ITEM = {
    "id": "string*", "name": "string", "quantity": "number*", "price_cents": "number*",
    "collections": "string", "type": "string", "vendor": "string",
}  # fmt: skip
REFUND = {
    "order_id": "string*", "total_amount_cents": "number*", "id": "string", "items": "array",
    "currency": "string",
}  # fmt: skip
ADJUST = {
    "customer_email": "string", "customer_id": "string", "point_adjustment_amount": "number*",
    "apply_adjustment_to_points_earned": "boolean", "history_title": "string",
    "visible_to_customer": "boolean",
}  # fmt: skip

# The second order of one id is dropped, as Yotpo's Reviews API does; or updates the first; or counts again.
Repeats = Literal["dropped", "updated", "counted"]


@dataclass(slots=True, kw_only=True)
class OrderDesk:
    """`status_regex` says which orders earn. With `is_delayed`, received orders wait for `apply`. The
    reference has the total as a number, a sample as a text: `total_type` is what this account takes."""

    books: Books
    webhooks: Webhooks
    status_regex: str = "paid"
    points_per_unit: int = 1
    is_delayed: bool = False
    repeats: Repeats = "dropped"
    total_type: type[int] | type[str] = int
    last_refund: Json = field(default_factory=dict)
    _jobs: list[Callable[[], None]] = field(default_factory=list)

    def create(self, request: Request) -> Response:
        body = read_body(request, ORDER)
        _check_items(body, ITEM)
        if body.get("channel_type", "offline") not in ("online", "offline"):
            raise invalid("channel_type", "is not included in the list")
        body["total_amount_cents"] = self._total(body["total_amount_cents"])
        _check_created_at(body.get("created_at"))
        find_customer(self.books, {"customer_email": body["customer_email"]})
        self._receive(lambda: self._apply_order(body))
        return answer({})

    def refund(self, request: Request) -> Response:
        body = read_body(request, REFUND)
        _check_items(body, {"id": "string*", "quantity": "number*"})
        self.last_refund = body
        self._receive(lambda: self._apply_refund(body))
        return answer({})

    def adjust(self, request: Request) -> Response:
        body = read_body(request, ADJUST)
        customer = find_customer(self.books, body)
        points = body["point_adjustment_amount"]
        if customer.points_balance + points < 0:
            raise invalid("amount", "is greater than the customer's balance")
        self.books.add_points(
            customer,
            points,
            body.get("history_title", "Adjustment"),
            earned=bool(body.get("apply_adjustment_to_points_earned")),
        )
        return answer({})

    def apply(self) -> None:
        """Apply everything that was received and waits."""
        while self._jobs:
            self._jobs.pop(0)()

    def _total(self, given: object) -> int:
        if type(given) is not self.total_type or not re.fullmatch(r"\d+", str(given)):
            raise invalid("total_amount_cents", f"must be a whole number as {self.total_type.__name__}")
        return int(str(given))

    def _receive(self, job: Callable[[], None]) -> None:
        self._jobs.append(job)
        if not self.is_delayed:
            self.apply()

    def _apply_order(self, body: Json) -> None:
        customer = find_customer(self.books, {"customer_email": body["customer_email"]})
        order = self.books.orders.get(body["order_id"])
        if order is not None and self.repeats == "dropped":
            order.flags.append("repeat dropped")
            return
        if order is not None and self.repeats == "counted":
            order.flags.append("repeat counted")
            order.earned, order.taken_back = None, 0
        if order is None:
            order = self.books.orders[body["order_id"]] = Order(
                order_id=body["order_id"],
                customer=customer,
                total_cents=body["total_amount_cents"],
                currency=body["currency_code"],
                body=body,
            )
        order.body, order.total_cents = body, body["total_amount_cents"]
        for code in filter(None, body.get("coupon_code", "").split(",")):
            self._use(order, code)
        if order.earned is None and re.fullmatch(self.status_regex, body.get("status", "")):
            self._earn(order)

    def _use(self, order: Order, code: str) -> None:
        redemption = self.books.redemption_of(code)
        if redemption is None or redemption.customer is not order.customer:
            order.flags.append(f"unknown code {code}")
        elif redemption.state == "cancelled":
            order.flags.append(f"cancelled code {code}")
        elif redemption.state == "pending_deduction":
            if redemption.points > order.customer.points_balance:
                order.flags.append(f"no points for {code}")
                redemption.state = "cancelled"
                return
            name = redemption.option.name
            self.books.add_points(order.customer, -redemption.points, name, earned=False, status=code)
            redemption.state = "used"
        else:
            redemption.state = "used"

    def _earn(self, order: Order) -> None:
        customer, tier = order.customer, self.books.tier_of(order.customer)
        multiplier = tier.multiplier if tier else Decimal(1)
        exact = Decimal(order.total_cents) / 100 * self.points_per_unit * multiplier
        order.earned = int(exact.to_integral_value(ROUND_FLOOR)) if customer.opt_in else 0
        customer.total_spend_cents += order.total_cents
        customer.total_purchases += 1
        if order.earned:
            self.books.add_points(customer, order.earned, "Made a purchase", earned=True)
            self.webhooks.topic(
                "swell/points/earned", email=customer.email, customer=customer_json(self.books, customer)
            )

    def _apply_refund(self, body: Json) -> None:
        order = self.books.orders.get(body["order_id"])
        if order is None:
            self.books.failed_jobs.append(f"refund of unknown order {body['order_id']}")
            return
        if body.get("currency", order.currency) != order.currency:
            self.books.failed_jobs.append(f"refund of {order.order_id} in another currency")
            return
        refund_id = body.get("id") or f"auto-{len(order.refunds)}"
        if refund_id in order.refunds:
            return
        order.refunds[refund_id] = body["total_amount_cents"]
        if not order.earned:
            return
        refunded = min(sum(order.refunds.values()), order.total_cents)
        due = order.earned * refunded // order.total_cents
        if due > order.taken_back:
            self.books.add_points(
                order.customer, order.taken_back - due, "Refund", earned=True, status="Reversed"
            )
            order.taken_back = due


def _check_created_at(given: str | None) -> None:
    """ISO 8601 by the reference, a blank between date and time in its sample: both are read."""
    try:
        datetime.fromisoformat(given or "2026-01-01")
    except ValueError as error:
        raise invalid("created_at", "is not a time") from error


def _check_items(body: Json, shape: dict[str, str]) -> None:
    for number, item in enumerate(body.get("items", [])):
        wrong = faults(item, shape) if isinstance(item, dict) else ["must be an object"]
        if wrong:
            raise ApiError(422, {"errors": [f"items[{number}]: {text}" for text in wrong]})
