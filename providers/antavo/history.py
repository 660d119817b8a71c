"""A member's events at Antavo, as proof of the outcome of a write. `stories` makes lines for the page of
them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from providers.antavo.client import Client, of_member
from providers.antavo.fields import listed, moment, properties, text, whole

PAGE = 150
MOST_PAGES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    event_id: str
    action: str
    label: str
    points: int
    at: datetime
    properties: dict[str, str] = field(default_factory=dict)


def read_events(client: Client, path: str, params: dict[str, str | int]) -> tuple[StoredEvent, ...]:
    """Return the events that `path` lists."""
    return tuple(
        StoredEvent(
            event_id=text(row.get("id")),
            action=text(row.get("action")),
            label=text(row.get("label")),
            points=whole(row.get("points")),
            at=moment(row.get("timestamp")) or datetime.min.replace(tzinfo=UTC),
            properties=properties(row.get("properties")),
        )
        for row in listed(client.get(path, "list_events", params))
    )


def events_of(client: Client, ref: str, action: str) -> tuple[StoredEvent, ...]:
    """Return the member's newest events of one kind."""
    params: dict[str, str | int] = {"action": action, "order": "desc", "limit": 100}
    return read_events(client, of_member(ref, "events"), params)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Events, newest first; `has_older` where not all were read."""

    events: list[StoredEvent]
    has_older: bool


def read_all_events(client: Client, ref: str, is_enough: Callable[[list[StoredEvent]], bool]) -> Listed:
    """Return the member's events that changed points, newest first. They are read page by page until they are
    enough, at most MOST_PAGES."""
    events: list[StoredEvent] = []
    for number in range(MOST_PAGES):
        params: dict[str, str | int] = {"points_only": "true", "order": "desc", "limit": PAGE}
        if number:
            params["offset"] = number * PAGE
        page = read_events(client, of_member(ref, "events"), params)
        events += page
        if len(page) < PAGE:
            return Listed(events=events, has_older=False)
        if is_enough(events):
            break
    return Listed(events=events, has_older=True)
