"""The engine's events: reported, found again, and waited for.

Source: docs/contracts/whitelabel.md 2.7. Reactions run almost at once or some seconds later, and until then
the wallet still shows the points of a spend. What is on its way counts as gone: the engine itself does not
stop at zero.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.utils import timezone

from providers import clock
from providers.answers import moment
from providers.dates import timestamp
from providers.errors import UnexpectedAnswer
from providers.journal.models import Write
from providers.journal.spending import Found, Made
from providers.outbound.exchange import segment
from providers.whitelabel.client import Client, Json, Refused

# How long an event may stay without reaction before we no longer count on one.
UNSETTLED_S = 900
# Waits between two looks at an event that we just reported.
WAITS_S = (0.0, 0.3, 0.7, 1.0)
PAGES = 5
PAGE = 200

sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Search:
    """What looking through a member's events brought. `is_complete`: every event of that age was seen."""

    found: tuple[Json, ...]
    is_complete: bool


# How much more of the list is looked through than the engine's own times demand.
MARGIN = timedelta(minutes=1)


def report(
    client: Client, kind: str, ref: str, payload: Json, *, executor: str = "", at: datetime | None = None
) -> Json:
    """Report one event and return it; without `ref` it has no subject. Sent at most once; raises Refused,
    OutcomeUnknown, Unavailable, UnexpectedAnswer (as good as unknown)."""
    body = {
        "type": kind,
        **({"subject": ref} if ref else {}),
        "executor": (executor or client.settings.executor)[:128],
        "occurredAt": timestamp(at or timezone.now()),
        "payload": payload,
    }
    event = client.send("/events", body, operation=f"report_{_word(client, kind)}")
    if not isinstance(event, dict) or event_id(event) == "":
        raise UnexpectedAnswer("report: no id")
    return event


def search(client: Client, ref: str, kind: str, age: timedelta, matches: Callable[[Json], bool]) -> Search:
    """Return the member's events of one type that match, looking at least through those of this age. Every
    row is compared: how the engine's filter is spelled is assumed, and it may ignore ours. Without `ref` the
    events of everybody: a common user may have submitted a sale without a member.

    The newest event tells the engine's own time, and ages are counted back from it. Only the number of pages
    depends on them: what matches is found whatever its time says."""
    found: list[Json] = []
    since: datetime | None = None
    filters = {**({"filter_subject": ref} if ref else {}), "filter_type": kind}
    for page in range(PAGES):
        rows = client.rows("/events", operation="list_events", filters=filters, limit=PAGE, skip=page * PAGE)
        times = [moment(row.get("reportedAt")) for row in rows]
        for row in rows:
            is_theirs = not ref or client.names.text(row, "event_subject") == ref
            if row.get("type") == kind and is_theirs and matches(row):
                found.append(row)
        known = [at for at in times if at is not None]
        since = since or (max(known) - age - MARGIN if known else None)
        if len(rows) < PAGE or (since and _reaches(times, since)):
            return Search(tuple(found), True)
    return Search(tuple(found), False)


def find_request(client: Client, write: Write, kind: str, name: str, request: str) -> Found:
    """Look for the event of `write` by the request id that its payload carries under the key `name`."""
    key = client.names[name]
    return find_event(client, write, kind, lambda event: payload_of(event).get(key) == request)


def find_event(client: Client, write: Write, kind: str, matches: Callable[[Json], bool]) -> Found:
    """Look for the event of `write` among the member's events of this type."""
    age = clock.now() - (write.sent_at or write.noted_at)
    events = search(client, write.member_ref, kind, age, matches)
    made = tuple(Made(ref=event_id(event)) for event in events.found[:1])
    return Found(made=made, is_complete=bool(made) or events.is_complete)


def payload_of(event: Json) -> Json:
    """Return what an event carries."""
    payload = event.get("payload")
    return payload if isinstance(payload, dict) else {}


def event_id(event: Json) -> str:
    """Return the id as text: it is a number in some places, a text in others."""
    value = event.get("id")
    return str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""


def settled_points(client: Client, event: str) -> int | None:
    """Wait some seconds for the reactions to the event of this id; return the points that they moved
    (signed), None while they have not run."""
    return _awaited(lambda: moved_points(client, event))


def has_settled(client: Client, event: Json) -> bool:
    """Wait some seconds for the reactions to an event that was just reported; return whether they have run.
    Its own answer may say so already."""
    return says_reacted(client, event) or bool(
        _awaited(lambda: _has_reacted(client, event_id(event)) or None)
    )


def moved_points(client: Client, event: str) -> int | None:
    """Return the points that reactions to the event of this id moved, None while they have not run."""
    return reaction_points(client, event) if _has_reacted(client, event) else None


def reaction_points(client: Client, event: str) -> int | None:
    """Return the points that the reactions moved, which have run; None for an answer without points."""
    reactions = _read(client, event, "/reactions")
    points = client.names.number(reactions, "reaction_points")
    return None if points is None else int(points)


def says_reacted(client: Client, event: Json) -> bool:
    """Return whether an answer with the event says that its reactions have run."""
    return client.names.find(event, "event_reacted") is not None


def _has_reacted(client: Client, event: str) -> bool:
    data = _read(client, event)
    return isinstance(data, dict) and says_reacted(client, data)


def _read(client: Client, event: str, part: str = "") -> Any:
    operation = "get_reactions" if part else "get_event"
    try:
        return client.get(f"/events/{segment(event)}{part}", operation=operation)
    except Refused as refused:
        raise UnexpectedAnswer(str(refused)) from refused


def _awaited(look: Callable[[], int | None]) -> int | None:
    for wait_s in WAITS_S:
        if wait_s:
            sleep(wait_s)
        if (found := look()) is not None:
            return found
    return None


def mark_unsettled(client: Client, ref: str) -> None:
    """Remember that a spend of this member has not reached the wallet, for the pages."""
    cache.set(_flag(client, ref), 1, timeout=UNSETTLED_S)


def unsettled_points(client: Client, ref: str) -> int:
    """Return the points on their way out of the wallet, as far as this process group knows of any."""
    if cache.get(_flag(client, ref)) is None:
        return 0
    points = count_unsettled(client, ref)
    if not points:
        cache.delete(_flag(client, ref))
    return points


def count_unsettled(client: Client, ref: str) -> int:
    """Return the points of spends whose reaction has not run, from the engine's own list and by its clock."""
    unsettled = timedelta(seconds=UNSETTLED_S)

    def is_unsettled(event: Json) -> bool:
        at = moment(event.get("reportedAt"))
        is_young = at is None or at >= client.now() - unsettled
        return is_young and client.names.find(event, "event_reacted") is None

    found = search(client, ref, client.settings.spend_type, unsettled, is_unsettled)
    points = (payload_of(event).get(client.names["points_points"]) for event in found.found)
    return sum(int(each) for each in points if isinstance(each, int) and not isinstance(each, bool))


def _reaches(times: list[datetime | None], since: datetime) -> bool:
    """Return whether a page really runs from new to old, and beyond `since`: `order` may be ignored too."""
    known = [at for at in times if at is not None]
    return bool(known) and known == sorted(known, reverse=True) and known[-1] < since


def _word(client: Client, kind: str) -> str:
    """Return the fixed word of an event type, for metrics."""
    for name in ("sale_type", "spend_type", "refund_type", "return_type"):
        if getattr(client.settings, name) == kind:
            return name.removesuffix("_type")
    return "event"


def _flag(client: Client, ref: str) -> str:
    return f"whitelabel:{client.config.program}:unsettled:{ref}"
