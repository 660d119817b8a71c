"""Redemptions on the admin's front page: those that are stuck, today's numbers, and two charts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision
from django.core.cache import cache
from django.db.models import Count, Min, Sum
from django.urls import reverse
from django.utils.formats import date_format, number_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyaltyview.ops.charts import Chart, Plot, Row, bucket, midnights, whole
from loyaltyview.ops.overview import Need, Number, Part, Viewer
from loyaltyview.programs.models import TroubleKind
from loyaltyview.programs.time_zones import common_zone
from loyaltyview.programs.troubles import count_since
from loyaltyview.redemptions.models import HOLDING, Redemption, State
from loyaltyview.redemptions.refusals import label_of

DAYS = 14
CURRENCIES = 3
KEPT_S = 60 * 60
REDEEMED = "redeemed"  # stands for the states in HOLDING


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """The number of redemptions of one day that ended alike. Day 0 is the oldest, DAYS - 1 is today."""

    day: int
    currency: str
    state: str
    refusal: str
    count: int
    saving: Decimal


def redemptions_part(_user: Viewer) -> Part:
    """Return the part; four queries."""
    zone = common_zone()
    edges = midnights(zone, DAYS)
    groups = _counted(edges)
    labels = [date_format(edge, "MONTH_DAY_FORMAT") for edge in edges[:-1]]
    return Part(
        needs=_stuck(),
        numbers=_today(groups, count_since(TroubleKind.TAP, edges[-2])),
        charts=[_by_day(groups, labels, str(zone)), _endings(groups, edges[0])],
    )


def _counted(edges: Sequence[datetime]) -> list[_Group]:
    """Return the groups of all days; one query. Rows of earlier days hardly change and are nearly all rows:
    their counts are kept in the cache."""
    key = f"redemptions-by-day-{edges[0].timestamp():.0f}-{edges[-2].timestamp():.0f}"
    earlier: list[Any] | None = cache.get(key)
    rows = list(
        Redemption.objects.filter(requested_at__gte=edges[0] if earlier is None else edges[-2])
        .order_by()
        .values_list(bucket("requested_at", edges[1:-1]), "currency", "state", "refusal")
        .annotate(Count("pk"), Sum("saving"))
    )
    if earlier is None:
        cache.set(key, [row for row in rows if row[0] < DAYS - 1], KEPT_S)
    return [
        _Group(day=day, currency=currency, state=state, refusal=refusal, count=count, saving=saving)
        for day, currency, state, refusal, count, saving in [*(earlier or []), *rows]
    ]


def _stuck() -> list[Need]:
    found = Redemption.objects.filter(state=State.STUCK).aggregate(n=Count("pk"), since=Min("requested_at"))
    if not found["n"]:
        return []
    text = ngettext(
        "%(n)s redemption: did the program take the points?",
        "%(n)s redemptions: did the program take the points?",
        found["n"],
    )
    url = _list(state__exact=State.STUCK.value)
    return [Need(text=text % {"n": whole(found["n"])}, url=url, since=found["since"])]


def _today(groups: Sequence[_Group], refused_at_once: int) -> list[Number]:
    """`refused_at_once`: taps that were refused before they became a redemption."""
    today = [group for group in groups if group.day == DAYS - 1]
    saved = _saved(today)
    refused = sum(group.count for group in today if group.state == State.REFUSED)
    return [
        Number(label=_("Redeemed today"), value=whole(sum(group.count for group in _standing(today)))),
        Number(
            label=_("Saved for customers today"),
            value=", ".join(_money(saved[currency], currency) for currency in saved) or whole(0),
        ),
        Number(label=_("Refused today"), value=whole(refused + refused_at_once)),
    ]


def _by_day(groups: Sequence[_Group], labels: Sequence[str], zone: str) -> Chart:
    counts: Counter[int] = Counter()
    for group in _standing(groups):
        counts[group.day] += group.count
    plots = [
        Plot(
            title=_("Redemptions"),
            series=(_("Redemptions"),),
            values=[(counts[day],) for day in range(DAYS)],
        )
    ]
    for currency in list(_saved(groups))[:CURRENCIES]:
        of_day = [
            _saved([group for group in groups if group.day == day]).get(currency, Decimal(0))
            for day in range(DAYS)
        ]
        plots.append(
            Plot(
                title=_("Saved, %(currency)s") % {"currency": currency},
                series=(_("Saved"),),
                values=[(float(saving),) for saving in of_day],
                show=lambda value, currency=currency: _money(value, currency),  # type: ignore[misc]
            )
        )
    return Chart(
        title=_("Redemptions and savings by day"),
        about=_(
            "Redemptions that stand, by the day they were asked for (%(zone)s)."
            " Earlier days are counted once an hour."
        )
        % {"zone": zone},
        empty=_("Nothing was redeemed in the last %(days)s days.") % {"days": DAYS},
        heading=_("Day"),
        labels=labels,
        plots=plots,
    )


def _endings(groups: Sequence[_Group], since: datetime) -> Chart:
    counts: Counter[tuple[str, str]] = Counter()
    for group in groups:
        counts[_ending(group)] += group.count
    total = sum(counts.values())
    # Success first, then the other endings, the most frequent first.
    order = sorted(counts, key=lambda ending: (ending[0] != REDEEMED, -counts[ending]))
    return Chart(
        title=_("Success, and refusals by reason"),
        about=_(
            "All redemptions of the last %(days)s days, by how they stand."
            " Earlier days are counted once an hour."
        )
        % {"days": DAYS},
        empty=_("Nothing was asked for in the last %(days)s days.") % {"days": DAYS},
        heading=_("How it ended"),
        rows=[
            Row(
                label=_label(*ending),
                value=counts[ending],
                text=f"{whole(counts[ending])} ({_percent(counts[ending] / total)})",
                url=_list(**_filters(*ending), requested_at__gte=since.isoformat()),
            )
            for ending in order
        ],
    )


def _percent(share: float) -> str:
    return f"{number_format(round(100 * share, 1), 1)} %"  # number_format alone cuts


def _ending(group: _Group) -> tuple[str, str]:
    if group.state == State.REFUSED:
        return State.REFUSED.value, group.refusal
    if State(group.state) in HOLDING:
        return REDEEMED, ""
    return group.state, ""


def _label(ending: str, refusal: str) -> str:
    if ending == State.REFUSED:
        return _("Refused: %(reason)s") % {"reason": label_of(refusal)}
    return _("Redeemed") if ending == REDEEMED else str(State(ending).label).capitalize()


def _filters(ending: str, refusal: str) -> dict[str, str]:
    if ending == REDEEMED:
        return {"state__in": ",".join(HOLDING)}
    return {"state__exact": ending} | ({"refusal__exact": refusal} if refusal else {})


def _list(**filters: str) -> str:
    return f"{reverse('admin:redemptions_redemption_changelist')}?{urlencode(filters)}"


def _standing(groups: Sequence[_Group]) -> list[_Group]:
    return [group for group in groups if State(group.state) in HOLDING]


def _saved(groups: Sequence[_Group]) -> dict[str, Decimal]:
    """Return what customers saved in each currency, the largest sum first."""
    sums: dict[str, Decimal] = {}
    for group in _standing(groups):
        sums[group.currency] = sums.get(group.currency, Decimal(0)) + group.saving
    return {currency: sums[currency] for currency in sorted(sums, key=lambda each: -sums[each])}


def _money(amount: float | Decimal, currency: str) -> str:
    """Return "1,234.50 USD" with a blank that does not break."""
    return f"{number_format(amount, get_currency_precision(currency), force_grouping=True)}\xa0{currency}"
