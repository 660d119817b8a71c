"""The member's points history: one line for each redemption, with how it ended, and one for each other event.

Antavo notes several events for a redemption: points are reserved, released, and spent by the order's
checkout; or a reward is claimed and revoked. The reservation has our key and the checkout the order's id, so
the journal says which of them belong together.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from django.utils.translation import gettext as _

from providers.antavo.client import Client, of_member
from providers.antavo.history import StoredEvent, read_events
from providers.journal.models import Write, WriteKind, WriteState
from providers.types import Movement

LONGEST = 50
# More events than lines are shown, because one line joins several events.
EVENTS = 150
RESERVE, RELEASE, SPEND, UNSPEND = "reserve_points", "release_points", "point_spend", "point_unspend"
CLAIM, REVOKE = "reward", "reward_revoke"
REDEMPTIONS = (RESERVE, RELEASE, SPEND, UNSPEND, CLAIM, REVOKE)


class End(Enum):
    HELD = auto()
    SPENT = auto()
    GIVEN_BACK = auto()


@dataclass(slots=True, kw_only=True)
class Story:
    """The events of one purchase that are about spent points, oldest first, and what our journal knows of
    the redemptions in it, by our key."""

    events: list[StoredEvent] = field(default_factory=list)
    spends: dict[str, Write] = field(default_factory=dict)


def list_movements(client: Client, ref: str) -> tuple[Movement, ...]:
    """Return the lines of the member's history, newest first. Reads the journal besides Antavo."""
    params: dict[str, str | int] = {"points_only": "true", "order": "desc", "limit": EVENTS}
    events = sorted(read_events(client, of_member(ref, "events"), params), key=lambda event: event.at)
    rows = client.journal.writes(WriteKind.SPEND, member_ref=ref).order_by("-pk")[:EVENTS]
    spends = {row.key: row for row in rows}
    told = [*_tell_claims(client, events, spends), *_tell_points(client, events, spends)]
    told += [_line(event) for event in events if event.points and event.action not in REDEMPTIONS]
    return tuple(sorted(told, key=lambda movement: movement.at, reverse=True)[:LONGEST])


def _tell_points(client: Client, events: list[StoredEvent], spends: dict[str, Write]) -> Iterator[Movement]:
    """Tell the points that were used as money."""
    name = client.names["event_transaction"]
    stories: dict[str, Story] = {}
    for event in events:
        if event.action not in (RESERVE, RELEASE, SPEND, UNSPEND):
            continue
        transaction = event.properties.get(name, "")
        row = spends.get(transaction)
        # Without a transaction it belongs to nothing else.
        story = stories.setdefault((row and row.order_id) or transaction or event.event_id, Story())
        story.events.append(event)
        if row:
            story.spends[transaction] = row
    for story in stories.values():
        yield from _lines(story, name)


def _lines(story: Story, name: str) -> Iterator[Movement]:
    """Return one line for each reservation in the story, and one for the points that none of them held."""
    spent = [event for event in story.events if event.action == SPEND]
    reserved = [event for event in story.events if event.action == RESERVE]
    label, rest = spent[0].label if spent else "", sum(event.points for event in story.events)
    for event in reserved:
        end = _end_of(story.spends.get(event.properties.get(name, "")), story.events)
        line = replace(event, label=label or event.label, points=0 if end is End.GIVEN_BACK else event.points)
        rest -= line.points
        yield _line(line, end)
    if rest or not reserved:
        first = spent[0] if spent else story.events[0]
        yield _line(replace(first, points=rest), End.SPENT if rest else End.GIVEN_BACK)


def _end_of(spend: Write | None, events: list[StoredEvent]) -> End:
    """Return how the redemption ended: by the journal, else by Antavo's events alone."""
    if spend and spend.state == WriteState.UNDONE:
        return End.GIVEN_BACK
    if spend and spend.state == WriteState.DONE:
        return End.HELD if spend.waits_for_order else End.SPENT
    if not sum(event.points for event in events):
        return End.GIVEN_BACK
    return End.SPENT if any(event.action == SPEND for event in events) else End.HELD


def _tell_claims(client: Client, events: list[StoredEvent], spends: dict[str, Write]) -> Iterator[Movement]:
    """Tell the claimed rewards. A revoked one is not named by its revocation: of several claims of the same
    reward it is one of as many points, and of those one that we gave back, else the newest before it."""
    name = client.names["event_reward"]
    given_back = {row.vendor_ref for row in spends.values() if row.state == WriteState.UNDONE}
    revoked: dict[str, int] = {}
    for event in events:
        if event.action != REVOKE:
            continue
        claims = [
            claim
            for claim in events
            if claim.action == CLAIM
            and claim.at <= event.at
            and claim.properties.get(name) == event.properties.get(name)
            and claim.event_id not in revoked
        ]
        claims = [claim for claim in claims if claim.points == -event.points] or claims
        ours = [claim for claim in claims if claim.event_id in given_back]
        if claims:
            revoked[(ours or claims)[-1].event_id] = event.points
        else:  # its claim is older than what was read
            yield _line(event)
    for event in events:
        if event.action == CLAIM and event.event_id in revoked:
            yield _line(replace(event, points=event.points + revoked[event.event_id]), End.GIVEN_BACK)
        elif event.action == CLAIM and event.points:
            yield _line(event)


def _line(event: StoredEvent, end: End = End.SPENT) -> Movement:
    label = event.label or event.action.replace("_", " ").capitalize()
    if end is End.HELD:
        label = _("%(label)s (held for an order)") % {"label": label}
    elif end is End.GIVEN_BACK:
        label = _("%(label)s (given back)") % {"label": label}
    return Movement(at=event.at, points=event.points, text=label)
