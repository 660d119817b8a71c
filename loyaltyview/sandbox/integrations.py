"""The listeners of the event stream, and the events that are published there.

Source: docs/contracts/newstore.md 6.1. A permanent integration gets the events that are
published from now on. A temporary one gets the events between `starts_at` and `ends_at`, past or future, and
then stops by itself. Whether both ends count is not documented; here they do.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from loyaltyview.sandbox.answers import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One published event. `body` holds the bytes that every listener gets."""

    name: str
    payload: Json
    body: bytes
    published_at: datetime


@dataclass(slots=True, kw_only=True)
class Integration:
    """One listener. An empty `event_filter` means every event; without `api_key` no Authorization is sent.
    `starts_at` and `ends_at` are the texts that the API received; a temporary listener has both."""

    integration_id: str
    callback_url: str
    api_key: str | None = None
    event_filter: tuple[str, ...] = ()
    integration_type: str = "permanent"
    starts_at: str | None = None
    ends_at: str | None = None
    status: Literal["running", "stopped"] = "running"

    @property
    def is_temporary(self) -> bool:
        return self.integration_type == "temporary"

    def listens_to(self, event: Publication) -> bool:
        """Return whether this event is for this listener. A stopped listener gets it after its next start."""
        if self.event_filter and event.name not in self.event_filter:
            return False
        if not self.is_temporary:
            return True
        return read_time(self.starts_at) <= event.published_at <= read_time(self.ends_at)


def read_time(text: str | None) -> datetime:
    """Return the time in a text such as 2026-03-04T15:00:00Z. Raises ValueError for other texts, and for a
    time without a zone."""
    moment = datetime.fromisoformat(text or "")
    if moment.tzinfo is None:
        raise ValueError("no zone")
    return moment
