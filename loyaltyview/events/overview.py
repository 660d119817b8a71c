"""Events, returns and alarms on the front page of admin: what waits for a person, and a chart of the events
that waited for the worker."""

from collections import Counter
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Min
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyaltyview.events.models import Alarm, AlarmKind, Event, EventState, ReturnRecord, ReturnState
from loyaltyview.events.stored_events import oldest_due
from loyaltyview.ops.charts import Chart, Plot, bucket, full_hours, whole
from loyaltyview.ops.overview import Need, Number, Part, Viewer
from loyaltyview.programs.time_zones import common_zone
from loyaltyview.work import clock

HOURS = 24
# An event that cannot be handled is dead after WORK_MAX_ATTEMPTS, some 19 hours: one that waited in the hours
# of the chart came at most so long before them.
LOOK_BACK = timedelta(hours=HOURS)


def events_part(_user: Viewer) -> Part:
    """Return the part of events; four queries."""
    rows = (
        Event.objects.filter(state__in=[EventState.WAITING, EventState.DEAD])
        .order_by()
        .values_list("state")
        .annotate(Count("pk"), Min("received_at"))
    )
    found = {state: (count, since) for state, count, since in rows}
    waiting, _since = found.get(EventState.WAITING, (0, None))
    numbers = [Number(label=_("Events waiting now"), value=whole(waiting))]
    return Part(
        needs=[*_dead(*found.get(EventState.DEAD, (0, None))), *_late()], numbers=numbers, charts=[_chart()]
    )


def returns_part(_user: Viewer) -> Part:
    """Return the part of returns; one query."""
    parked = ReturnRecord.objects.filter(state=ReturnState.PARKED)
    found = parked.aggregate(n=Count("pk"), since=Min("returned_at"))
    if not found["n"]:
        return Part()
    text = ngettext("%(n)s return waits for a decision", "%(n)s returns wait for a decision", found["n"]) % {
        "n": whole(found["n"])
    }
    url = f"{reverse('admin:events_returnrecord_changelist')}?state__exact={ReturnState.PARKED}"
    return Part(needs=[Need(text=text, url=url, since=found["since"])])


def alarms_part(user: Viewer) -> Part:
    """Return the part of alarms; one query. Dead events themselves are on the list (`events_part`)."""
    open_ones = Alarm.objects.filter(closed_at=None).exclude(kind=AlarmKind.DEAD).order_by("kind")
    rows = open_ones.values_list("kind").annotate(Count("pk"), Min("raised_at"))
    return Part(needs=[_alarm(AlarmKind(kind), count, since, user) for kind, count, since in rows])


def _alarm(kind: AlarmKind, count: int, since: datetime, user: Viewer) -> Need:
    text = ngettext("%(n)s alarm: %(kind)s", "%(n)s alarms: %(kind)s", count)
    if kind is AlarmKind.STREAM and user.has_perm("programs.change_program"):
        url = reverse("admin:events_stream")  # what was wrong, and the buttons
    else:
        url = f"{reverse('admin:events_alarm_changelist')}?closed_at__isempty=1&kind__exact={kind.value}"
    return Need(text=text % {"n": whole(count), "kind": kind.label}, url=url, since=since)


def _dead(count: int, since: datetime | None) -> list[Need]:
    if not count:
        return []
    text = ngettext(
        "%(n)s event is dead: look why, then replay it",
        "%(n)s events are dead: look why, then replay them",
        count,
    )
    url = f"{reverse('admin:events_event_changelist')}?state__exact={EventState.DEAD}"
    return [Need(text=text % {"n": whole(count)}, url=url, since=since)]


def _late() -> list[Need]:
    """Events that /readyz finds late."""
    oldest = oldest_due()
    if oldest is None or (clock.now() - oldest).total_seconds() <= settings.READY_MAX_EVENT_AGE_S:
        return []
    url = f"{reverse('admin:events_event_changelist')}?state__exact={EventState.WAITING}&o=1"
    return [Need(text=_("Events are due and no worker takes them"), url=url, since=oldest)]


def _chart() -> Chart:
    edges = full_hours(HOURS)
    rows = (
        # Ignored events never wait. No column says when a dead event stopped waiting.
        Event.objects.filter(
            state__in=[EventState.WAITING, EventState.DONE], received_at__gte=edges[0] - LOOK_BACK
        )
        .order_by()
        .values_list(bucket("received_at", edges), bucket("done_at", edges))
        .annotate(Count("pk"))
    )
    came: Counter[int] = Counter()
    waited: Counter[int] = Counter()
    for received, done, count in rows:
        came[received] += count
        # Hour n ends at edge n: what had come by then and was done later, or is not done yet, waited.
        for hour in range(max(received, 1), min(done, HOURS + 1)):
            waited[hour] += count
    zone = common_zone()
    return Chart(
        title=_("Events waiting"),
        about=_("Events that came in each of the last %(hours)s hours, and those that waited at its end.")
        % {"hours": HOURS},
        empty=_("No event came or waited in the last %(hours)s hours.") % {"hours": HOURS},
        heading=_("Hour (%(zone)s)") % {"zone": zone},
        labels=[date_format(edge.astimezone(zone), "TIME_FORMAT") for edge in edges[:-1]],
        plots=[
            Plot(
                title=_("Events"),
                series=(_("Came"), _("Waiting at the end")),
                values=[(came[hour], waited[hour]) for hour in range(1, HOURS + 1)],
            )
        ],
    )
