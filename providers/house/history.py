"""A member's movements, newest first: one for each hold, with how it ended, and one for each other entry.

A hold stands at the time when it was made. Its entries in the ledger (spent, given back) have no lines of
their own. So the points of all lines add up to the spendable balance.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet, Sum
from django.utils.translation import gettext as _

from providers.house.ledger import cards_of
from providers.house.models import Entry, EntryKind, Hold, HoldState, Member
from providers.house.referral import NOTE, NOTE_BACK
from providers.house.spending import part_reference
from providers.movements import Ending, History, Movement, MovementKind

OF_HOLDS = (EntryKind.SPEND, EntryKind.RELEASE)
KINDS = {
    EntryKind.EARN: MovementKind.PURCHASE,
    EntryKind.RETURN: MovementKind.RETURN,
    EntryKind.CANCEL: MovementKind.CANCELLATION,
    EntryKind.EXPIRE: MovementKind.EXPIRY,
}
RETURN_REFERENCE = "return:"


def list_movements(member: Member, until: datetime | None, limit: int) -> History:
    """Return the newest `limit` movements at or before `until`."""
    entries, holds = _entries(member), _holds(member)
    newer = 0
    if until:
        newer = _points_of(member, entries.filter(at__gt=until), holds.filter(created_at__gt=until))
        entries, holds = entries.filter(at__lte=until), holds.filter(created_at__lte=until)
    some_holds = list(holds.order_by("-created_at", "-pk")[: limit + 1])
    some_entries = entries.exclude(points=0).order_by("-at", "-pk")[: limit + 1]
    back = _given_back(member, some_holds)
    told = [_of_hold(hold, back.get(hold.pk, 0)) for hold in some_holds] + [
        _of_entry(entry) for entry in some_entries
    ]
    told.sort(key=lambda movement: movement.at, reverse=True)
    return History(
        movements=tuple(told[:limit]), has_older=len(told) > limit, points_after=member.spendable - newer
    )


def _entries(member: Member) -> QuerySet[Entry]:
    """Return the entries that have a line: not those of holds, and not those of a merge, since both cards'
    entries are shown as they were made. Entries of 0 points are the ledger's own notes."""
    mine = Entry.objects.filter(member__in=cards_of(member))
    return mine.exclude(kind__in=(*OF_HOLDS, EntryKind.MERGE))


def _holds(member: Member) -> QuerySet[Hold]:
    """Return the holds that have a line, of 0 points too: these are vouchers."""
    survivor = member.merged_into or member
    return survivor.holds.exclude(state=HoldState.VOID)


def _points_of(member: Member, entries: QuerySet[Entry], holds: QuerySet[Hold]) -> int:
    """Return the sum of the lines of these entries and holds."""
    total: int = entries.order_by().aggregate(sum=Sum("points"))["sum"] or 0
    standing = holds.exclude(state=HoldState.RELEASED)
    held: int = standing.order_by().aggregate(sum=Sum("points"))["sum"] or 0
    captured = standing.filter(state=HoldState.CAPTURED, points__gt=0)
    # Only holds of which parts came back: few orders have any.
    orders = _parts(member).values_list("order_id", flat=True)
    some = captured.filter(order_id__in=list(orders.distinct().order_by()))
    return total - held + sum(_given_back(member, some).values())


def _parts(member: Member) -> QuerySet[Entry]:
    parts = Entry.objects.filter(member__in=cards_of(member), kind=EntryKind.RELEASE)
    return parts.filter(reference__startswith=part_reference(""))


def _given_back(member: Member, holds: Iterable[Hold]) -> dict[int, int]:
    """Return what came back in parts of holds that were captured, by hold."""
    by_order: dict[str, list[Hold]] = {}
    for hold in holds:
        if hold.state == HoldState.CAPTURED and hold.points:
            by_order.setdefault(hold.order_id, []).append(hold)
    if not by_order:
        return {}
    back: dict[int, int] = {}
    of_orders = Q(program=member.program, order_id__in=list(by_order))
    for order_id, reference, points in (
        _parts(member).filter(of_orders).values_list("order_id", "reference", "points")
    ):
        for hold in by_order[order_id]:
            if reference.startswith(part_reference(hold.key)):
                back[hold.pk] = back.get(hold.pk, 0) + points
    return back


def _of_hold(hold: Hold, back: int) -> Movement:
    endings = {HoldState.HELD: Ending.HELD, HoldState.RELEASED: Ending.BACK}
    came_back = Ending.BACK if back == hold.points else Ending.PARTLY_BACK
    ending = endings.get(HoldState(hold.state), came_back if back else Ending.DONE)
    return Movement(
        at=hold.created_at,
        points=0 if ending is Ending.BACK else back - hold.points,
        kind=MovementKind.REDEMPTION,
        title=hold.title,
        ending=ending,
        spend_key=hold.key,
        order_id=hold.order_id,
    )


def _of_entry(entry: Entry) -> Movement:
    kind = KINDS.get(EntryKind(entry.kind), MovementKind.OTHER)
    names = {NOTE: _("Referral reward"), NOTE_BACK: _("Referral reward taken back")}
    is_other = kind is MovementKind.OTHER
    # What was owed, or was back before its order was recorded, names no return.
    is_return = entry.reference.startswith(RETURN_REFERENCE)
    return Movement(
        at=entry.at,
        points=entry.points,
        kind=kind,
        title=names.get(entry.note, entry.note or _("Correction")) if is_other else "",
        order_id=entry.order_id,
        return_id=entry.reference.removeprefix(RETURN_REFERENCE) if is_return else "",
        number="" if is_other else entry.note,
    )
