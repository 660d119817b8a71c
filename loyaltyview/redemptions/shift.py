"""What an associate redeemed in this store today, and what customers saved by it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import HOLDING, Redemption, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """`redemptions` newest first; `saved` in the program's currency, of those that stand."""

    redemptions: tuple[Redemption, ...]
    saved: Decimal


def shift_of(program: Program, *, associate_id: str, store_id: str, since: datetime) -> Shift:
    """Return the associate's redemptions in this store since `since` (the start of her day)."""
    rows = tuple(
        Redemption.objects.select_related("program").filter(
            program=program, associate_id=associate_id, store_id=store_id, requested_at__gte=since
        )[:200]
    )
    saved = sum((row.saving for row in rows if State(row.state) in HOLDING), Decimal(0))
    return Shift(redemptions=rows, saved=saved)


def is_undoable(row: Redemption) -> bool:
    """Return whether the associate may still give it back: until an order carries its code."""
    return row.state in (State.SPENT, State.REVEALED) and not row.order_id
