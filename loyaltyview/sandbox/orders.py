"""Orders and returns: place, hand over, cancel, take back; each step emits its events.

Source: docs/contracts/newstore.md 6.5, 8.1 and 8.2. The shapes of the events are in `order_events`.
"""

import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox import order_events
from loyaltyview.sandbox.answers import Json, answer, problem
from loyaltyview.sandbox.carts import AppliedCode, Cart, Totals
from loyaltyview.sandbox.config import SandboxConfig
from loyaltyview.sandbox.sample import ASSOCIATES, Associate, Customer, Product

FIRST_NUMBER = 123
REST_VERSIONS = ("application/json", "application/x.newstore.orders+json", "*/*")
PAGED_VERSION = "application/x.newstore.orders+json;version=2"
MOST_PER_PAGE = 50


@dataclass(slots=True, kw_only=True)
class OrderItem:
    """One unit sold. `net` is its price after discounts, which contains `tax` where `is_tax_included`;
    `discounts` pairs each code with its share."""

    item_id: str
    product: Product
    discounts: tuple[tuple[AppliedCode, Decimal], ...]
    net: Decimal
    tax: Decimal
    is_tax_included: bool = False
    status: str = "opened"

    @property
    def without_tax(self) -> Decimal:
        return self.net - self.tax if self.is_tax_included else self.net

    @property
    def paid(self) -> Decimal:
        return self.without_tax + self.tax

    @property
    def order_discount(self) -> Decimal:
        return sum((share for _, share in self.discounts), Decimal("0.00"))


@dataclass(slots=True, kw_only=True)
class Order:
    """`state` is `open`, `closed` (everything handed over) or `cancelled`."""

    order_id: str
    external_id: str
    cart_id: str
    store_id: str
    currency: str
    placed_at: datetime
    customer: Customer | None
    associate: Associate
    items: tuple[OrderItem, ...]
    totals: Totals
    codes_in: str = "discounts"
    state: str = "open"

    @property
    def label(self) -> str:
        """Return the state in one word, and how many items came back."""
        back = sum(item.status == "returned" for item in self.items)
        if not back:
            return self.state
        return "returned" if back == len(self.items) else "partly returned"


class OrderError(Exception):
    """The step is not possible now; the text is for the associate."""


@dataclass(slots=True)
class OrderBook:
    """All orders by id. `emit(name, payload)` sends an event."""

    lock: threading.RLock
    emit: Callable[[str, Json], object]
    config: SandboxConfig = field(default_factory=SandboxConfig)
    orders: dict[str, Order] = field(default_factory=dict)
    returns: list[Json] = field(default_factory=list)  # the payloads of their events

    def place(self, cart: Cart, totals: Totals) -> Order:
        """Sell the cart: `order.created`, then `order.opened`, since a store sale has no grace period."""
        with self.lock:
            order = Order(
                order_id=str(uuid.uuid4()),
                external_id=f"ACM{FIRST_NUMBER + len(self.orders):06d}",
                cart_id=cart.cart_id,
                store_id=cart.store_id,
                currency=cart.currency,
                placed_at=datetime.now(UTC),
                customer=cart.customer,
                associate=ASSOCIATES[cart.associate_id],
                items=tuple(
                    OrderItem(
                        item_id=item.item_id,
                        product=item.product,
                        discounts=tuple((code, code.shares[index]) for code in totals.applied),
                        net=totals.nets[index],
                        tax=totals.taxes[index],
                        is_tax_included=totals.is_tax_included,
                    )
                    for index, item in enumerate(cart.items)
                ),
                totals=totals,
                codes_in=self.config.codes_in,
            )
            self.orders[order.order_id] = order
            self.emit("order.created", order_events.order_payload(order))
            self.emit("order.opened", order_events.order_payload(order))
            return order

    def complete(self, order: Order) -> None:
        """The customer has all goods: `order.completed`."""
        with self.lock:
            if order.state != "open":
                raise OrderError(f"The order is {order.label}.")
            order.state = "closed"
            for item in order.items:
                item.status = "completed"
            self.emit("order.completed", order_events.items_payload(order))

    def cancel(self, order: Order) -> None:
        """`order.cancelled`. It is allowed after the handover too (the sale is voided), but not after a
        return."""
        with self.lock:
            if order.state == "cancelled" or any(item.status == "returned" for item in order.items):
                raise OrderError(f"The order is {order.label}.")
            order.state = "cancelled"
            for item in order.items:
                item.status = "cancelled"
            self.emit("order.cancelled", order_events.items_payload(order))

    def take_back(self, order: Order, item_ids: Sequence[str] | None = None) -> Json:
        """Take back these items, or all that are left: `return.processed`. Return its payload."""
        with self.lock:
            if order.state != "closed":
                raise OrderError("Only goods that were handed over can come back.")
            kept = [item for item in order.items if item.status == "completed"]
            chosen = [item for item in kept if item_ids is None or item.item_id in item_ids]
            if not chosen or (item_ids is not None and len(chosen) != len(set(item_ids))):
                raise OrderError("Choose items that were not returned yet.")
            for item in chosen:
                item.status = "returned"
            payload = order_events.return_payload(order, chosen)
            self.returns.append(payload)
            self.emit("return.processed", payload)
            return payload

    def read(self, request: Request, order_id: str) -> Response:
        """`GET /v0/orders/{id}?id_type=internal|external`."""
        kind = request.args.get("id_type", "external")
        if kind not in ("internal", "external"):
            raise problem(400, "id_type must be internal or external")
        _check_version(request)
        with self.lock:
            for order in self.orders.values():
                if order_id == (order.order_id if kind == "internal" else order.external_id):
                    return answer(order_events.rest_order(order))
        raise problem(404, "order not found")

    def search(self, request: Request) -> Response:
        """`GET /v0/orders?customer_id=`, newest first; assumed: a customer must be named."""
        _check_version(request)
        customer_id = request.args.get("customer_id")
        if not customer_id:
            raise problem(400, "customer_id is missing")
        with self.lock:
            found = [
                order_events.short_order(order)
                for order in reversed(self.orders.values())
                if order.customer and order.customer.profile_id == customer_id
            ]
        if not {"offset", "count"} & set(request.args):
            return answer({"orders": found[:MOST_PER_PAGE]})
        if request.headers.get("Accept", "").replace(" ", "") != PAGED_VERSION:
            raise problem(400, "offset and count need version 2")
        offset, count = _number(request, "offset", 0), _number(request, "count", MOST_PER_PAGE)
        if not 1 <= count <= MOST_PER_PAGE:
            raise problem(400, f"count must be between 1 and {MOST_PER_PAGE}")
        return answer({"orders": found[offset : offset + count]}, mimetype=PAGED_VERSION)


def _check_version(request: Request) -> None:
    if request.headers.get("Accept", "*/*").partition(";")[0] not in REST_VERSIONS:
        raise problem(406, "not acceptable", code="not_acceptable")


def _number(request: Request, name: str, default: int) -> int:
    text = request.args.get(name, str(default))
    if not (text.isascii() and text.isdigit()):
        raise problem(400, f"{name} must be a number")
    return int(text)
