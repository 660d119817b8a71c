"""The member's history as movements: newest first, in Yotpo's own titles without our marks."""

import re
from collections.abc import Iterable

from django.utils.translation import gettext as _

from providers.types import Movement
from providers.yotpo.customers import HistoryItem

AT_MOST = 50
MARK = re.compile(r"\s*\[[0-9a-f-]{10,}\]$")  # of `releasing.marker`


def movements_of(items: Iterable[HistoryItem]) -> tuple[Movement, ...]:
    """Return the lines that have a time, newest first, at most 50."""
    movements = [
        Movement(at=item.at, points=item.points, text=MARK.sub("", item.title) or item.code or _("Points"))
        for item in items
        if item.at
    ]
    return tuple(sorted(movements, key=lambda line: line.at, reverse=True)[:AT_MOST])
