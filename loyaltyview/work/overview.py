"""The worker's part of the admin's front page."""

from django.conf import settings
from django.utils.translation import gettext as _

from loyaltyview.ops.charts import whole
from loyaltyview.ops.overview import Need, Number, Part, Viewer
from loyaltyview.work import clock
from loyaltyview.work.models import Heartbeat


def worker_part(_user: Viewer) -> Part:
    """Return the part, by the same measure as /readyz; one query."""
    seen = list(Heartbeat.objects.order_by("-seen_at"))
    wrong = [each for each in seen if abs(each.clock_ahead_s) > settings.MAX_CLOCK_SKEW_S]
    needs = [Need(text=_wrong_clock(each), since=each.seen_at) for each in wrong]
    right = [each for each in seen if each not in wrong]
    if not seen:
        return Part(needs=[Need(text=_("No worker is at work: start one with manage.py worker"))])
    if not right:
        return Part(needs=needs)
    age_s = max(int((clock.now() - right[0].seen_at).total_seconds()), 0)
    if age_s > settings.READY_MAX_HEARTBEAT_AGE_S:
        silent = _("Every worker has fallen silent: start one again")
        return Part(needs=[*needs, Need(text=silent, since=right[0].seen_at)])
    number = Number(label=_("Worker seen"), value=_("%(n)s s ago") % {"n": whole(age_s)})
    return Part(needs=needs, numbers=[number])


def _wrong_clock(seen: Heartbeat) -> str:
    if seen.clock_ahead_s > 0:
        text = _("Worker %(name)s stands still: its clock is %(n)s s ahead of the database's")
    else:
        text = _("Worker %(name)s stands still: its clock is %(n)s s behind the database's")
    return text % {"name": seen.worker, "n": whole(abs(seen.clock_ahead_s))}
