"""Charts of the admin's front page: what a template needs to draw an SVG and a table of the same numbers.

Bars are whole numbers on a canvas that the page stretches, 10 wide for each label and 100 high. Words and
numbers are HTML beside it, so that they grow with the reader's font size and not with the canvas.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Case, Value, When
from django.utils import timezone
from django.utils.formats import number_format

PLACE, HEIGHT = 10, 100


def whole(value: float) -> str:
    """Return "1,234"."""
    return str(number_format(value, 0, force_grouping=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One rectangle; `series` is 0 or 1."""

    series: int
    x: int
    y: int
    width: int
    height: int
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """Bars over the chart's labels. `values` has a tuple for each label, with one number or two, as `series`
    names them. The second bar is drawn in front of the first and is a part of it, or of the same kind."""

    title: str
    series: tuple[str, ...]
    values: Sequence[tuple[float, ...]]
    note: str = ""
    show: Callable[[float], str] = whole

    @property
    def highest(self) -> float:
        return max((max(column) for column in self.values), default=0)

    @property
    def top(self) -> str:
        return self.show(self.highest)

    @property
    def width(self) -> int:
        return PLACE * len(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line with a bar of `value`. `url` is the list of the rows that it counts, "" where there is none."""

    label: str
    value: int
    text: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Plots over common `labels`, or rows. `about` says what is counted, `heading` what the labels are.
    `empty` is shown when there is nothing to draw."""

    title: str
    about: str
    empty: str
    heading: str
    labels: Sequence[str] = ()
    plots: Sequence[Plot] = ()
    rows: Sequence[Row] = ()

    @property
    def is_empty(self) -> bool:
        return not self.rows and not any(plot.highest for plot in self.plots)

    @property
    def drawn(self) -> list[tuple[Plot, list[Bar]]]:
        return [(plot, list(self._bars(plot))) for plot in self.plots]

    def _bars(self, plot: Plot) -> Iterator[Bar]:
        for place, (label, column) in enumerate(zip(self.labels, plot.values, strict=True)):
            # A single series is drawn as the one in front.
            for series, value in enumerate(column, start=2 - len(plot.series)):
                # The smallest value is still visible.
                height = max(round(HEIGHT * value / plot.highest), 2) if value else 0
                inset = 1 + series
                yield Bar(
                    series=series,
                    x=PLACE * place + inset,
                    y=HEIGHT - height,
                    width=PLACE - 2 * inset,
                    height=height,
                    title=f"{label}: {plot.show(value)}",
                )

    @property
    def columns(self) -> list[str]:
        """The headings of the table's columns, without that of the labels."""
        return [
            name if len(self.plots) == 1 else f"{plot.title}: {name}" if len(plot.series) > 1 else plot.title
            for plot in self.plots
            for name in plot.series
        ]

    @property
    def lines(self) -> list[tuple[str, list[str]]]:
        """The lines of the table: a label and the text of each column; the newest first."""
        lines = [
            (label, [plot.show(value) for plot in self.plots for value in plot.values[place]])
            for place, label in enumerate(self.labels)
        ]
        return lines[::-1]

    @property
    def bars(self) -> list[tuple[Row, int]]:
        """The rows, each with the length of its bar, at most 100."""
        highest = max((row.value for row in self.rows), default=0)
        return [(row, max(round(100 * row.value / highest), 1) if row.value else 0) for row in self.rows]


def midnights(zone: ZoneInfo, days: int) -> list[datetime]:
    """Return when each of the last `days` days began there, today included, and when today ends."""
    today = timezone.now().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return [today + timedelta(days=day) for day in range(1 - days, 2)]


def full_hours(hours: int) -> list[datetime]:
    """Return when each of the last `hours` hours began in UTC, the current one included, and when it ends."""
    current = timezone.now().replace(minute=0, second=0, microsecond=0)
    return [current + timedelta(hours=hour) for hour in range(1 - hours, 2)]


def bucket(field: str, edges: Sequence[datetime]) -> Case:
    """Return an expression: how many of the sorted `edges` a time has reached; all of them for NULL. Plain
    comparisons are many times faster on SQLite than functions that truncate times, and need no rule for days
    of 23 hours."""
    return Case(
        *[When(**{f"{field}__lt": edge}, then=Value(number)) for number, edge in enumerate(edges)],
        default=Value(len(edges)),
    )
