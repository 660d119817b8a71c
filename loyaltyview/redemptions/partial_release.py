"""Partial release: when a part of an order's goods comes back, a part of its points goes back."""

from django.db.models import Q, QuerySet

from loyaltyview.programs.models import Program
from loyaltyview.redemptions.codes import with_codes
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.orders import order_actor
from loyaltyview.redemptions.release import is_final
from loyaltyview.redemptions.serialization import spend_of
from loyaltyview.redemptions.transitions import write_line
from providers.sales import SpendKind

# A voucher has no parts.
IN_PARTS = (SpendKind.REWARD, SpendKind.POINTS)


def spends_in_order(
    program: Program,
    *,
    order_id: str,
    codes: tuple[str, ...],
    earlier: frozenset[str],
    later: tuple[str, ...],
) -> QuerySet[Redemption]:
    """Return the redemptions whose discount is in this order: its own, and those that it took over with its
    `codes` from the `earlier` orders that it was exchanged for. Redemptions with `later` codes are left out:
    a later exchange has them."""
    taken_over = Q(order_id__in=earlier, pk__in=with_codes(program, codes).values("pk"))
    return (
        Redemption.objects.select_related("program")
        .filter(Q(order_id=order_id) | taken_over, program=program)
        .exclude(pk__in=with_codes(program, later).values("pk"))
        .order_by("pk")
    )


def with_points_in_parts(rows: QuerySet[Redemption]) -> list[Redemption]:
    """Return the settled redemptions of `rows` whose points can go back in parts."""
    kinds = [kind.value for kind in IN_PARTS]
    return list(rows.filter(state=State.SETTLED.value, points__gt=0, kind__in=kinds))


def vouchers_to_give_back(rows: QuerySet[Redemption]) -> list[Redemption]:
    """Return the redemptions of `rows` whose voucher the vendor can take back. The others stay used."""
    vouchers = rows.filter(kind=SpendKind.VOUCHER.value)
    return [row for row in vouchers if not is_final(row, row.program.provider())]


def give_back_part(row: Redemption, *, points: int, return_id: str) -> None:
    """Ask the vendor to give back `points` of this spend, once per return. Raises ProviderError, Unsupported
    among them; may be repeated."""
    row.program.provider().release_part(spend_of(row), points, return_id)


def note_part(row: Redemption, *, points: int, return_id: str) -> None:
    """Add the part to the trail, inside the transaction that stores that it was given back."""
    actor = order_actor(row.order_id)
    write_line(row, row.state, State(row.state), actor, f"{points} points back for return {return_id}")
