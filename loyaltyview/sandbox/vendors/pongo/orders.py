"""Orders: one per store and order id. They enrol, use rewards, and are cancelled as a whole
(docs/contracts/pongo.md 5)."""

import secrets

from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.vendors.pongo import validation
from loyaltyview.sandbox.vendors.pongo.rewards import Rewards
from loyaltyview.sandbox.vendors.pongo.sample import Store
from loyaltyview.sandbox.vendors.pongo.state import Book, Customer, Order
from loyaltyview.sandbox.vendors.pongo.validation import Json, answer, check, invalid, read_body, wrapped

FIELDS = {
    "order_id": validation.string,
    "external_order_id": validation.string,
    "channel": validation.token,
    "delivery_mode": validation.token,
    "loyalty_store_slug": validation.string,
    "tablet_id": validation.integer,
    "amount": validation.integer,
    "tax_amount": validation.integer,
    "reward_ids": validation.strings,
    "status": validation.token,
    "created_at": validation.moment,
    "delivery_status": validation.token,
    "withdrawal_at": validation.moment,
    "comment": validation.string,
    "lines": validation.objects,
    "customer": validation.an_object,
    "payments": validation.objects,
    "device_id": validation.string,
    "device_name": validation.string,
}
REQUIRED = frozenset(
    {
        "order_id", "channel", "delivery_mode", "loyalty_store_slug", "amount", "status", "created_at",
        "delivery_status", "lines",
    }
)  # fmt: skip
LINE_FIELDS = {
    "id": validation.string,
    "sku": validation.string,
    "name": validation.string,
    "quantity": validation.integer,
    "unit_amount": validation.integer,
    "amount": validation.integer,
    "tax_rate": validation.integer,
    "reward_id": validation.string,
}
CUSTOMER_FIELDS = {
    "customer_public_id": validation.string,
    "international_phone_number": validation.phone,
    "email": validation.email,
    "first_name": validation.string,
    "last_name": validation.string,
    "has_optin": validation.boolean,
    "has_optin_sms": validation.boolean,
    "has_optin_email": validation.boolean,
}
PAYMENT_FIELDS = {
    "method": validation.token,
    "amount": validation.integer,
    "payment_method_hash": validation.string,
}
UPDATE_FIELDS = {
    "loyalty_store_slug": validation.string,
    "status": validation.token,
    "delivery_status": validation.token,
}
STATUSES = ("new", "accepted", "closed", "cancelled", "refunded")
TAKEN_BACK = ("cancelled", "refunded")


class Orders:
    """`cents_per_point` is the merchant's rule for earning. Without `enlists` an order of an unknown phone is
    one without a customer."""

    def __init__(self, book: Book, rewards: Rewards) -> None:
        self.book = book
        self.rewards = rewards
        self.cents_per_point = 100
        self.enlists = True

    def create(self, request: Request) -> Response:
        body = read_body(request, FIELDS, REQUIRED)
        store = self.book.store(body["loyalty_store_slug"])
        if store is None:
            raise invalid(loyalty_store_slug="The selected loyalty store slug is invalid.")
        known = self.book.orders.get((store.slug, body["order_id"]))
        if known:
            return answer({"message": "This order has already been processed.", "id": known.pongo_id}, 202)
        self._check_parts(body)
        customer = self._customer(body.get("customer") or {}, store)
        self._use_rewards(body, customer)
        points = body["amount"] // self.cents_per_point if customer else 0
        if customer:
            customer.points += points
        order = Order(
            pongo_id=f"ord_{secrets.token_hex(5)}",
            order_id=body["order_id"],
            store=store,
            customer=customer,
            points=points,
            body=body,
            status=body["status"],
        )
        self.book.orders[(store.slug, order.order_id)] = order
        summary = {"id": customer.customer_id, "points": customer.points} if customer else None
        answered = {"id": order.pongo_id, "order_id": order.order_id, "points": points, "customer": summary}
        return wrapped(answered, 201)

    def update(self, request: Request, order_id: str) -> Response:
        body = read_body(request, UPDATE_FIELDS, frozenset({"loyalty_store_slug", "status"}))
        order = self.book.orders.get((body["loyalty_store_slug"], order_id))
        if order is None:
            raise validation.not_found()
        if body["status"] not in STATUSES:
            raise invalid(status="The selected status is invalid.")
        if body["status"] in TAKEN_BACK and order.status not in TAKEN_BACK and order.customer:
            order.customer.points -= order.points
        order.status = body["status"]
        return wrapped({"id": order.pongo_id, "order_id": order.order_id, "status": order.status})

    def _check_parts(self, body: Json) -> None:
        if not body["lines"]:
            raise invalid(lines="The lines must have at least 1 item.")
        needed = frozenset({"name", "quantity", "amount"})
        for at, line in enumerate(body["lines"]):
            check(line, LINE_FIELDS, needed, f"lines.{at}.")
        for at, payment in enumerate(body.get("payments") or []):
            check(payment, PAYMENT_FIELDS, frozenset({"method", "amount"}), f"payments.{at}.")
        if body.get("customer") is not None:
            check(body["customer"], CUSTOMER_FIELDS, frozenset(), "customer.")
        # A mistake of a till that Pongo's acceptance test looks for.
        if sum(line["amount"] for line in body["lines"]) != body["amount"]:
            raise invalid(amount="The lines do not add up to the amount.")
        named = sorted(line["reward_id"] for line in body["lines"] if line.get("reward_id"))
        if named != sorted(body.get("reward_ids") or []):
            raise invalid(reward_ids="These are not the rewards of the lines.")

    def _customer(self, given: Json, store: Store) -> Customer | None:
        """Return the customer who bought; enrol an unknown phone."""
        if public_id := given.get("customer_public_id"):
            customer = self.book.customers.get(public_id)
            if customer is None:
                raise invalid(**{"customer.customer_public_id": "The selected customer is invalid."})
            return customer
        phone = validation.phone_digits(given.get("international_phone_number"))
        if not phone:
            return None
        customer = self.book.by_phone(phone)
        if customer is None and self.enlists:
            if "+" in given["international_phone_number"]:
                raise invalid(**{"customer.international_phone_number": "No leading + here."})
            customer = self.book.add_customer(phone)
            customer.store = store
            self.book.fill(customer, given)
            self.book.tell("customer.created", customer)
        return customer

    def _use_rewards(self, body: Json, customer: Customer | None) -> None:
        for reward_id in body.get("reward_ids") or []:
            if customer is None:
                raise invalid(reward_ids="Rewards need a customer.")
            self.rewards.use_in_order(customer, reward_id)
