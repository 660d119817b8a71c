"""The Workflow's "Webhook message" node: a body that the workspace defines, with a JWT, repeated on
errors."""

import json
import secrets
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import jwt
import requests

from loyaltyview.sandbox.vendors.antavo.state import Json

ATTEMPTS = 5
PAUSE_S = 10
TIMEOUT_S = 5


class Webhooks:
    """Sends each message in its own thread. `sent` has the status of each attempt, 0 without an answer."""

    def __init__(self, url: str, secret: str, sleep: Callable[[float], None]) -> None:
        self._url = url
        # HS256 needs a long key; the workspace's secret is one.
        self._secret = secret
        self._sleep = sleep
        self.sent: list[int] = []
        self.threads: list[threading.Thread] = []

    def tell(self, body: Json) -> None:
        if self._url:
            thread = threading.Thread(target=self._deliver, args=(body,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def wait(self) -> None:
        """Wait until every message is delivered or given up."""
        for thread in self.threads:
            thread.join()

    def _deliver(self, body: Json) -> None:
        claims = {"jti": secrets.token_hex(8), "exp": datetime.now(UTC) + timedelta(minutes=5)}
        token = jwt.encode(claims, self._secret, algorithm="HS256")
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        for attempt in range(1, ATTEMPTS + 1):
            try:
                response = requests.post(self._url, json.dumps(body), headers=headers, timeout=TIMEOUT_S)
                self.sent.append(response.status_code)
            except requests.RequestException:
                self.sent.append(0)
            if 200 <= self.sent[-1] < 300 or attempt == ATTEMPTS:
                return
            self._sleep(PAUSE_S)
