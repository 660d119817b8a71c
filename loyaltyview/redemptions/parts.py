"""A part of what an order's redemptions spent goes back with a part of its goods."""

from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.orders import order_actor
from loyaltyview.redemptions.snapshots import spend_of
from loyaltyview.redemptions.steps import write_line
from providers.types import SpendKind

# A voucher has no parts.
IN_PARTS = (SpendKind.REWARD, SpendKind.POINTS)


def with_points_in_parts(program: Program, order_id: str) -> list[Redemption]:
    """Return the settled redemptions of the order whose points can go back in parts."""
    rows = Redemption.objects.select_related("program").filter(
        program=program,
        order_id=order_id,
        state=State.SETTLED.value,
        points__gt=0,
        kind__in=[kind.value for kind in IN_PARTS],
    )
    return list(rows.order_by("pk"))


def give_back_part(row: Redemption, *, points: int, return_id: str) -> None:
    """Ask the vendor to give back `points` of this spend, once per return. Raises ProviderError, Unsupported
    among them; may be repeated."""
    row.program.provider().release_part(spend_of(row), points, return_id)


def note_part(row: Redemption, *, points: int, return_id: str) -> None:
    """Write it into the audit trail; inside the transaction that remembers that it was done."""
    actor = order_actor(row.order_id)
    write_line(row, row.state, State(row.state), actor, f"{points} points back for return {return_id}")
