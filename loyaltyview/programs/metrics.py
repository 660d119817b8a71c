"""What /metrics says of the vendors' calls. Labels are bounded: programs, vendors, operations, errors."""

from prometheus_client import Histogram

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
