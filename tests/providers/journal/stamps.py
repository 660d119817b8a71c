"""A vendor of stamps for the tests of the journal. Its answers can be lost."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from providers.errors import OutcomeUnknown, Rejected, RejectReason, Unavailable
from providers.journal.models import Write
from providers.journal.spending import Found, Made, SpendWay
from providers.journal.states import Journal
from providers.sales import SpendIntent, SpendKind
from providers.types import Cart, Discount, DiscountKind, Money

SETTLED_AFTER = timedelta(minutes=1)
INTENT = SpendIntent(
    key="key-1",
    member_ref="mia",
    kind=SpendKind.REWARD,
    item_id="coffee",
    points=10,
    discount=Discount(kind=DiscountKind.FIXED, amount=Money(amount=Decimal(5), currency="EUR")),
    cart=Cart(cart_id="cart-1", total=Money(amount=Decimal(50), currency="EUR"), store="berlin"),
    code="LOY-1",
    requested_at=datetime(2026, 11, 30, 12, tzinfo=UTC),
)


def intent(key: str, **changes: Any) -> SpendIntent:
    return replace(INTENT, key=key, **changes)


@dataclass
class Stamps:
    """The vendor. `trouble` is raised by the next calls: before the effect, or after it if `is_late`."""

    spent: list[str] = field(default_factory=list)
    calls: int = 0
    trouble: Exception | None = None
    is_late: bool = False
    cannot_read: bool = False
    sees_all: bool = True

    def spend(self) -> str:
        self.calls += 1
        if self.trouble and not self.is_late:
            raise self.trouble
        self.spent.append(f"stamp-{len(self.spent) + 1}")
        if self.trouble:
            raise self.trouble
        return self.spent[-1]

    def read(self) -> list[str]:
        if self.cannot_read:
            raise Unavailable("read")
        return list(self.spent)


class StampWay(SpendWay):
    settled_after = SETTLED_AFTER

    def __init__(self, stamps: Stamps, **columns: Any) -> None:
        self.journal = Journal(vendor="stamps", program="acme")
        self.stamps = stamps
        self.columns = columns
        self.finished: list[str] = []

    def plan(self, intent: SpendIntent) -> dict[str, Any]:
        if intent.points > 100:
            raise Rejected(RejectReason.INSUFFICIENT_POINTS)
        return self.columns

    def before(self, write: Write, intent: SpendIntent) -> list[str]:
        return self.stamps.read()

    def send(self, write: Write, intent: SpendIntent) -> Made:
        return Made(ref=self.stamps.spend(), detail={"coupon": "C-1"})

    def look(self, write: Write, intent: SpendIntent) -> Found:
        new = [stamp for stamp in self.stamps.read() if stamp not in write.shown_before]
        return Found(made=tuple(Made(ref=stamp) for stamp in new), is_complete=self.stamps.sees_all)

    def finish(self, write: Write) -> None:
        self.finished.append(write.key)


UNKNOWN = OutcomeUnknown("answer lost")
