"""Checkouts as transactions: accepted at once or pending, updated, accepted, rejected, refunded."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

from loyaltyview.sandbox.clock import vendor_now
from loyaltyview.sandbox.vendors.antavo.answers import Refusal, check
from loyaltyview.sandbox.vendors.antavo.reads import ITEM
from loyaltyview.sandbox.vendors.antavo.state import Customer, Event, Json, Transaction, Workspace

CHECKOUT = {
    "transaction_id": "string*", "total": "number", "items": "list", "points_burned": "int",
    "currency": "string", "total_quantity": "number", "effective_timestamp": "int", "auto_accept": "string",
    "points_rewarded": "int", "discount": "number", "shipping": "number", "channel": "string",
    "store": "string",
}  # fmt: skip
WHICH = {"transaction_id": "string*"}
# Only the name of this event is documented: its attributes are assumed.
REFUND_ITEM = {**WHICH, "product_id": "string*", "quantity": "int*", "subtotal": "number*"}

Action = Callable[[Customer, Json], list[Event]]


class Checkouts:
    """`actions` is the part of the Events API that is about purchases."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.actions: dict[str, tuple[dict[str, str], Action]] = {
            "checkout": (CHECKOUT, self._checkout),
            "checkout_update": ({**WHICH, "total": "number", "items": "list"}, self._update),
            "checkout_accept": (WHICH, self._accept),
            "checkout_reject": (WHICH, self._reject),
            "refund": (WHICH, self._refund),
            "partial_refund": ({**WHICH, "amount": "number*"}, self._partial_refund),
            "refund_item": (REFUND_ITEM, self._refund_item),
        }

    def _checkout(self, customer: Customer, data: Json) -> list[Event]:
        key, burned = data["transaction_id"], data.get("points_burned", 0)
        if any(key in each.transactions for each in self._workspace.customers.values()):
            raise Refusal(5003, "The transaction ID has already been used")
        for item in data.get("items", []):
            check(item, ITEM, "items")
        if burned < 0 or burned > customer.spendable:
            raise Refusal(120241, "Not enough points")
        stamp = data.get("effective_timestamp")
        at = datetime.fromtimestamp(stamp, UTC) if stamp else vendor_now()
        total = Decimal(str(data.get("total", 0)))
        transaction = Transaction(
            transaction_id=key,
            status="pending",
            total=total,
            earned=self._workspace.earns(customer, total),
            burned=burned,
            items=data.get("items", []),
            at=at,
        )
        customer.transactions[key] = transaction
        if self._workspace.accept_mode == "off":
            return self._settle(customer, transaction, "checkout", at)
        customer.pending += transaction.earned
        return [customer.note("checkout", 0, at, transaction_id=key)]

    def _update(self, customer: Customer, data: Json) -> list[Event]:
        transaction = self._pending(customer, data)
        customer.pending -= transaction.earned
        transaction.total = Decimal(str(data.get("total", transaction.total)))
        transaction.earned = self._workspace.earns(customer, transaction.total)
        customer.pending += transaction.earned
        return [customer.note("checkout_update", transaction_id=transaction.transaction_id)]

    def _accept(self, customer: Customer, data: Json) -> list[Event]:
        transaction = self._pending(customer, data)
        customer.pending -= transaction.earned
        return self._settle(customer, transaction, "checkout_accept", vendor_now())

    def _reject(self, customer: Customer, data: Json) -> list[Event]:
        transaction = self._pending(customer, data)
        customer.pending -= transaction.earned
        transaction.status = "rejected"
        return [customer.note("checkout_reject", transaction_id=transaction.transaction_id)]

    def _refund(self, customer: Customer, data: Json) -> list[Event]:
        """Take the rest of the earned points, give burned points back (assumed)."""
        transaction = self._accepted(customer, data)
        key = transaction.transaction_id
        rest = transaction.earned - transaction.taken
        customer.score -= rest
        customer.spent -= transaction.burned
        transaction.status, transaction.taken = "refunded", transaction.earned
        transaction.refunded = transaction.total
        events = [customer.note("refund", -rest, transaction_id=key)]
        if transaction.burned:
            events.append(customer.note("point_unspend", transaction.burned, transaction_id=key))
        return events

    def _partial_refund(self, customer: Customer, data: Json) -> list[Event]:
        """Take earned points in proportion to all refunds so far; burned points stay (assumed)."""
        return self._refund_amount(customer, data, Decimal(str(data["amount"])), "partial_refund")

    def _refund_item(self, customer: Customer, data: Json) -> list[Event]:
        """Refund units of one product, as if by their amount (assumed)."""
        transaction = self._accepted(customer, data)
        product, quantity = data["product_id"], data["quantity"]
        bought = sum(item["quantity"] for item in transaction.items if item["product_id"] == product)
        back = transaction.refunded_items.get(product, 0) + quantity
        if quantity <= 0 or back > bought:
            raise Refusal(112203, "More items than the transaction has")
        events = self._refund_amount(customer, data, Decimal(str(data["subtotal"])), "refund_item")
        transaction.refunded_items[product] = back
        return events

    def _refund_amount(self, customer: Customer, data: Json, amount: Decimal, action: str) -> list[Event]:
        transaction = self._accepted(customer, data)
        if amount <= 0:
            raise Refusal(112202, "The amount must be positive")
        if transaction.refunded + amount > transaction.total:
            raise Refusal(112203, "The amount is greater than the transaction total")
        transaction.refunded += amount
        due = int(transaction.earned * transaction.refunded / transaction.total)
        taken, transaction.taken = due - transaction.taken, due
        customer.score -= taken
        return [customer.note(action, -taken, transaction_id=transaction.transaction_id)]

    def _settle(self, customer: Customer, transaction: Transaction, action: str, at: datetime) -> list[Event]:
        key = transaction.transaction_id
        transaction.status = "accepted"
        customer.score += transaction.earned
        events = [customer.note(action, transaction.earned, at, transaction_id=key)]
        if transaction.burned:
            customer.spent += transaction.burned
            events.append(customer.note("point_spend", -transaction.burned, at, transaction_id=key))
        return events

    def _own(self, customer: Customer, data: Json) -> Transaction:
        found = customer.transactions.get(data["transaction_id"])
        if found is None:
            raise Refusal(103902, "The customer is not the owner of the transaction")
        return found

    def _pending(self, customer: Customer, data: Json) -> Transaction:
        found = self._own(customer, data)
        if found.status != "pending":
            raise Refusal(0, "The transaction is not pending")
        return found

    def _accepted(self, customer: Customer, data: Json) -> Transaction:
        found = self._own(customer, data)
        if found.status != "accepted":
            raise Refusal(112201, "Only accepted transactions can be refunded")
        return found
