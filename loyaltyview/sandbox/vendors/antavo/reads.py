"""Reads: customers, their events, transactions and coupons, rewards, offers, a preview."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.clock import vendor_now
from loyaltyview.sandbox.vendors.antavo.answers import Refusal, answer, check, not_found
from loyaltyview.sandbox.vendors.antavo.state import ACCOUNT, Customer, Json, Workspace

SEARCHABLE = ("first_name", "last_name", "email", "mobile_phone")
ITEM = {
    "product_id": "string*", "product_name": "string", "product_url": "string", "price": "number",
    "quantity": "int*", "discount": "number", "subtotal": "number", "sku": "string",
    "product_category": "string", "points_rewarded": "int",
}  # fmt: skip


class Reads:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def search(self, request: Request) -> Response:
        """Search exactly and case-sensitively; answer ids only."""
        limit = _number(request, "limit")
        given = {name: value for name, value in request.args.items() if name not in ("limit", "offset")}
        is_exact = given.pop("match", "") == "exact"
        allowed = ("_id", "email", "membership_id") if is_exact else SEARCHABLE
        wanted = {name: value for name, value in given.items() if name in allowed and value}
        if not wanted:
            raise Refusal(160211, "Empty search criteria")
        found = [
            {"id": customer.customer_id}
            for customer in self._workspace.customers.values()
            if customer.status != "opted_out"
            and all(_matches(customer, name, value) for name, value in wanted.items())
        ][:limit]
        if self._workspace.search_shape == "list":
            return answer(found)
        if self._workspace.search_shape == "object" and len(found) == 1:
            return answer(found[0])
        return answer({"data": found, "next": None, "previous": None})

    def count(self, request: Request) -> Response:
        return answer({"active": sum(c.status == "active" for c in self._workspace.customers.values())})

    def customer(self, request: Request, customer_id: str) -> Response:
        _only(request, "fields")
        customer = self._workspace.customer(customer_id)
        shown = {**summary(customer), **self._points(customer), "tiers": [self._tier(customer)]}
        if "expiring_points" in request.args.get("fields", ""):
            # Its shape is not documented: assumed.
            expires_on = (vendor_now() + timedelta(days=60)).date().isoformat()
            points = min(50, max(customer.spendable, 0))
            shown["expiring_points"] = [{"points": points, "date": expires_on}] if points else []
        return answer(shown)

    def events(self, request: Request, customer_id: str) -> Response:
        _only(request, "limit", "offset", "order", "action", "points_only")
        customer = self._workspace.customer(customer_id)
        action, points_only = request.args.get("action"), request.args.get("points_only") == "true"
        found = [
            event.as_json()
            for event in customer.events
            if action in (None, event.action) and (event.points or not points_only)
        ]
        if request.args.get("order") == "desc":
            found.reverse()
        first = int(request.args.get("offset", "0"))
        return answer({"data": found[first:][: _number(request, "limit")], "prev": None, "next": None})

    def transaction(self, request: Request, customer_id: str, transaction_id: str) -> Response:
        transaction = self._transaction(customer_id, transaction_id)
        return answer({"data": [transaction.as_json()]})

    def transaction_events(self, request: Request, customer_id: str, transaction_id: str) -> Response:
        _only(request, "limit", "offset")
        self._transaction(customer_id, transaction_id)
        customer = self._workspace.customer(customer_id)
        mine = [e for e in customer.events if e.properties.get("transaction_id") == transaction_id]
        return answer({"data": [event.as_json() for event in mine]})

    def coupons_of(self, request: Request, customer_id: str) -> Response:
        _only(request, "limit", "offset", "code", "status")
        customer = self._workspace.customer(customer_id)
        mine = [c for c in self._workspace.coupons.values() if c.customer == customer.customer_id]
        return answer({"data": [coupon.as_json() for coupon in mine if coupon.status != "invalid"] or None})

    def coupons(self, request: Request) -> Response:
        _only(request, "code", "status", "limit", "page")
        code, status = request.args.get("code"), request.args.get("status")
        if not code and not status:
            raise Refusal(160311, "Empty search criteria")
        found = [
            coupon.details()
            for coupon in self._workspace.coupons.values()
            if code in (None, coupon.code) and status in (None, coupon.shown_status)
        ]
        return answer({"data": found or None})

    def offers(self, request: Request) -> Response:
        """List offers without applying them."""
        if not self._workspace.has_offers:
            raise not_found("Not found")
        body = check(
            request.get_json(force=True, silent=True),
            {"customer": "string*", "store": "string", "eligible_only": "bool", "cart": "object*"},
        )
        self._workspace.customer(body["customer"])
        cart = check(
            body["cart"],
            {"total": "number*", "discount": "number", "shipping": "number", "items": "list*"},
            "Cart",
        )
        for item in cart["items"]:
            check(item, ITEM, "cart.items")
        found = [self._offer(offer, cart) for offer in self._workspace.offers.values()]
        if body.get("eligible_only", True):
            found = [offer for offer in found if offer["is_eligible"]]
        shown = {"data": found, "eligible_only": body.get("eligible_only", True), "cart": cart}
        return answer({**shown, "customer": {"id": body["customer"]}})

    def preview(self, request: Request) -> Response:
        """Try a checkout without effect. Refusals have an envelope of their own."""
        if not self._workspace.has_preview:
            raise not_found("Not found")
        body = check(
            request.get_json(force=True, silent=True),
            {"customer": "string*", "action": "string*", "account": "string", "data": "object*"},
        )
        data = body["data"]
        for name in ("transaction_id", "total"):
            if data.get(name) in (None, ""):
                text = f"Property {name} cannot be empty"
                return answer({"code": 0, "error": text, "type": "BadRequestException"}, 400)
        customer = self._workspace.customer(body["customer"])
        points = self._workspace.earns(customer, Decimal(str(data["total"])))
        purchase = {"base": points, "bonus": 0, "points": points}
        return answer({"data": {"campaigns": [], "purchase": purchase, "accounts": []}})

    def _transaction(self, customer_id: str, transaction_id: str) -> Any:
        found = self._workspace.customer(customer_id).transactions.get(transaction_id)
        if found is None:
            raise not_found("Transaction not found")
        return found

    def _points(self, customer: Customer) -> Json:
        rate, spendable = self._workspace.burn_points, max(customer.spendable, 0)
        burn = {
            "points": rate,
            "amount": self._workspace.burn_amount,
            "currency": self._workspace.currency,
            "converted_amount": spendable // rate * self._workspace.burn_amount,
            "unconverted_points": spendable % rate,
        }
        account = {
            **ACCOUNT,
            "earned": customer.score,
            "spent": customer.spent,
            "pending": customer.pending,
            "reserved": customer.reserved,
            "expired": customer.expired,
            "spendable": customer.spendable,
            "burn_rates": [burn],
        }
        return {"reserved": customer.reserved, "accounts": [account]}

    def _tier(self, customer: Customer) -> Json:
        at = self._workspace.tier_of(customer)
        threshold, name, _multiplier = self._workspace.tiers[at]
        tier: Json = {
            "id": name.lower(),
            "name": {"en": name},
            "threshold": threshold,
            "points": customer.score,
            "structure": {"id": "main", "name": "Main"},
        }
        if at + 1 < len(self._workspace.tiers):
            above, above_name, _multiplier = self._workspace.tiers[at + 1]
            # One document types it as a string.
            missing = str(above - customer.score)
            tier["next"] = {"id": above_name.lower(), "name": {"en": above_name}, "points": missing}
        return tier

    def _offer(self, offer: Json, cart: Json) -> Json:
        in_cart = {item["product_id"] for item in cart["items"]}
        eligible = {item["id"] for item in offer["eligible_items"]}
        is_eligible = cart["total"] >= offer["min_total"] and (not eligible or bool(eligible & in_cart))
        return {**offer, "is_eligible": is_eligible}


def summary(customer: Customer) -> Json:
    """Return the customer as events answer. An empty object is [], as PHP writes it."""
    standard = ("first_name", "last_name", "email", "mobile_phone")
    custom = {name: value for name, value in customer.profile.items() if name not in standard}
    return {
        "id": customer.customer_id,
        **{name: customer.profile.get(name) or None for name in standard},
        "membership_id": customer.cards,
        "status": customer.status.capitalize(),
        "score": customer.score,
        "spent": customer.spent,
        "expired": customer.expired,
        "pending": customer.pending,
        "spendable": customer.spendable,
        "language": "en",
        "properties": custom or [],
    }


def _matches(customer: Customer, name: str, value: str) -> bool:
    if name == "_id":
        return customer.customer_id == value
    if name == "membership_id":
        return value in customer.cards
    return bool(customer.profile.get(name) == value)


def _only(request: Request, *names: str) -> None:
    for name in request.args:
        if name not in names:
            raise Refusal(0, f"Invalid parameter {name}")


def _number(request: Request, name: str, default: int = 100) -> int:
    text = request.args.get(name, str(default))
    if not text.isdecimal():
        raise Refusal(0, f"{name} should be a number")
    return int(text)
