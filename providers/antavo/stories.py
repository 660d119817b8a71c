"""The member's points history: one line for each redemption, with how it ended, and one for each other event.

Antavo notes several events for a redemption: points are reserved, released, and spent by the order's
checkout; or a reward is claimed and revoked. The reservation has our key and the checkout the order's id, so
the journal says which of them belong together.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from providers.antavo.client import Client
from providers.antavo.history import StoredEvent, read_all_events
from providers.antavo.members import balance_of, read
from providers.journal.models import Write, WriteKind, WriteState
from providers.movements import Ending, History, Movement, MovementKind, newest_first
from providers.outbound.parallel import together

# More events than lines are shown, because one line joins several events.
EVENTS_PER_LINE = 3
MOST_SPENDS = 1000  # of the journal, the newest
RESERVE, RELEASE, SPEND, UNSPEND = "reserve_points", "release_points", "point_spend", "point_unspend"
CLAIM, REVOKE = "reward", "reward_revoke"
PURCHASES = ("checkout",)
RETURNS = ("refund", "refund_item", "partial_refund")
REDEMPTIONS = (RESERVE, RELEASE, SPEND, UNSPEND, CLAIM, REVOKE)


@dataclass(slots=True, kw_only=True)
class Story:
    """The events of one purchase that are about spent points, oldest first, and what our journal knows of
    the redemptions in it, by our key."""

    events: list[StoredEvent] = field(default_factory=list)
    spends: dict[str, Write] = field(default_factory=dict)


def list_movements(client: Client, ref: str, until: datetime | None, limit: int) -> History:
    """Return the lines of the member's history. Reads the journal besides Antavo, and the customer's balance,
    which proves that a whole list has no gaps."""
    wanted = limit * EVENTS_PER_LINE

    def is_enough(events: list[StoredEvent]) -> bool:
        return sum(until is None or event.at <= until for event in events) >= wanted

    listed, record = together(lambda: read_all_events(client, ref, is_enough), lambda: read(client, ref))
    events = sorted(listed.events, key=lambda event: event.at)
    rows = client.journal.writes(WriteKind.SPEND, member_ref=ref).order_by("-pk")[:MOST_SPENDS]
    spends = {row.key: row for row in rows}
    told = [*_tell_claims(client, events, spends), *_tell_points(client, events, spends)]
    told += [_other(client, event) for event in events if event.points and event.action not in REDEMPTIONS]
    spendable = None if listed.has_older else balance_of(client, record).spendable
    found = newest_first(told, until, limit, spendable)
    return replace(found, has_older=found.has_older or listed.has_older)


def _other(client: Client, event: StoredEvent) -> Movement:
    line = Movement(
        at=event.at,
        points=event.points,
        title=_label(event),
        order_id=event.properties.get(client.names["event_transaction"], ""),
    )
    kind = MovementKind.PURCHASE if event.action in PURCHASES else MovementKind.OTHER
    return replace(line, kind=MovementKind.RETURN if event.action in RETURNS else kind)


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
        spend = story.spends.get(event.properties.get(name, ""))
        ending = _ending_of(spend, story.events)
        line = replace(event, label=label or event.label, points=0 if ending is Ending.BACK else event.points)
        rest -= line.points
        yield _line(line, ending, spend)
    if rest or not reserved:
        first = spent[0] if spent else story.events[0]
        yield _line(replace(first, points=rest), Ending.DONE if rest else Ending.BACK)


def _ending_of(spend: Write | None, events: list[StoredEvent]) -> Ending:
    """Return how the redemption ended: by the journal, else by Antavo's events alone."""
    if spend and spend.state == WriteState.UNDONE:
        return Ending.BACK
    if spend and spend.state == WriteState.DONE:
        return Ending.HELD if spend.waits_for_order else Ending.DONE
    if not sum(event.points for event in events):
        return Ending.BACK
    return Ending.DONE if any(event.action == SPEND for event in events) else Ending.HELD


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
            yield _other(client, event)
    by_claim = {row.vendor_ref: row for row in spends.values()}
    for event in events:
        spend = by_claim.get(event.event_id)
        if event.action == CLAIM and event.event_id in revoked:
            points = event.points + revoked[event.event_id]
            ending = Ending.PARTLY_BACK if points < 0 else Ending.BACK
            yield _line(replace(event, points=points), ending, spend)
        elif event.action == CLAIM and event.points:
            yield _line(event, spend=spend)


def _line(event: StoredEvent, ending: Ending = Ending.DONE, spend: Write | None = None) -> Movement:
    line = Movement(
        at=event.at,
        points=event.points,
        kind=MovementKind.REDEMPTION,
        title=_label(event),
        ending=ending,
    )
    return replace(line, spend_key=spend.key, order_id=spend.order_id) if spend else line


def _label(event: StoredEvent) -> str:
    return event.label or event.action.replace("_", " ").capitalize()
