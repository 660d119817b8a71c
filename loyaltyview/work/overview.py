"""What the admin's front page says of the worker: whether one is at work."""

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from loyaltyview.ops.charts import whole
from loyaltyview.ops.overview import Need, Number, Part, Viewer
from loyaltyview.work.models import Heartbeat


def worker_part(_user: Viewer) -> Part:
    """Return the part, by the same measure as /readyz; one query."""
    seen_at = Heartbeat.objects.order_by("-seen_at").values_list("seen_at", flat=True).first()
    if seen_at is None:
        return Part(needs=[Need(text=_("No worker is at work: start one with manage.py worker"))])
    age_s = max(int((timezone.now() - seen_at).total_seconds()), 0)
    if age_s > settings.READY_MAX_HEARTBEAT_AGE_S:
        return Part(needs=[Need(text=_("Every worker has fallen silent: start one again"), since=seen_at)])
    return Part(numbers=[Number(label=_("Worker seen"), value=_("%(n)s s ago") % {"n": whole(age_s)})])
