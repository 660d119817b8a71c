"""The event stream: its listeners, and the requests that deliver each event.

Source: docs/contracts/newstore.md 6.1 to 6.3; time-out, retries and the stop rule are assumed there. 2xx
is delivered, 410 stops the integration, any other answer below 500 rejects the event. After a 5xx, a time-out
or a broken connection the event is tried again after 1, 5, 30, 120 and 600 s; then the integration stops. A
new start delivers the waiting events. Published events are kept, so that a temporary integration can get them
again; a new start of one that has ended sends them once more.
"""

import random
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import requests

from loyaltyview.sandbox.answers import Json, timestamp, to_json
from loyaltyview.sandbox.config import SandboxConfig
from loyaltyview.sandbox.integrations import Integration, Publication, read_time

RETRY_AFTER_S = (1.0, 5.0, 30.0, 120.0, 600.0)
TIMEOUT_S = 10
MOST_PUBLICATIONS = 5_000  # older ones cannot be sent again
EVENT_NAMES = (
    "order.created",
    "order.opened",
    "order.completed",
    "order.cancelled",
    "return.processed",
)

Status = Literal["pending", "sending", "delivered", "rejected", "failed", "unsent", "lost"]


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One event on its way to one listener: `unsent` without a listener, `lost` by the switch. `attempts`
    says how each try ended, `is_replay` that a temporary integration asked for a past event."""

    number: int
    event: Publication
    integration_id: str
    status: Status = "pending"
    due_at: float = 0
    attempts: list[str] = field(default_factory=list)
    created_at: str = field(default_factory=timestamp)
    http_status: int | None = None
    is_replay: bool = False


class EventStream:
    """All integrations and deliveries. Tests inject `clock` (seconds that only count up)."""

    def __init__(self, config: SandboxConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._clock = clock
        self._changed = threading.Condition(threading.RLock())
        self._thread: threading.Thread | None = None
        self._closing = False
        self.integrations: dict[str, Integration] = {}
        self.deliveries: list[Delivery] = []
        self._published: deque[Publication] = deque(maxlen=MOST_PUBLICATIONS)

    def register(
        self,
        callback_url: str,
        api_key: str | None,
        *,
        integration_id: str = "",
        event_filter: Sequence[str] = EVENT_NAMES,
        integration_type: str = "permanent",
        starts_at: str | None = None,
        ends_at: str | None = None,
    ) -> Integration:
        """Add a listener; it runs at once. A temporary one gets the events that were published in its
        time."""
        integration = Integration(
            integration_id=integration_id or uuid.uuid4().hex,
            callback_url=callback_url,
            api_key=api_key,
            event_filter=tuple(event_filter),
            integration_type=integration_type,
            starts_at=starts_at,
            ends_at=ends_at,
        )
        with self._changed:
            self.integrations[integration.integration_id] = integration
            if integration.is_temporary:
                self._replay(integration)
        return integration

    def emit(self, name: str, payload: Json) -> list[Delivery]:
        """Queue an event for every listener of its kind."""
        with self._changed:
            event = self._publish(name, payload)
            listeners = [each for each in self.integrations.values() if each.listens_to(event)]
            if not listeners:
                return [self._queue(event, "", "unsent")]
            return self._fan_out(event, listeners)

    def send_again(self, number: int) -> Delivery:
        """Send the same bytes again: a duplicate. Raises LookupError for an unknown number."""
        with self._changed:
            old = self.deliveries[number] if 0 <= number < len(self.deliveries) else None
            if old is None or not old.integration_id:
                raise LookupError(number)
            return self._queue(old.event, old.integration_id)

    def _publish(self, name: str, payload: Json) -> Publication:
        published_at = timestamp()
        envelope = {
            "tenant": self._config.tenant,
            "name": name,
            "published_at": published_at,
            "payload": payload,
        }
        event = Publication(
            name=name, payload=payload, body=to_json(envelope).encode(), published_at=read_time(published_at)
        )
        self._published.append(event)
        return event

    def _fan_out(
        self, event: Publication, listeners: Sequence[Integration], *, is_replay: bool = False
    ) -> list[Delivery]:
        """Queue a delivery for each listener. The switches hold for repeated events too."""
        times = 2 if self._config.duplicate_events else 1
        status: Status = "lost" if self._config.lose_events else "pending"
        return [
            self._queue(
                event,
                listener.integration_id,
                status,
                delay_s=self._config.delay_events_s,
                is_replay=is_replay,
            )
            for listener in [*listeners] * times
        ]

    def _replay(self, integration: Integration) -> None:
        for event in list(self._published):
            if integration.listens_to(event):
                self._fan_out(event, [integration], is_replay=True)
        self._end_temporary()

    def _queue(
        self,
        event: Publication,
        integration_id: str,
        status: Status = "pending",
        *,
        delay_s: float = 0,
        is_replay: bool = False,
    ) -> Delivery:
        delivery = Delivery(
            number=len(self.deliveries),
            event=event,
            integration_id=integration_id,
            status=status,
            due_at=self._clock() + delay_s,
            is_replay=is_replay,
        )
        self.deliveries.append(delivery)
        self._changed.notify_all()
        return delivery

    def set_running(self, integration_id: str, *, running: bool) -> None:
        """Start or stop a listener. After a start, failed deliveries are due again, and a temporary listener
        that had ended gets the events of its time once more."""
        with self._changed:
            integration = self.integrations[integration_id]
            is_restart = running and integration.status == "stopped"
            integration.status = "running" if running else "stopped"
            for delivery in self.deliveries:
                if running and delivery.integration_id == integration_id and delivery.status == "failed":
                    delivery.status, delivery.attempts, delivery.due_at = "pending", [], self._clock()
            if is_restart and integration.is_temporary and not self._has_work(integration):
                self._replay(integration)
            self._changed.notify_all()

    def deliver_due(self) -> float | None:
        """Send the due deliveries in this thread. Return the seconds until the next one; None when nothing
        waits."""
        while due := self._claim(everything=False):
            for delivery in due:
                self._send(delivery)
        with self._changed:
            waits_s = [delivery.due_at - self._clock() for delivery in self._pending()]
            waits_s += self._end_temporary()
            return max(0.0, min(waits_s)) if waits_s else None

    def flush(self) -> None:
        """Send every waiting delivery once, in this thread, also those that are not due."""
        for delivery in self._claim(everything=True):
            self._send(delivery)

    def wait_idle(self, timeout_s: float = 10) -> bool:
        """Wait until nothing is on its way to a running listener; return False at the time-out."""
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
                    self._changed.wait(None if wait_s is None else min(wait_s, threading.TIMEOUT_MAX))
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

    def _has_work(self, integration: Integration) -> bool:
        return any(
            delivery.status in ("pending", "sending")
            for delivery in self.deliveries
            if delivery.integration_id == integration.integration_id
        )

    def _end_temporary(self) -> list[float]:
        """Stop each temporary integration whose time has ended and that got everything. Return the seconds
        until the next one ends."""
        waits_s = []
        for each in self.integrations.values():
            if not each.is_temporary or each.status == "stopped" or self._has_work(each):
                continue
            left_s = (read_time(each.ends_at) - datetime.now(UTC)).total_seconds()
            if left_s > 0:
                waits_s.append(left_s)
            else:
                each.status = "stopped"
        return waits_s

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
        if integration.status == "stopped":  # stopped by an earlier event of the same batch
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
                data=delivery.event.body,
                headers=headers,
                timeout=TIMEOUT_S,
                allow_redirects=False,
            )
            status, outcome = response.status_code, f"HTTP {response.status_code}"
        except requests.RequestException as error:
            status, outcome = None, type(error).__name__
        with self._changed:
            self._settle(delivery, integration, status, outcome)
            self._end_temporary()
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
