"""What /metrics says of events. Labels are bounded: programs, known names, states."""

from prometheus_client import Counter

received = Counter(
    "loyaltyview_events_received_total",
    "Deliveries accepted, repetitions included, by what they are: waiting, ignored, dead.",
    ["program", "state"],
)
alarms = Counter(
    "loyaltyview_alarms_total",
    "Alarms raised or renewed, by kind: stream, low_stock, gap, dead, twice.",
    ["program", "kind"],
)
handled = Counter(
    "loyaltyview_events_handled_total",
    "Attempts of the worker, by what came of them: done, ignored, postponed, dead.",
    ["program", "name", "state"],
)
