"""The sandbox's clocks. The panel can put NewStore's forward, so that codes expire; the vendor's may be wrong
while it answers a request (`Faults.clock_ahead_s`)."""

from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

vendor_ahead: ContextVar[timedelta] = ContextVar("vendor_ahead", default=timedelta())


def vendor_now() -> datetime:
    """Return the time of the vendor that answers this request."""
    return datetime.now(UTC) + vendor_ahead.get()


@dataclass(slots=True)
class Clock:
    ahead: timedelta = field(default_factory=timedelta)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def forward(self, minutes: int) -> None:
        self.ahead += timedelta(minutes=minutes)
