"""Deliveries of this Yotpo: webhooks with a topic, and the callback that cancels a delayed code.

Source: docs/contracts/yotpo.md 11; three tries after 1, 5 and 25 s are assumed.
"""

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import requests

from loyaltyview.sandbox.answers import Json, to_json
from loyaltyview.sandbox.vendors.base import VendorSetup

RETRY_AFTER_S = (1, 5, 25)
TIMEOUT_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One delivery as it was sent; `headers` has those that we read."""

    body: bytes
    headers: dict[str, str]


class Webhooks:
    """Sends to the setup's `webhook_url`, if it has one, and keeps everything in `sent`."""

    def __init__(self, setup: VendorSetup, sleep: Callable[[float], None] = time.sleep) -> None:
        self._setup = setup
        self._sleep = sleep
        self.sent: list[Sent] = []

    def topic(self, topic: str, **objects: object) -> None:
        """Send a webhook."""
        name = topic.replace("/", " ").replace("_", " ").title()
        self._send({"topic": topic, "name": name, **objects}, {"eventid": str(uuid.uuid4())})

    def cancel_coupon(self, body: Json) -> None:
        """Tell the shop to refuse a code with delayed deduction from now on."""
        secret = self._setup.secret
        self._send({"secret": secret, **body}, {"X-Api-Secret": secret})

    def _send(self, body: Json, headers: dict[str, str]) -> None:
        sent = Sent(body=to_json(body).encode(), headers={"Content-Type": "application/json", **headers})
        self.sent.append(sent)
        if self._setup.webhook_url:
            threading.Thread(target=self._deliver, args=(sent,), daemon=True).start()

    def _deliver(self, sent: Sent) -> None:
        for pause_s in (*RETRY_AFTER_S, 0):
            try:
                response = requests.post(
                    self._setup.webhook_url, data=sent.body, headers=sent.headers, timeout=TIMEOUT_S
                )
            except requests.RequestException:
                response = None
            if response is not None and response.ok:
                return
            self._sleep(pause_s)
