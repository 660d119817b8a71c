"""The Async Events API and its tokens: events are accepted at once and processed later, in their order."""

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.clock import vendor_now
from loyaltyview.sandbox.vendors.antavo.answers import Refusal, answer, check
from loyaltyview.sandbox.vendors.antavo.state import Json, new_id

SCOPE = "loyalty.async_events"
LIVES_S = 300  # the shortest that is documented
CLIENT_ID = "loyaltyview-auth-client"
EVENT = {
    "customer": "string*", "action": "string*", "data": "object*", "account": "string",
    "external_id": "string", "callback_url": "string",
}  # fmt: skip
ACTIONS = (
    "point_add", "checkout", "checkout_item", "checkout_update", "checkout_update_item", "checkout_accept",
    "checkout_accept_item", "checkout_reject", "partial_refund", "refund_item", "refund", "opt_in", "opt_out",
    "profile",
)  # fmt: skip
# What the token endpoint calls its refusals.
UNSUPPORTED_GRANT, INVALID_SCOPE, INVALID_REQUEST = 220014, 220015, 220011


@dataclass(slots=True, kw_only=True)
class Queued:
    body: Json
    due_at: datetime
    status: str = "queued"
    response: Json = field(default_factory=dict)


class AsyncEvents:
    """`apply` does what one event says and returns the answer of the synchronous API. `processing_s` is how
    long an event waits; with `fails` it ends in the queue of dead letters; `accepted_status` is the status
    of an accepted event, of which the documents name two."""

    def __init__(self, secret: str, apply: Callable[[object], Json]) -> None:
        self._secret = secret
        self._apply = apply
        self._tokens: dict[str, datetime] = {}
        self._events: dict[str, Queued] = {}
        self.processing_s = 2.0
        self.fails = False
        self.accepted_status = 200

    def token(self, request: Request) -> Response:
        """Issue a token for the client credentials of a Basic header. These refusals are wrapped in an
        envelope of their own."""
        pair = base64.b64encode(f"{CLIENT_ID}:{self._secret}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {pair}":
            return _refuse_token("invalid_client", 220010, "Client authentication failed", 401)
        form = request.form.to_dict()
        if set(form) != {"grant_type", "scope"}:
            return _refuse_token("invalid_request", INVALID_REQUEST, "A parameter is not allowed")
        if form["grant_type"] != "client_credentials":
            return _refuse_token("unsupported_grant_type", UNSUPPORTED_GRANT, "The grant is not supported")
        if form["scope"] != SCOPE:
            return _refuse_token("invalid_scope", INVALID_SCOPE, "The requested scope is invalid")
        token = secrets.token_urlsafe(24)
        self._tokens[token] = vendor_now() + timedelta(seconds=LIVES_S)
        shown = {"access_token": token, "token_type": "Bearer", "expires_in": LIVES_S, "scope": SCOPE}
        return answer(shown)

    def revoke_tokens(self) -> None:
        self._tokens.clear()

    def submit(self, request: Request) -> Response:
        self._authenticate(request)
        body = request.get_json(force=True, silent=True)
        try:
            event = check(body, EVENT)
        except Refusal as refusal:
            raise Refusal(203401, refusal.message) from refusal
        if event["action"] not in ACTIONS:
            raise Refusal(203404, f"Invalid action: {event['action']}")
        correlation_id = new_id()
        due_at = vendor_now() + timedelta(seconds=self.processing_s)
        self._events[correlation_id] = Queued(body=event, due_at=due_at)
        payload = {"correlation_id": correlation_id, "status": "queued"}
        return answer({"status": "success", "metadata": {}, "payload": payload}, self.accepted_status)

    def status(self, request: Request, correlation_id: str) -> Response:
        self._authenticate(request)
        found = self._events.get(correlation_id)
        if found is None:
            raise Refusal(203408, "Correlation ID not found.")
        response = found.response or {"success": [], "error": []}
        payload = {"status": found.status, "response": response}
        return answer({"status": "success", "metadata": [], "payload": payload})

    def process(self) -> None:
        """Process the events whose time has come, in the order in which they were accepted."""
        for event in self._events.values():
            if event.status != "queued" or event.due_at > vendor_now():
                continue
            if self.fails:
                event.status = "failed"
                continue
            body = {name: value for name, value in event.body.items() if name != "callback_url"}
            try:
                event.response = {"success": self._apply(body), "error": []}
                event.status = "processed"
            except Refusal as refusal:
                error = {"type": "RuntimeException", "code": refusal.code, "message": refusal.message}
                event.response = {"success": [], "error": error}
                event.status = "error"

    def _authenticate(self, request: Request) -> None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self._tokens.get(token, vendor_now()) <= vendor_now():
            raise Refusal(220052, "Bearer token authentication failed", 401, "UnauthorizedException")


def _refuse_token(error: str, code: int, message: str, status: int = 400) -> Response:
    kind = "UnauthorizedException" if status == 401 else "BadRequestException"
    details: dict[str, Any] = {"type": kind, "code": code, "message": message}
    return answer({"status": "error", "error": error, "details": details}, status)
