"""Expiry of points: which expire, when, and the entries that take them.

An earned entry may carry `expires_at`, or `inactivity_months` after the member's last activity. Points that
a return, a cancelled order or the expiry took count against the points of that order. Spent points count
against the points that expire soonest, whenever they were spent: this favours the member. Points that a
cancelled order gave back do not expire.

docs/decisions/0048-points-keep-their-rule-of-expiry.md says what a changed rule does, and how the job finds
the members whose points expire.
"""

import calendar
from collections.abc import Iterator
from datetime import date, datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Sum, Value, When

from providers.dates import last_moment
from providers.house.ledger import cards_of, lock, post
from providers.house.models import Entry, EntryKind, Member
from providers.house.multipliers import Terms, zone_of
from providers.types import Expiring

# These kinds take from the points of the order that they name.
OF_THEIR_ORDER = (EntryKind.RETURN, EntryKind.CANCEL, EntryKind.EXPIRE)
IS_ACTIVITY = Q(kind__in=(EntryKind.EARN, EntryKind.SPEND)) | Q(kind=EntryKind.ADJUST, points__gt=0)
MOST_MEMBERS = 2000  # in one call of `expire_all`: about ten seconds


class Lot(NamedTuple):
    """Points that an order earned and that expire. A member page reads all of them, so only these fields of
    an entry."""

    pk: int
    expires_at: datetime
    points: int
    order_id: str


def expiry_of(placed_at: datetime, terms: Terms, time_zone: str) -> datetime | None:
    """Return when the points of an order expire; None where they do not, or only by inactivity."""
    if terms.expiry_months:
        return months_after(placed_at, terms.expiry_months, time_zone)
    if terms.expires_on:
        next_year = placed_at.astimezone(zone_of(time_zone)).year + 1
        return last_moment(date.fromisoformat(f"{next_year}-{terms.expires_on}"), time_zone or "UTC")
    return None


def months_after(at: datetime, months: int, time_zone: str) -> datetime:
    """Return the same time of the same day `months` later in `time_zone`, or of that month's last day."""
    local = at.astimezone(zone_of(time_zone))
    years, month0 = divmod(local.month - 1 + months, 12)
    year, month = local.year + years, month0 + 1
    day = min(local.day, calendar.monthrange(year, month)[1])
    return local.replace(year=year, month=month, day=day).astimezone(at.tzinfo)


def expiring_points(member: Member, time_zone: str = "") -> tuple[Expiring, ...]:
    """Return what is left of the member's expiring points by date, soonest first. Reserved points count as
    spent."""
    left: dict[datetime, int] = {}
    if member.next_expiry_at is None:  # the ledger notes it with every point that may expire
        return ()
    for lot, points in lots_left(member, time_zone):
        left[lot.expires_at] = left.get(lot.expires_at, 0) + points
    return tuple(Expiring(points=points, at=at) for at, points in left.items())


def expired_points(earned: Entry) -> int:
    """Return how many of the points of this order have expired."""
    cards = cards_of(earned.member)
    entries = Entry.objects.filter(member__in=cards, kind=EntryKind.EXPIRE)
    # Older entries name no order. In favour of the member, they count as this order's points.
    nameless = Q(order_id="", at__gte=earned.expires_at) if earned.expires_at else Q(pk=None)
    expired = entries.filter(Q(order_id=earned.order_id) | nameless).aggregate(sum=Sum("points"))["sum"] or 0
    return min(-expired, earned.points)


def expire_points(program: str, ref: str, now: datetime, time_zone: str = "") -> list[Entry]:
    """Take the member's points that have expired by `now`, one entry an order, and note when the next ones
    expire. May be repeated."""
    with transaction.atomic():
        member = lock(program, ref)
        lots = list(lots_left(member, time_zone))
        taken = [_expire(member, lot, points, now) for lot, points in lots if lot.expires_at <= now]
        following = min((lot.expires_at for lot, _points in lots if lot.expires_at > now), default=None)
        Member.objects.filter(pk=member.pk).update(next_expiry_at=following)
        return taken


def expire_all(
    program: str, now: datetime, time_zone: str = "", most_members: int = MOST_MEMBERS
) -> list[Entry]:
    """Take the expired points of the program's members whose time has come; return the entries. May be
    repeated, and must be until `is_due` is False: one call looks at `most_members`."""
    refs = list(
        _due(program, now).order_by("next_expiry_at").values_list("member_id", flat=True)[:most_members]
    )
    return [entry for ref in refs for entry in expire_points(program, ref, now, time_zone)]


def is_due(program: str, now: datetime) -> bool:
    """Return whether points of any member of the program may have expired by `now`."""
    return _due(program, now).exists()


def _due(program: str, now: datetime) -> QuerySet[Member]:
    return Member.objects.filter(program=program, next_expiry_at__lte=now)


def _expire(member: Member, lot: Lot, points: int, now: datetime) -> Entry:
    # The reference has no card number: entries are never changed, and a member may be erased.
    reference = f"expire:{lot.pk}:{now.isoformat()}"
    return post(member, EntryKind.EXPIRE, -points, reference=reference, order_id=lot.order_id, at=now)


def lots_left(member: Member, time_zone: str = "") -> Iterator[tuple[Lot, int]]:
    """Yield the earned entries whose points expire and of which some are left, soonest first, with the
    rest."""
    lots = _lots(member, time_zone)
    if not lots:
        return
    gone, by_order = _gone(member)
    taken = {lot.pk: min(by_order.get(lot.order_id, 0), lot.points) for lot in lots}
    spent = member.reserved + gone - sum(taken.values())
    for lot in lots:
        left = lot.points - taken[lot.pk]
        used = min(spent, left)
        spent -= used
        if left > used:
            yield lot, left - used


def _lots(member: Member, time_zone: str) -> list[Lot]:
    """Return the member's points that expire, by order, soonest first; those of a rule of inactivity with
    the date that holds unless the member becomes active."""
    earned = member.entries.filter(points__gt=0).exclude(expires_at=None, inactivity_months=None)
    rows = list(earned.values_list("pk", "expires_at", "points", "order_id", "inactivity_months"))
    if any(months for *_lot, months in rows):
        activity = Entry.objects.filter(IS_ACTIVITY, member__in=cards_of(member))
        active_at = activity.order_by("-at").values_list("at", flat=True)[0]
    lots = [
        Lot(pk, expires_at or months_after(active_at, months or 0, time_zone), points, order_id)
        for pk, expires_at, points, order_id, months in rows
    ]
    return sorted(lots, key=lambda lot: (lot.expires_at, lot.pk))


def _gone(member: Member) -> tuple[int, dict[str, int]]:
    """Return how many points were taken from the member, and how many of them by returns, cancellation and
    expiry, by the order that they name."""
    of_order = Case(When(kind__in=OF_THEIR_ORDER, then=F("order_id")), default=Value(""))
    entries = member.entries.filter(points__lt=0).order_by().annotate(of_order=of_order)
    sums = dict(entries.values_list("of_order").annotate(sum=Sum("points")))
    return -sum(sums.values()), {order_id: -points for order_id, points in sums.items() if order_id}
