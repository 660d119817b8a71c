"""Subscriptions, and deliveries with Pongo's signature: HMAC over body, then timestamp
(docs/contracts/pongo.md 6)."""

import hashlib
import hmac
import json
import secrets
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.vendors.pongo import validation
from loyaltyview.sandbox.vendors.pongo.state import Customer, now_text
from loyaltyview.sandbox.vendors.pongo.validation import invalid, read_body, wrapped

EVENTS = ("customer.created", "customer.updated")
FIELDS = {"event": validation.string, "url": validation.string, "secret": validation.string}
TIMEOUT_S = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    webhook_id: str
    event: str
    url: str
    secret: str


class Webhooks:
    """With `chooses_secret` the secret of the request is ignored. `sent` has the answers' statuses."""

    def __init__(self) -> None:
        self.subscriptions: dict[str, Subscription] = {}
        self.chooses_secret = False
        self.sent: list[int | str] = []
        self._threads: list[threading.Thread] = []

    def subscribe(self, request: Request) -> Response:
        body = read_body(request, FIELDS, frozenset({"event", "url"}))
        if body["event"] not in EVENTS:
            raise invalid(event="The selected event is invalid.")
        # Pongo takes https only; this machine has no certificate.
        if not body["url"].startswith("https://") and urlsplit(body["url"]).hostname != "127.0.0.1":
            raise invalid(url="The url must start with https://.")
        given = None if self.chooses_secret else body.get("secret")
        subscription = Subscription(
            webhook_id=f"whk_{secrets.token_hex(5)}",
            event=body["event"],
            url=body["url"],
            secret=given or secrets.token_hex(16),
        )
        self.subscriptions[subscription.webhook_id] = subscription
        shown = {"event": subscription.event, "url": subscription.url, "secret": subscription.secret}
        return wrapped({"id": subscription.webhook_id, **shown}, 201)

    def unsubscribe(self, _request: Request, webhook_id: str) -> Response:
        if self.subscriptions.pop(webhook_id, None) is None:
            raise validation.not_found()
        return Response(status=204)

    def tell(self, event: str, customer: Customer) -> None:
        """Deliver to each subscriber, in a thread of its own."""
        body = json.dumps({"event": event, "created_at": now_text(), "data": customer.as_json()}).encode()
        for subscription in list(self.subscriptions.values()):
            if subscription.event == event:
                thread = threading.Thread(target=self._send, args=(subscription, body), daemon=True)
                self._threads.append(thread)
                thread.start()

    def wait(self) -> None:
        """Wait until every delivery has been sent."""
        for thread in self._threads:
            thread.join()

    def _send(self, subscription: Subscription, body: bytes) -> None:
        moment = str(int(time.time()))
        signature = hmac.new(subscription.secret.encode(), body + moment.encode(), hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "Pongo-Signature": f"t={moment},v1={signature}"}
        try:
            answered = requests.post(
                subscription.url, data=body, headers=headers, timeout=TIMEOUT_S, allow_redirects=False
            )
            self.sent.append(answered.status_code)
        except requests.RequestException as error:
            self.sent.append(type(error).__name__)
