"""The Receipts API: an order is stored, and the engine gets ORDER_PLACED.
Source: docs/contracts/whitelabel.md 2.11. The body is assumed, except for the submitter."""

import uuid

from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.answers import Json, faults
from loyaltyview.sandbox.vendors.whitelabel.answers import Fail, check_text, read_body, success
from loyaltyview.sandbox.vendors.whitelabel.state import ORDER_PLACED, State

ORDER = {
    "submitter": "object",
    "externalId": "string*",
    "placedAt": "string*",
    "total": "number*",
    "currency": "string*",
    "venueIdentifier": "string",
    "cashierIdentifier": "string",
    "items": "array*",
    "discounts": "array",
    "metadata": "object*",
}
ITEM = {"sku": "string*", "quantity": "number*", "price": "number*"}


class Receipts:
    def __init__(self, state: State) -> None:
        self._state = state
        self.orders: list[Json] = []
        # The vendor enables the service for a tenant.
        self.is_enabled = True
        # Whether an order needs a submitter, and whether a user's id serves as one beside the login.
        self.needs_submitter = False
        self.takes_user_ids = True
        # Whether the event of an order carries its metadata; the guides do not say.
        self.tells_metadata = True

    def place(self, request: Request) -> Response:
        if not self.is_enabled:
            raise Fail(404, "orders are not enabled for this tenant")
        body = read_body(request, ORDER)
        for name in ("externalId", "venueIdentifier", "cashierIdentifier"):
            check_text(body, name, 255)
        for item in body["items"]:
            price = {"price": int(item["price"])} if isinstance(item.get("price"), float) else {}
            if found := faults({**item, **price}, ITEM):
                raise Fail(400, "validation failed", found)
        if not isinstance(body["metadata"].get("source"), str):
            raise Fail(400, "validation failed", ["metadata.source: missing"])
        user = self._submitter(body)
        order: Json = {**body, "id": str(uuid.uuid4())}
        self.orders.append(order)
        payload: Json = {name: order[name] for name in ("id", "externalId", "total", "currency")}
        if self.tells_metadata:
            payload["metadata"] = order["metadata"]
        self._state.emit(ORDER_PLACED, user, payload, occurredAt=body["placedAt"])
        return success(order, 201)

    def _submitter(self, body: Json) -> Json | None:
        if "submitter" not in body and self.needs_submitter:
            raise Fail(400, "validation failed", ["submitter: missing"])
        if "submitter" not in body:
            return None
        name = body["submitter"].get("authIdentifier")
        if not isinstance(name, str) or set(body["submitter"]) != {"authIdentifier"}:
            raise Fail(400, "validation failed", ["submitter.authIdentifier: missing"])
        return self._state.subject(name) if self.takes_user_ids else self._state.login(name)
