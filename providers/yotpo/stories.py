"""The member's points history: one line for each redemption, with how it ended, and one for each other event.

Yotpo lists a redemption's points with its code as the status, and what is given back as a line of its own:
our adjustments have the redemption's key in their title, its own cancellations name the reward. A reward that
is held until an order is in no line of Yotpo's: the journal has it. No line names its order.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from providers.answers import whole_of
from providers.journal.history import title_of
from providers.journal.models import Write, WriteKind, WriteState
from providers.movements import Ending, History, Movement, MovementKind, newest_first
from providers.yotpo.client import Client
from providers.yotpo.customers import HistoryItem, deducted_codes, fetch_by_ref, history_of
from providers.yotpo.holds import holds_of

MOST_SPENDS = 1000  # of the journal, the newest: lines of older redemptions stand alone
MARK = re.compile(r"\s*\[([0-9a-f-]{10,})\]$")  # of `release.marker`


def list_movements(client: Client, ref: str, until: datetime | None, limit: int) -> History:
    """Return the lines that have a time. Reads the journal besides Yotpo, which lists all at once."""
    record = fetch_by_ref(client, ref, with_history=True)
    items = [item for item in history_of(record) if item.at]
    spends = client.journal.writes(WriteKind.SPEND, member_ref=ref).order_by("-pk")[:MOST_SPENDS]
    by_code = {row.vendor_ref: row for row in spends}
    gone = deducted_codes(record)
    held = [row for row in holds_of(client.journal, ref) if row.state == WriteState.DONE]
    waiting = [_held(row) for row in held if row.vendor_ref not in gone]
    told = [*_Lines(client.settings.names.all("purchase_words"), items, by_code).told(), *waiting]
    balance = whole_of(record, "points_balance")
    spendable = None if balance is None else balance + sum(line.points for line in waiting)
    return newest_first(told, until, limit, spendable)


@dataclass(frozen=True, slots=True)
class _Lines:
    """What Yotpo lists, and the redemptions of our journal by their codes."""

    purchase_words: tuple[str, ...]
    items: list[HistoryItem]
    spends: Mapping[str, Write]

    def told(self) -> list[Movement]:
        """Tell what Yotpo lists, in its order, with the lines of one redemption as one."""
        rest, told = dict(enumerate(self.items)), {}
        marked = _marked(rest)
        for number, item in enumerate(self.items):
            if item.code and item.points < 0:
                spend = self.spends.get(item.code)
                back = _given_back(rest, marked, item, spend) if spend else []
                told[number] = _redemption(item, spend, sum(rest.pop(each).points for each in back))
                del rest[number]
        told |= {number: self._line(item) for number, item in rest.items()}
        return [told[number] for number in sorted(told)]

    def _line(self, item: HistoryItem) -> Movement:
        title = MARK.sub("", item.title) or item.code
        line = Movement(at=cast("datetime", item.at), points=item.points, title=title)
        if item.is_pending:
            return replace(line, points=0, pending=max(item.points, 0))
        if item.points < 0 and item.is_reversed:
            return replace(line, kind=MovementKind.RETURN)
        if item.points > 0 and any(word in title.lower() for word in self.purchase_words):
            return replace(line, kind=MovementKind.PURCHASE)
        return line


def _marked(items: Mapping[int, HistoryItem]) -> dict[str, list[int]]:
    """Return the lines with which we gave points back, by the key of the spend."""
    found: dict[str, list[int]] = {}
    for number, item in items.items():
        if mark := MARK.search(item.title):
            for key in (mark[1], mark[1].rpartition("-")[0]):  # a part has its name behind the key
                found.setdefault(key, []).append(number)
    return found


def _given_back(
    items: Mapping[int, HistoryItem], marked: Mapping[str, list[int]], taken: HistoryItem, spend: Write
) -> list[int]:
    """Return which lines give points of the redemption `taken` back."""
    if found := [number for number in marked.get(spend.key, ()) if number in items]:
        return found
    # Yotpo's own cancellation of a coupon: its title is not documented, so sum and name must be the same.
    if spend.state != WriteState.UNDONE or not (spend.detail.get("is_custom") and taken.title):
        return []
    cancelled = [
        number
        for number, item in items.items()
        if not item.code
        and item.points == -taken.points
        and taken.title in item.title
        and not MARK.search(item.title)
    ]
    return cancelled[:1]


def _redemption(taken: HistoryItem, spend: Write | None, back: int) -> Movement:
    points = taken.points + back
    ending = Ending.DONE if not back else Ending.BACK if points >= 0 else Ending.PARTLY_BACK
    line = Movement(
        at=cast("datetime", taken.at),
        points=points,
        kind=MovementKind.REDEMPTION,
        title=MARK.sub("", taken.title) or taken.code,
        ending=ending,
    )
    # Held points go with their order; the line stands where the reward was redeemed.
    return replace(line, at=spend.noted_at, spend_key=spend.key, order_id=spend.order_id) if spend else line


def _held(spend: Write) -> Movement:
    return Movement(
        at=spend.noted_at,
        points=-(spend.points or 0),
        kind=MovementKind.REDEMPTION,
        title=title_of(spend),
        ending=Ending.HELD,
        spend_key=spend.key,
        order_id=spend.order_id,
    )
