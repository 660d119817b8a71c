"""Spends that the vendor cancelled by itself, as its webhook reports."""

from collections.abc import Iterable

from loyaltyview.programs.models import Program
from loyaltyview.redemptions.commands import Actor
from loyaltyview.redemptions.models import OPEN, Redemption, State, Transition
from loyaltyview.redemptions.release import give_back
from loyaltyview.redemptions.transitions import mark_stuck
from providers.errors import Unavailable

REASON = "cancelled by the program"
PROVIDER = Actor(name="provider")
# Where a redemption stands after the vendor cancelled its spend.
CANCELLED = (State.RELEASING, State.RELEASED, State.STUCK)


def cancel_spend(program: Program, *, provider_ref: str) -> tuple[Redemption, ...] | None:
    """Release the redemption of this spend. One that an order has used becomes STUCK: the customer had the
    discount. Returns the redemptions that the vendor cancelled, none where we had released the spend before;
    None when no redemption of ours has the reference. Raises Unavailable while its outcome is unknown. May be
    repeated."""
    rows = Redemption.objects.select_related("program").filter(program=program, provider_ref=provider_ref)
    rows = rows.order_by("provider_ref")  # sorted by their time, SQLite would read all rows of the program
    for row in rows:
        if row.state in OPEN:
            raise Unavailable(f"redemption {row.id} is {row.state}")
        give_back(row, PROVIDER, REASON)
        reason = f"{REASON} after order {row.order_id} had used it"
        mark_stuck(row, (State.USED, State.SETTLED), PROVIDER, reason, needs_lease=False)
    return cancelled_by_vendor(rows) if rows else None


def cancelled_by_vendor(rows: Iterable[Redemption]) -> tuple[Redemption, ...]:
    """Return those of `rows` whose spend the vendor cancelled by itself."""
    given_back = [row for row in rows if row.state in CANCELLED]
    if not given_back:
        return ()
    by_vendor = set(
        Transition.objects.filter(
            redemption__in=given_back, actor=PROVIDER.name, to_state__in=[State.RELEASING, State.STUCK]
        ).values_list("redemption_id", flat=True)
    )
    return tuple(row for row in given_back if row.pk in by_vendor)
