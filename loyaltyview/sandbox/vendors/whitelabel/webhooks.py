"""The tenant's webhook reactions: one delivery for each event, with a secret header and no signature.

Source: docs/contracts/whitelabel.md 3. Order is kept; no delivery is repeated.
"""

import json
import queue
import threading
from contextlib import suppress
from urllib.error import URLError
from urllib.request import Request, urlopen

from loyaltyview.sandbox.answers import Json
from loyaltyview.sandbox.vendors.base import VendorSetup

HEADER = "X-LoyaltyView-Token"


class Webhooks:
    """`sent` has the bodies of all deliveries, for tests. The thread starts with the first event."""

    def __init__(self, setup: VendorSetup) -> None:
        self._setup = setup
        self._queue: queue.Queue[bytes] = queue.Queue()
        self._thread: threading.Thread | None = None
        self.is_on = False
        self.sent: list[Json] = []

    def deliver(self, event: Json) -> None:
        """Deliver an event whose `subject` is the login of the member's app."""
        if not self.is_on:
            return
        body = {name: event[name] for name in ("type", "reportedAt", "subject", "payload")}
        self.sent.append(body)
        self._queue.put(json.dumps(body).encode())
        if self._thread is None:
            self._thread = threading.Thread(target=self._send, daemon=True)
            self._thread.start()

    def drain(self) -> None:
        """Wait until everything is delivered."""
        self._queue.join()

    def _send(self) -> None:
        while True:
            request = Request(
                self._setup.webhook_url,
                data=self._queue.get(),
                headers={"Content-Type": "application/json", HEADER: self._setup.secret},
            )
            with suppress(URLError, OSError):
                urlopen(request, timeout=5).close()
            self._queue.task_done()
