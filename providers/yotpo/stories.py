"""The member's points history: one line for each redemption, with how it ended, and one for each other event.

Yotpo lists a redemption's points with its code as the status, and what is given back as a line of its own:
our adjustments have the redemption's key in their title, its own cancellations name the reward. A reward that
is held until an order is in no line of Yotpo's: the journal has it.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import cast

from django.utils.translation import gettext as _

from providers.journal.history import TITLE
from providers.journal.models import Write, WriteKind, WriteState
from providers.types import Movement
from providers.yotpo.client import Client
from providers.yotpo.customers import HistoryItem, deducted_codes, fetch_by_ref, history_of
from providers.yotpo.holds import holds_of

LONGEST = 50
MARK = re.compile(r"\s*\[([0-9a-f-]{10,})\]$")  # of `release.marker`


def list_movements(client: Client, ref: str) -> tuple[Movement, ...]:
    """Return the lines that have a time, newest first. Reads the journal besides Yotpo."""
    record = fetch_by_ref(client, ref, with_history=True)
    items = [item for item in history_of(record) if item.at]
    spends = list(client.journal.writes(WriteKind.SPEND, member_ref=ref).order_by("-pk")[: 3 * LONGEST])
    gone = deducted_codes(record)
    held = [row for row in holds_of(client.journal, ref) if row.state == WriteState.DONE]
    told = [*_told(items, spends), *(_held(row) for row in held if row.vendor_ref not in gone)]
    return tuple(sorted(told, key=lambda movement: movement.at, reverse=True)[:LONGEST])


def _told(items: list[HistoryItem], spends: list[Write]) -> list[Movement]:
    """Tell what Yotpo lists, in its order, with the lines of one redemption as one."""
    rest, told = dict(enumerate(items)), {}
    for number, item in enumerate(items):
        if item.code and item.points < 0:
            spend = next((row for row in spends if row.vendor_ref == item.code), None)
            back = _given_back(rest, item, spend) if spend else []
            told[number] = _redemption(item, sum(rest.pop(each).points for each in back))
            del rest[number]
    told |= {number: _line(item) for number, item in rest.items()}
    return [told[number] for number in sorted(told)]


def _given_back(items: Mapping[int, HistoryItem], taken: HistoryItem, spend: Write) -> list[int]:
    """Return which lines give points of the redemption `taken` back."""
    found, cancelled = [], []
    for number, item in items.items():
        mark = MARK.search(item.title)
        if mark and spend.key in (mark[1], mark[1].rpartition("-")[0]):  # a part has its name behind the key
            found.append(number)
        elif not mark and not item.code and item.points == -taken.points and taken.title in item.title:
            cancelled.append(number)
    # Yotpo's own cancellation of a coupon: its title is not documented, so sum and name must be the same.
    is_cancelled = spend.state == WriteState.UNDONE and bool(spend.detail.get("is_custom") and taken.title)
    return found or cancelled[: int(is_cancelled)]


def _redemption(taken: HistoryItem, back: int) -> Movement:
    line = _line(replace(taken, points=taken.points + back))
    named = {"label": line.text}
    if back and line.points >= 0:
        return replace(line, text=_("%(label)s (given back)") % named)
    return replace(line, text=_("%(label)s (partly given back)") % named) if back else line


def _held(spend: Write) -> Movement:
    title = str(spend.detail.get(TITLE) or _("Reward"))
    text = _("%(label)s (held for an order)") % {"label": title}
    return Movement(at=spend.noted_at, points=-(spend.points or 0), text=text)


def _line(item: HistoryItem) -> Movement:
    text = MARK.sub("", item.title) or item.code or _("Points")
    return Movement(at=cast("datetime", item.at), points=item.points, text=text)
