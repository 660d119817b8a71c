"""The Events API: what each action needs, and what it does to points, coupons and transactions."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.clock import vendor_now
from loyaltyview.sandbox.vendors.antavo.answers import Refusal, answer, check
from loyaltyview.sandbox.vendors.antavo.checkouts import Checkouts
from loyaltyview.sandbox.vendors.antavo.reads import summary
from loyaltyview.sandbox.vendors.antavo.state import Customer, Event, Json, Workspace

EVENT = {
    "customer": "string*", "action": "string*", "data": "object|list", "account": "string",
    "external_id": "string",
}  # fmt: skip
PROFILE = {
    "email": "string", "first_name": "string", "last_name": "string", "mobile_phone": "string",
    "language": "string", "email_consent": "bool", "sms_consent": "bool",
}  # fmt: skip
POINTS = {"points": "int*", "effective_timestamp": "int"}
COUPON = {"code": "string*", "transaction_id": "string", "amount": "number"}
MOST_IN_BULK = 50

Action = Callable[[Customer, Json], list[Event]]


class Events:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        checkouts = Checkouts(workspace)
        self._actions: dict[str, tuple[dict[str, str], Action]] = {
            "profile": (PROFILE, self._profile),
            "opt_out": ({"reason": "string"}, self._opt_out),
            "point_add": (POINTS, self._point_add),
            "point_sub": (POINTS, self._point_sub),
            "point_unspend": ({"points": "int*", "transaction_id": "string"}, self._point_unspend),
            "reserve_points": ({"transaction_id": "string*", "points": "int*"}, self._reserve),
            "release_points": ({"transaction_id": "string*"}, self._release),
            "coupon_redeem": (COUPON, self._coupon_redeem),
            "coupon_unredeem": (COUPON, self._coupon_unredeem),
            **checkouts.actions,
        }

    def post(self, request: Request) -> Response:
        return answer(self.apply(request.get_json(force=True, silent=True)))

    def apply(self, given: object) -> Json:
        """Do what one event says; return the customer and the events that changed the spendable points."""
        customer, events = self._apply(given)
        changed = [_changed(event) for event in events if event.points]
        shown = {} if self._workspace.suppresses_pii else summary(customer)
        return {**shown, "events": changed}

    def bulk(self, request: Request) -> Response:
        """Answer always 200: every event has its own result."""
        body = check(request.get_json(force=True, silent=True), {"events": "list*"})
        results: list[Json] = []
        for event in body["events"][:MOST_IN_BULK]:
            try:
                _customer, events = self._apply(event)
                results.append({"events": [_changed(e) for e in events if e.points]})
            except Refusal as refusal:
                results.append(refusal.body())
        errors = sum("error" in result for result in results)
        return answer({"results": results, "total": len(results), "errors": errors})

    def _apply(self, given: object) -> tuple[Customer, list[Event]]:
        body = check(given, EVENT)
        if "data" not in body:
            raise Refusal(0, "Property data cannot be empty")
        data, action = body["data"] or {}, body["action"]
        if action == "opt_in":
            return self._opt_in(body["customer"], check(data, PROFILE))
        if action not in self._actions:
            # The synchronous code is not documented: assumed.
            raise Refusal(0, f"Invalid action: {action}")
        customer = self._workspace.customer(body["customer"])
        fields, act = self._actions[action]
        return customer, act(customer, check(data, fields))

    def _opt_in(self, customer_id: str, data: Json) -> tuple[Customer, list[Event]]:
        known = self._workspace.customers.get(customer_id)
        if known and known.status != "opted_out":
            raise Refusal(112101, "Customer has already been opted-in.")
        if not data.get("email") and not data.get("mobile_phone"):
            raise Refusal(0, "Property email cannot be empty")
        number = 101 + len(self._workspace.customers)
        customer = Customer(customer_id=customer_id, profile=dict(data), cards=[f"ACME-{number:06d}"])
        self._workspace.customers[customer_id] = customer
        return customer, [customer.note("opt_in")]

    def _profile(self, customer: Customer, data: Json) -> list[Event]:
        customer.profile.update(data)
        return [customer.note("profile")]

    def _opt_out(self, customer: Customer, data: Json) -> list[Event]:
        customer.status, customer.profile, customer.cards = "opted_out", {}, []
        return [customer.note("opt_out")]

    def _point_add(self, customer: Customer, data: Json) -> list[Event]:
        customer.score += _positive(data["points"])
        return [customer.note("point_add", data["points"], _when(data))]

    def _point_sub(self, customer: Customer, data: Json) -> list[Event]:
        customer.spent += _positive(data["points"])
        return [customer.note("point_sub", -data["points"], _when(data))]

    def _point_unspend(self, customer: Customer, data: Json) -> list[Event]:
        if _positive(data["points"]) > customer.spent:
            raise Refusal(112900, "Cannot unspend more than spent")
        customer.spent -= data["points"]
        tx = data.get("transaction_id")
        return [customer.note("point_unspend", data["points"], transaction_id=tx)]

    def _reserve(self, customer: Customer, data: Json) -> list[Event]:
        points, key = _positive(data["points"]), data["transaction_id"]
        if _has(customer, "reserve_points", key):
            raise Refusal(10001, 'Action "reserve_points" cannot be repeated')
        if points > customer.spendable:
            raise Refusal(120241, "Not enough points")
        customer.reservations[key] = points
        return [customer.note("reserve_points", -points, transaction_id=key)]

    def _release(self, customer: Customer, data: Json) -> list[Event]:
        points = customer.reservations.pop(data["transaction_id"], None)
        if points is None:
            raise Refusal(0, "Reservation not found")
        return [customer.note("release_points", points, transaction_id=data["transaction_id"])]

    def _coupon_redeem(self, customer: Customer, data: Json) -> list[Event]:
        coupon = self._workspace.coupon(customer, data["code"])
        if coupon.shown_status not in ("claimed", "partially_redeemed"):
            raise Refusal(1601, "Coupon not found")
        coupon.status = "redeemed"
        if coupon.balance is not None:
            amount = Decimal(str(data.get("amount", coupon.balance)))
            if amount > coupon.balance:
                raise Refusal(1606, "The coupon balance is lower than the amount")
            coupon.balance -= amount
            coupon.status = "partially_redeemed" if coupon.balance else "redeemed"
        return [customer.note("coupon_redeem", code=coupon.code, transaction_id=data.get("transaction_id"))]

    def _coupon_unredeem(self, customer: Customer, data: Json) -> list[Event]:
        coupon = self._workspace.coupon(customer, data["code"])
        if coupon.status not in ("redeemed", "partially_redeemed"):
            raise Refusal(1601, "Coupon not found")
        coupon.status = "claimed"
        if coupon.balance is not None:
            coupon.balance += Decimal(str(data.get("amount", 0)))
            coupon.status = "claimed" if coupon.balance == coupon.value else "partially_redeemed"
        return [customer.note("coupon_unredeem", code=coupon.code, transaction_id=data.get("transaction_id"))]


def _changed(event: Event) -> Json:
    shown = event.as_json()
    return {name: shown[name] for name in ("id", "action", "points", "account")}


def _has(customer: Customer, action: str, key: str) -> bool:
    return any(e.action == action and e.properties.get("transaction_id") == key for e in customer.events)


def _positive(points: int) -> int:
    if points <= 0:
        raise Refusal(0, "Property points should be positive")
    return points


def _when(data: Json) -> datetime:
    stamp = data.get("effective_timestamp")
    return datetime.fromtimestamp(stamp, UTC) if stamp else vendor_now()
