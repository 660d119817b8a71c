"""What an associate redeemed in one store today, and what customers saved by it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Sum

from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import HOLDING, Redemption, State
from loyaltyview.redemptions.offers import smallest_unit

MOST_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """`redemptions`, newest first, at most MOST_SHOWN. `saved` in the program's currency by all that were not
    given back."""

    redemptions: tuple[Redemption, ...]
    saved: Decimal


def shift_of(program: Program, *, associate_id: str, store_id: str, since: datetime) -> Shift:
    """Return the associate's redemptions in this store since `since`, the start of the day."""
    rows = Redemption.objects.filter(
        program=program, associate_id=associate_id, store_id=store_id, requested_at__gte=since
    )
    standing = rows.filter(state__in=[State(state).value for state in HOLDING], currency=program.currency)
    saved = standing.aggregate(saved=Sum("saving"))["saved"] or Decimal(0)
    if saved:
        saved = saved.quantize(smallest_unit(program.currency))  # the column has three decimals for all
    return Shift(redemptions=tuple(rows.select_related("program")[:MOST_SHOWN]), saved=saved)


def redemption_in_shift(
    program: Program, redemption_id: UUID, *, associate_id: str, store_id: str
) -> Redemption | None:
    """Return the redemption if this associate made it in this store, in whatever cart; None otherwise."""
    return (
        Redemption.objects.select_related("program")
        .filter(pk=redemption_id, program=program, associate_id=associate_id, store_id=store_id)
        .first()
    )
