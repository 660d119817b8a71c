"""NewStore's clock, which the panel can put forward so that codes grow old. Nobody else's moves."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass(slots=True)
class Clock:
    ahead: timedelta = field(default_factory=timedelta)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def forward(self, minutes: int) -> None:
        self.ahead += timedelta(minutes=minutes)
