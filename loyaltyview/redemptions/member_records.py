"""What we know of a member's redemptions, orders and returns, for the page of their points history.

The app that receives orders registers a reader in `AppConfig.ready`. So redemptions know orders, but no
events.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.offers import smallest_unit
from providers.movements import Ending
from providers.types import Money

# A tap that was refused, or of which nothing has been sent yet, moved no points.
WITHOUT_LINE = (State.REQUESTED, State.REFUSED)
ENDINGS = {
    State.UNCERTAIN: Ending.UNKNOWN,
    State.STUCK: Ending.UNKNOWN,
    State.RELEASING: Ending.UNKNOWN,
    State.RELEASED: Ending.BACK,
    State.SPENT: Ending.HELD,
    State.REVEALED: Ending.HELD,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRedemption:
    """One of our redemptions. `id` is in the keys of its spends (`redemption_id_of`)."""

    id: UUID
    at: datetime
    title: str
    points: int
    ending: Ending
    saving: Money
    store_id: str = ""
    order_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSale:
    """An order. `number` is its receipt number; `told_at` is when the vendor was told of it. `is_open`: its
    points come when it is completed; `earns_nothing` is final, and so is `is_cancelled`."""

    order_id: str
    at: datetime
    total: Money
    number: str = ""
    store_id: str = ""
    told_at: datetime | None = None
    is_open: bool = False
    earns_nothing: bool = False
    is_cancelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnReturn:
    """Money that went back. `told_at` is when the vendor was told of it, None where it was not; `is_open`: a
    person, or a later event, still decides about the points. `takes_nothing` is final."""

    return_id: str
    order_id: str
    at: datetime
    refund: Money
    store_id: str = ""
    told_at: datetime | None = None
    is_open: bool = False
    takes_nothing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whose records, and which: those that are named, and those of a period."""

    program: Program
    member_ref: str
    redemption_ids: Collection[UUID] = ()
    order_ids: Collection[str] = ()
    return_ids: Collection[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    redemptions: tuple[OwnRedemption, ...] = ()
    sales: tuple[OwnSale, ...] = ()
    returns: tuple[OwnReturn, ...] = ()


SalesReader = Callable[[Wanted], Records]
_readers: list[SalesReader] = []


def add_sales_reader(reader: SalesReader) -> None:
    """Register an app that receives orders."""
    _readers.append(reader)


def redemption_id_of(spend_key: str) -> UUID | None:
    """Return the id of the redemption whose spend has this key at the vendor, None for another's key."""
    try:
        return UUID(hex=spend_key.rpartition("-")[0])
    except ValueError:
        return None


def read_records(wanted: Wanted) -> Records:
    """Return our records. The orders of all redemptions and returns among them are named, too. Database
    only."""
    redemptions = _redemptions(wanted)
    order_ids = {*wanted.order_ids, *(each.order_id for each in redemptions if each.order_id)}
    sales: list[OwnSale] = []
    returns: list[OwnReturn] = []
    for reader in _readers:
        found = reader(replace(wanted, order_ids=order_ids))
        sales += found.sales
        returns += found.returns
    return Records(redemptions=tuple(redemptions), sales=tuple(sales), returns=tuple(returns))


def _redemptions(wanted: Wanted) -> list[OwnRedemption]:
    mine = Redemption.objects.filter(program=wanted.program, member_ref=wanted.member_ref)
    mine = mine.exclude(state__in=WITHOUT_LINE)
    of_period = mine
    if wanted.since:
        of_period = of_period.filter(requested_at__gte=wanted.since)
    if wanted.until:
        of_period = of_period.filter(requested_at__lte=wanted.until)
    rows = {row.pk: row for row in of_period.order_by("-requested_at")[: wanted.limit]}
    missing = set(wanted.redemption_ids) - rows.keys()
    # By their ids, and then whose they are.
    named = mine.filter(pk__in=missing) if missing else ()
    return [_own(row) for row in (*rows.values(), *named)]


def _own(row: Redemption) -> OwnRedemption:
    saving = row.saving.quantize(smallest_unit(row.currency))  # the column has three decimals for all
    return OwnRedemption(
        id=row.pk,
        at=row.requested_at,
        title=row.title,
        points=row.points,
        ending=ENDINGS.get(State(row.state), Ending.DONE),
        saving=Money(amount=saving, currency=row.currency),
        store_id=row.store_id,
        order_id=row.order_id,
    )
