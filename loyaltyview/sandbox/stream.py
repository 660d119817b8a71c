"""The event stream: who listens, and one request per event until the listener has it.

Source: contract sections 6.1 to 6.3; the time-out, the retry schedule and the stop rule are its
assumptions: 2xx delivered, 410 stops the integration, any other answer below 500 rejects the event, a
5xx, a time-out or a broken connection is tried again after 1, 5, 30, 120 and 600 s, then the
integration stops. Starting it again delivers what waited.
"""

import random
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import requests

from loyaltyview.sandbox.answers import Json, timestamp, to_json
from loyaltyview.sandbox.config import SandboxConfig

RETRY_AFTER_S = (1.0, 5.0, 30.0, 120.0, 600.0)
TIMEOUT_S = 10
EVENT_NAMES = (
    "order.created",
    "order.opened",
    "order.completed",
    "order.cancelled",
    "return.processed",
)

Status = Literal["pending", "sending", "delivered", "rejected", "failed", "unheard", "lost"]


@dataclass(slots=True, kw_only=True)
class Integration:
    """One listener. An empty `event_filter` means every event; without `api_key` no Authorization is sent."""

    integration_id: str
    callback_url: str
    api_key: str | None = None
    event_filter: tuple[str, ...] = ()
    integration_type: str = "permanent"
    starts_at: str | None = None
    ends_at: str | None = None
    status: Literal["running", "stopped"] = "running"


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One event on its way to one listener; `unheard` without any, `lost` where the switch says so.
    `attempts` says how each try ended."""

    number: int
    name: str
    payload: Json
    body: bytes
    integration_id: str
    status: Status = "pending"
    due_at: float = 0
    attempts: list[str] = field(default_factory=list)
    created_at: str = field(default_factory=timestamp)
    http_status: int | None = None


class EventStream:
    """All integrations and deliveries. `clock` (seconds, only ever growing) is injected by tests."""

    def __init__(self, config: SandboxConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._clock = clock
        self._changed = threading.Condition(threading.RLock())
        self._thread: threading.Thread | None = None
        self._closing = False
        self.integrations: dict[str, Integration] = {}
        self.deliveries: list[Delivery] = []

    def register(
        self,
        callback_url: str,
        api_key: str | None,
        *,
        integration_id: str = "",
        event_filter: Sequence[str] = EVENT_NAMES,
    ) -> Integration:
        """Add a listener; it runs at once."""
        integration = Integration(
            integration_id=integration_id or uuid.uuid4().hex,
            callback_url=callback_url,
            api_key=api_key,
            event_filter=tuple(event_filter),
        )
        with self._changed:
            self.integrations[integration.integration_id] = integration
        return integration

    def emit(self, name: str, payload: Json) -> list[Delivery]:
        """Put an event on its way to everyone who listens to it."""
        envelope = {
            "tenant": self._config.tenant,
            "name": name,
            "published_at": timestamp(),
            "payload": payload,
        }
        body = to_json(envelope).encode()
        with self._changed:
            listeners = [
                integration.integration_id
                for integration in self.integrations.values()
                if not integration.event_filter or name in integration.event_filter
            ]
            if not listeners:
                return [self._queue(name, payload, body, "", "unheard")]
            times = 2 if self._config.duplicate_events else 1
            status: Status = "lost" if self._config.lose_events else "pending"
            delay_s = self._config.delay_events_s
            return [
                self._queue(name, payload, body, listener, status, delay_s) for listener in listeners * times
            ]

    def send_again(self, number: int) -> Delivery:
        """Send the very same bytes once more: a duplicate. LookupError for an unknown number."""
        with self._changed:
            old = self.deliveries[number] if 0 <= number < len(self.deliveries) else None
            if old is None or not old.integration_id:
                raise LookupError(number)
            return self._queue(old.name, old.payload, old.body, old.integration_id)

    def _queue(
        self,
        name: str,
        payload: Json,
        body: bytes,
        integration_id: str,
        status: Status = "pending",
        delay_s: float = 0,
    ) -> Delivery:
        delivery = Delivery(
            number=len(self.deliveries),
            name=name,
            payload=payload,
            body=body,
            integration_id=integration_id,
            status=status,
            due_at=self._clock() + delay_s,
        )
        self.deliveries.append(delivery)
        self._changed.notify_all()
        return delivery

    def set_running(self, integration_id: str, *, running: bool) -> None:
        """Start or stop a listener; what failed before is due again after a start."""
        with self._changed:
            self.integrations[integration_id].status = "running" if running else "stopped"
            for delivery in self.deliveries:
                if running and delivery.integration_id == integration_id and delivery.status == "failed":
                    delivery.status, delivery.attempts, delivery.due_at = "pending", [], self._clock()
            self._changed.notify_all()

    def deliver_due(self) -> float | None:
        """Send what is due now, in this thread. Seconds until the next is due; None when nothing waits."""
        while due := self._claim(everything=False):
            for delivery in due:
                self._send(delivery)
        with self._changed:
            waiting = [delivery.due_at for delivery in self._pending()]
            return max(0.0, min(waiting) - self._clock()) if waiting else None

    def flush(self) -> None:
        """Send everything that waits once, in this thread, whenever it is due."""
        for delivery in self._claim(everything=True):
            self._send(delivery)

    def wait_idle(self, timeout_s: float = 10) -> bool:
        """Wait until nothing is on its way to a running listener; False when the time is over."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._busy(), timeout_s)

    def start(self) -> None:
        """Deliver in a thread of our own until `close`."""
        self._thread = threading.Thread(target=self._run, name="sandbox-events", daemon=True)
        self._thread.start()

    def close(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        while True:
            wait_s = self.deliver_due()
            with self._changed:
                if self._closing:
                    return
                now = self._clock()
                if not any(delivery.due_at <= now for delivery in self._pending()):
                    self._changed.wait(wait_s)
                if self._closing:
                    return

    def _pending(self) -> list[Delivery]:
        return [
            delivery
            for delivery in self.deliveries
            if delivery.status == "pending" and self.integrations[delivery.integration_id].status == "running"
        ]

    def _busy(self) -> bool:
        return bool(self._pending()) or any(delivery.status == "sending" for delivery in self.deliveries)

    def _claim(self, *, everything: bool) -> list[Delivery]:
        with self._changed:
            now = self._clock()
            due = [delivery for delivery in self._pending() if everything or delivery.due_at <= now]
            for delivery in due:
                delivery.status = "sending"
            if self._config.shuffle_events:
                random.shuffle(due)
            return due

    def _send(self, delivery: Delivery) -> None:
        integration = self.integrations[delivery.integration_id]
        if integration.status == "stopped":  # by an earlier event of the same batch
            with self._changed:
                delivery.status = "pending"
                self._changed.notify_all()
            return
        headers = {"Content-Type": "application/json"}
        if integration.api_key:
            headers["Authorization"] = f"Bearer {integration.api_key}"
        try:
            response = requests.post(
                integration.callback_url,
                data=delivery.body,
                headers=headers,
                timeout=TIMEOUT_S,
                allow_redirects=False,
            )
            status, outcome = response.status_code, f"HTTP {response.status_code}"
        except requests.RequestException as error:
            status, outcome = None, type(error).__name__
        with self._changed:
            self._settle(delivery, integration, status, outcome)
            self._changed.notify_all()

    def _settle(self, delivery: Delivery, integration: Integration, status: int | None, outcome: str) -> None:
        delivery.http_status = status
        delivery.attempts.append(outcome)
        if status is not None and 200 <= status < 300:
            delivery.status = "delivered"
        elif status == 410:
            delivery.status, integration.status = "failed", "stopped"
        elif status is not None and status < 500:
            delivery.status = "rejected"
        elif len(delivery.attempts) <= len(RETRY_AFTER_S):
            delivery.status = "pending"
            delivery.due_at = self._clock() + RETRY_AFTER_S[len(delivery.attempts) - 1]
        else:
            delivery.status, integration.status = "failed", "stopped"
