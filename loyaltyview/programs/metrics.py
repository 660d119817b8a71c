"""The metrics of calls and writes to the vendors. Labels are bounded: vendors, programs, kinds."""

from collections.abc import Iterator

from django.db.models import Count, Min
from prometheus_client import Histogram
from prometheus_client.core import GaugeMetricFamily, Metric

from providers import clock
from providers.journal.models import Write, WriteState
from providers.outbound.vendor_session import Observation

vendor_seconds = Histogram(
    "loyaltyview_vendor_seconds",
    "Duration of one attempt to call a loyalty vendor, by how it ended: ok, or the error.",
    ["vendor", "program", "operation", "outcome"],
    buckets=(0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 2.5, 5, 10),
)


def observe(seen: Observation) -> None:
    """Count one attempt; registered with the HTTP layer when Django starts."""
    vendor_seconds.labels(seen.vendor, seen.program, seen.operation, seen.outcome).observe(seen.seconds)


def open_writes() -> Iterator[Metric]:
    """Yield how many writes to vendors have an unknown outcome, and the age of the oldest."""
    labels = ["vendor", "program", "kind"]
    count = GaugeMetricFamily(
        "loyaltyview_vendor_writes_unknown", "Writes to a vendor whose outcome is not known.", labels=labels
    )
    age = GaugeMetricFamily(
        "loyaltyview_vendor_writes_unknown_oldest_seconds", "Age of the oldest of them.", labels=labels
    )
    rows = Write.objects.filter(state=WriteState.SENT).order_by().values(*labels)
    for row in rows.annotate(number=Count("pk"), oldest=Min("sent_at")):
        names = [row[label] for label in labels]
        count.add_metric(names, row["number"])
        age.add_metric(names, (clock.now() - row["oldest"]).total_seconds())
    yield count
    yield age
