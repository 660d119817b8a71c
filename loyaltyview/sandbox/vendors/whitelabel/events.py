"""Reporting events, trying them, listing them. Source: docs/contracts/whitelabel.md 2.7."""

import re

from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.answers import Json, faults
from loyaltyview.sandbox.vendors.whitelabel.answers import (
    Fail,
    check_text,
    matches,
    page,
    read_body,
    read_list,
    success,
)
from loyaltyview.sandbox.vendors.whitelabel.state import RETURN_SCHEMA, RETURN_TYPE, State

TYPE = r"^[A-Z]+(_[A-Z]+)*$"
# Not anchored at the end, as in the vendor's document; the fraction is required.
OCCURRED_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|[+-]\d\d:\d\d)")
EVENT = {
    "type": "string*",
    "subject": "string",
    "executor": "string",
    "payload": "object",
    "occurredAt": "string",
}


class Events:
    def __init__(self, state: State) -> None:
        self._state = state
        # A tenant whose reactor derives the points of a spend from money, at 100 points a unit.
        self.spends_by_amount = False
        self.ignores_filters = False
        self._refund_sign = 1

    def set_refund_sign(self, sign: int) -> None:
        """Make this a tenant whose refunds report their points with this sign."""
        self._refund_sign = sign
        self._state.reactors["POINTS_REFUND"] = lambda payload: sign * payload["points"]

    def add_return_type(self) -> None:
        """Make this a tenant that has an event type for returned goods."""
        self._state.reactors[RETURN_TYPE] = lambda payload: -payload["points"]
        self._state.schemas[RETURN_TYPE] = RETURN_SCHEMA

    def collection(self, request: Request) -> Response:
        if request.method == "GET":
            asked = read_list(request, needs_order=False)
            wanted = {} if self.ignores_filters else asked["filter"]
            rows = [row for row in self._state.events if matches(row, wanted)]
            return success(page(rows, asked))
        body = self._read(request)
        user = self._state.subject(body["subject"]) if "subject" in body else None
        fields = {name: body[name] for name in ("executor", "occurredAt") if name in body}
        return success(self._state.emit(body["type"], user, body.get("payload", {}), **fields))

    def one(self, request: Request, event_id: str) -> Response:
        return success(self._get(event_id))

    def reactions(self, request: Request, event_id: str) -> Response:
        """Return the sum of points that the event moved, and its reactions."""
        event = self._get(event_id)
        points = self._state.moved.get(event["id"], 0)
        fired = [{"name": event["type"].title()}] if event["reactedAt"] else []
        return success({"points": points, "reactors": fired})

    def test_reaction(self, request: Request) -> Response:
        body = self._read(request, is_test=True)
        if "subject" in body:
            self._state.subject(body["subject"])
        payload: Json = body.get("payload", {})
        if body["type"] == "REDEEMED_POINTS" and "points" not in payload:
            points = -int(payload["amount"] * 100)
        else:
            points = self._state.reactors[body["type"]](payload)
        reaction = {"type": "POINTS", "points": points}
        return success([{"reactor": {"id": body["type"], "name": body["type"]}, "reactions": [reaction]}])

    def _get(self, event_id: str) -> Json:
        for event in self._state.events:
            if str(event["id"]) == event_id:
                return event
        raise Fail(404, "event not found")

    def _read(self, request: Request, *, is_test: bool = False) -> Json:
        body = read_body(request, EVENT)
        check_text(body, "type", 64, TYPE)
        check_text(body, "subject", 128)
        check_text(body, "executor", 128)
        if "occurredAt" in body and not OCCURRED_AT.match(body["occurredAt"]):
            raise Fail(400, "validation failed", ["occurredAt: fractional seconds are required"])
        if body["type"] not in self._state.schemas:
            raise Fail(400, "unknown or intrinsic event type")
        self._check_payload(body["type"], body.get("payload", {}), is_test=is_test)
        if body.get("payload", {}).get("points") == 0 and "subject" in body:
            raise Fail(400, "payload does not match the schema", ["points: must not be 0"])
        return body

    def _check_payload(self, kind: str, payload: Json, *, is_test: bool) -> None:
        shape = self._state.schemas[kind]
        if kind == "REDEEMED_POINTS" and self.spends_by_amount and is_test:
            shape = {**shape, "points": "number", "amount": "number"}
        values = {key: int(value) if isinstance(value, float) else value for key, value in payload.items()}
        found = faults(values, shape)
        sign = self._refund_sign if kind == "POINTS_REFUND" else 1
        if not found and payload.get("points", sign) * sign < 0:
            found.append("points: of the wrong sign")
        if found:
            raise Fail(400, "payload does not match the schema", found)
