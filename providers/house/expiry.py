"""Expiry of points: which expire, when, and the entries that take them.

An earned entry may carry `expires_at`. Points that a return, a cancelled order or the expiry took count
against the points of that order. Spent points count against the points that expire soonest, whenever they
were spent: this favours the member. Points that a cancelled order gave back do not expire.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q, Sum

from providers.house.ledger import lock, post
from providers.house.models import Entry, EntryKind, Member
from providers.types import Expiring

# These kinds take from the points of the order that they name.
OF_THEIR_ORDER = (EntryKind.RETURN, EntryKind.CANCEL, EntryKind.EXPIRE)


class Lot(NamedTuple):
    """Points that an order earned and that expire. A member page reads all of them, so only these fields of
    an entry."""

    pk: int
    expires_at: datetime
    points: int
    order_id: str


def expiring_points(member: Member) -> tuple[Expiring, ...]:
    """Return what is left of the member's expiring points by date, soonest first. Reserved points count as
    spent."""
    left: dict[datetime, int] = {}
    for lot, points in _lots_left(member):
        left[lot.expires_at] = left.get(lot.expires_at, 0) + points
    return tuple(Expiring(points=points, at=at) for at, points in left.items())


def expired_points(earned: Entry) -> int:
    """Return how many of the points of this order have expired."""
    entries = Entry.objects.filter(program=earned.program, member=earned.member, kind=EntryKind.EXPIRE)
    # Older entries name no order. In favour of the member, they count as this order's points.
    nameless = Q(order_id="", at__gte=earned.expires_at) if earned.expires_at else Q(pk=None)
    expired = entries.filter(Q(order_id=earned.order_id) | nameless).aggregate(sum=Sum("points"))["sum"] or 0
    return min(-expired, earned.points)


def expire_points(program: str, ref: str, now: datetime) -> list[Entry]:
    """Take the member's points that have expired by `now`, one entry an order. May be repeated."""
    with transaction.atomic():
        member = lock(program, ref)
        expired = [(lot, points) for lot, points in _lots_left(member) if lot.expires_at <= now]
        return [
            # Not the card number: entries are never changed, and a member may be erased.
            post(
                member,
                EntryKind.EXPIRE,
                -points,
                reference=f"expire:{lot.pk}:{now.isoformat()}",
                order_id=lot.order_id,
                at=now,
            )
            for lot, points in expired
        ]


def expire_all(program: str, now: datetime) -> list[Entry]:
    """Take the expired points of every member of the program; returns the lines. May be repeated."""
    members = Member.objects.filter(program=program, spendable__gt=0, entries__expires_at__lte=now).distinct()
    refs = members.values_list("member_id", flat=True)
    return [entry for ref in refs for entry in expire_points(program, ref, now)]


def _lots_left(member: Member) -> Iterator[tuple[Lot, int]]:
    """Yield the earned entries whose points expire and of which some are left, soonest first, with the
    rest."""
    earned = member.entries.filter(points__gt=0, expires_at__isnull=False).order_by("expires_at", "pk")
    lots = [Lot(*row) for row in earned.values_list(*Lot._fields)]
    if not lots:
        return
    gone = member.entries.filter(points__lt=0).aggregate(sum=Sum("points"))["sum"] or 0
    taken = _taken_of(member, lots)
    spent = member.reserved - gone - sum(taken.values())
    for lot in lots:
        left = lot.points - taken[lot.pk]
        used = min(spent, left)
        spent -= used
        if left > used:
            yield lot, left - used


def _taken_of(member: Member, lots: list[Lot]) -> dict[int, int]:
    """Return how many points of each lot its own returns, cancellation and expiry took, by the lot's id."""
    entries = member.entries.filter(points__lt=0, kind__in=OF_THEIR_ORDER).exclude(order_id="")
    sums = entries.order_by().values_list("order_id").annotate(sum=Sum("points"))
    by_order = {order_id: -points for order_id, points in sums}
    return {lot.pk: min(by_order.get(lot.order_id, 0), lot.points) for lot in lots}
