"""What an associate redeemed in one store today, and what customers saved by it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import HOLDING, Redemption, State
from loyaltyview.redemptions.offers import smallest_unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """`redemptions`, newest first. `saved` in the program's currency by those that were not given back."""

    redemptions: tuple[Redemption, ...]
    saved: Decimal


def shift_of(program: Program, *, associate_id: str, store_id: str, since: datetime) -> Shift:
    """Return the associate's redemptions in this store since `since`, the start of the day."""
    rows = tuple(
        Redemption.objects.select_related("program").filter(
            program=program, associate_id=associate_id, store_id=store_id, requested_at__gte=since
        )[:200]
    )
    standing = [row for row in rows if State(row.state) in HOLDING and row.currency == program.currency]
    saved = sum((row.saving for row in standing), Decimal(0))
    if standing:
        saved = saved.quantize(smallest_unit(program.currency))  # the column has three decimals for all
    return Shift(redemptions=rows, saved=saved)


def redemption_in_shift(
    program: Program, redemption_id: UUID, *, associate_id: str, store_id: str
) -> Redemption | None:
    """Return the redemption if this associate made it in this store, in whatever cart; None otherwise."""
    return (
        Redemption.objects.select_related("program")
        .filter(pk=redemption_id, program=program, associate_id=associate_id, store_id=store_id)
        .first()
    )
