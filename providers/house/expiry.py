"""Points that lapse: which, when, and the entry that takes them.

An earned entry may carry `expires_at`. What a member spent counts against her soonest-lapsing points first,
whenever it was: in doubt for the member. Points that a cancelled order gave back lapse no more.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Sum

from providers.house.ledger import lock, post
from providers.house.models import Entry, EntryKind, Member
from providers.types import Expiring


def expiring_points(member: Member) -> tuple[Expiring, ...]:
    """Return what is left of the member's lapsing points by date, soonest first. Reserved points count as
    spent."""
    lots = member.entries.filter(points__gt=0, expires_at__isnull=False)
    if not lots.exists():
        return ()
    gone = member.entries.filter(points__lt=0).aggregate(sum=Sum("points"))["sum"] or 0
    spent = member.reserved - gone
    left: dict[datetime, int] = {}
    for expires_at, points in lots.order_by("expires_at", "pk").values_list("expires_at", "points"):
        used = min(spent, points)
        spent -= used
        if expires_at and points > used:
            left[expires_at] = left.get(expires_at, 0) + points - used
    return tuple(Expiring(points=points, at=at) for at, points in left.items())


def expire_points(program: str, ref: str, now: datetime) -> Entry | None:
    """Take the member's points that have lapsed by `now`; None when there are none. May be repeated."""
    with transaction.atomic():
        member = lock(program, ref)
        points = sum(lot.points for lot in expiring_points(member) if lot.at <= now)
        if not points:
            return None
        # Not her card's number: entries are never changed, and a member may be erased.
        reference = f"expire:{member.pk}:{now.isoformat()}"
        return post(member, EntryKind.EXPIRE, -points, reference=reference, at=now)


def expire_all(program: str, now: datetime) -> list[Entry]:
    """Take the lapsed points of every member of the program; returns the lines. May be repeated."""
    members = Member.objects.filter(program=program, spendable__gt=0, entries__expires_at__lte=now).distinct()
    taken = [expire_points(program, ref, now) for ref in members.values_list("member_id", flat=True)]
    return [entry for entry in taken if entry]
