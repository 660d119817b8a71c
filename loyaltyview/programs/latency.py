"""The front page's chart of the vendors' latency, as this process measured it lately.

Kept in memory, newest attempts only: a row for each attempt would make every page slower, and Prometheus has
the history. Each process shows its own attempts.
"""

import time
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from loyaltyview.ops.charts import Chart, Plot, whole
from loyaltyview.ops.overview import Part, Viewer
from loyaltyview.programs.models import Program
from loyaltyview.programs.time_zones import common_zone
from providers.outbound.vendor_session import Observation

KEPT = 5000
MINUTES, PLACES = 5, 12
PLOTS = 3

_seen: deque[tuple[float, Observation]] = deque(maxlen=KEPT)


def remember(seen: Observation) -> None:
    """Keep one attempt; registered with the HTTP layer when Django starts."""
    _seen.append((time.time(), seen))


def latency_part(_user: Viewer) -> Part:
    """Return the chart of the last hour, of the slowest programs."""
    step = timedelta(minutes=MINUTES)
    now = timezone.now()
    current = now.replace(minute=now.minute // MINUTES * MINUTES, second=0, microsecond=0)
    starts = [current + step * place for place in range(1 - PLACES, 1)]
    by_program: dict[str, list[tuple[float, Observation]]] = {}
    for at, seen in _seen.copy():
        if at >= starts[0].timestamp():
            by_program.setdefault(seen.program, []).append((at, seen))
    slowest = sorted(by_program, key=lambda slug: -_quantile(_seconds(by_program[slug]), 0.95))[:PLOTS]
    names = dict(Program.objects.filter(slug__in=slowest).values_list("slug", "name")) if slowest else {}
    zone = common_zone() if slowest else timezone.get_current_timezone()
    chart = Chart(
        title=_("Latency of the loyalty programs"),
        about=_(
            "Attempts to call the vendor that this web process made in the last hour, five minutes a bar."
        ),
        empty=_("This web process called no vendor in the last hour."),
        heading=_("From"),
        labels=[date_format(start.astimezone(zone), "TIME_FORMAT") for start in starts],
        plots=[_plot(names.get(slug, slug), by_program[slug], starts) for slug in slowest],
    )
    return Part(charts=[chart])


def _plot(name: str, attempts: list[tuple[float, Observation]], starts: Sequence[datetime]) -> Plot:
    first = starts[0].timestamp()
    places: list[list[float]] = [[] for _start in starts]
    for at, seen in attempts:
        places[min(int((at - first) // (60 * MINUTES)), PLACES - 1)].append(seen.seconds)
    failed = sum(seen.outcome != "ok" for _at, seen in attempts)
    return Plot(
        title=name,
        note=_("%(calls)s calls, %(failed)s failed")
        % {"calls": whole(len(attempts)), "failed": whole(failed)},
        series=(_("95 of 100 within"), _("half within")),
        values=[(_quantile(times, 0.95), _quantile(times, 0.5)) for times in places],
        show=_duration,
    )


def _seconds(attempts: list[tuple[float, Observation]]) -> list[float]:
    return [seen.seconds for _at, seen in attempts]


def _quantile(seconds: list[float], share: float) -> float:
    """Return the time that `share` of the attempts did not exceed, 0 without any."""
    ordered = sorted(seconds)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0


def _duration(seconds: float) -> str:
    return _("%(n)s ms") % {"n": whole(1000 * seconds)}
