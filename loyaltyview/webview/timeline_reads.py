"""Reads one page of a member's timeline: the vendor's history, our records, the names of the stores."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from loyaltyview.programs.models import Store
from loyaltyview.redemptions.member_records import Records, Wanted, read_records, redemption_id_of
from loyaltyview.webview import formats
from loyaltyview.webview.member_data import read_history
from loyaltyview.webview.models import Launch
from loyaltyview.webview.timeline import Cursor, Line, behind, join, next_cursor, with_balances
from providers.base import LoyaltyProvider
from providers.movements import History, Movement

LINES = 50
# A vendor's clock and ours may differ, and a redemption is noted some seconds before the vendor's line: more
# is read on both sides of the page, so that the two find each other.
SLACK = timedelta(minutes=10)
MORE = 20
ROUNDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownLine:
    """A line with its day and the name of its store."""

    line: Line
    day: str
    store: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """The lines of a month. `is_continued`: the page before ends in the same month."""

    name: str
    lines: tuple[ShownLine, ...]
    is_continued: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelinePage:
    """The page's months, newest first, and where the next page begins; None at the end."""

    months: tuple[Month, ...]
    older: Cursor | None


def read_page(
    launch: Launch, provider: LoyaltyProvider, zone: ZoneInfo, cursor: Cursor | None = None
) -> TimelinePage:
    """Return the page that begins at `cursor`, the newest one without. Raises ProviderError."""
    lines, has_older = _read_lines(launch, provider, cursor)
    shown = lines[:LINES]
    older = next_cursor(shown, cursor) if shown and (has_older or len(lines) > LINES) else None
    return TimelinePage(months=_months(launch, shown, zone, cursor), older=older)


def _read_lines(launch: Launch, provider: LoyaltyProvider, cursor: Cursor | None) -> tuple[list[Line], bool]:
    """Return at least the lines of a page behind `cursor`, where there are as many, and whether the vendor
    has more."""
    until = cursor.at + SLACK if cursor else None
    limit = LINES + MORE + (cursor.skip if cursor else 0)
    for _round in range(ROUNDS):
        history = read_history(launch, provider, until, limit)
        lines = join(history.movements, _records(launch, history, until))
        lines = behind(with_balances(lines, history.points_after), cursor)
        if len(lines) > LINES or not history.has_older:
            break
        limit *= 4  # many lines of the same minutes
    return lines, history.has_older


def _records(launch: Launch, history: History, until: datetime | None) -> Records:
    movements = history.movements
    return read_records(
        Wanted(
            program=launch.program,
            member_ref=launch.member_ref,
            redemption_ids=_redemptions_in(movements),
            order_ids={movement.order_id for movement in movements if movement.order_id},
            return_ids={movement.return_id for movement in movements if movement.return_id},
            # What is older than the vendor's last line is for the next page.
            since=movements[-1].at if movements and history.has_older else None,
            until=until,
        )
    )


def _redemptions_in(movements: Iterable[Movement]) -> set[UUID]:
    return {found for movement in movements if (found := redemption_id_of(movement.spend_key))}


def _months(
    launch: Launch, lines: Sequence[Line], zone: ZoneInfo, cursor: Cursor | None
) -> tuple[Month, ...]:
    names = _store_names(launch, lines)
    before = formats.month(cursor.at, zone) if cursor else ""
    months: dict[str, list[ShownLine]] = {}
    for line in lines:
        shown = ShownLine(line=line, day=formats.day(line.at, zone), store=names.get(line.store_id, ""))
        months.setdefault(formats.month(line.at, zone), []).append(shown)
    return tuple(
        Month(name=name, lines=tuple(shown), is_continued=name == before) for name, shown in months.items()
    )


def _store_names(launch: Launch, lines: Iterable[Line]) -> dict[str, str]:
    ids = {line.store_id for line in lines if line.store_id}
    stores = Store.objects.filter(program_id=launch.program_id, store_id__in=ids) if ids else ()
    return {store.store_id: store.name for store in stores}
