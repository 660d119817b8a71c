"""The ledger's two primitives: lock a member, and post an entry together with its change of the balance."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from providers.errors import Rejected, RejectReason
from providers.house.models import Entry, EntryKind, Member


def lock(program: str, ref: str) -> Member:
    """Return the member with the row locked until the transaction ends; raise Rejected(MEMBER_NOT_FOUND).

    Every write to the ledger starts here, so that its checks are still true when it commits. Rows of
    holds, rewards and vouchers are only ever locked after it: one order, no deadlock. (SQLite has no row
    locks and needs none: a writing transaction has the database to itself.)

    The number of a merged card locks its survivor. A card that is merged at this moment may stay locked with
    it. The next merge or an erasure of both can then block, and the database ends one of the transactions.
    """
    members = Member.objects.select_for_update().filter(program=program, merged_into=None)
    member = members.filter(member_id=ref).first()
    while member is None:
        survivors = Member.objects.filter(program=program, member_id=ref)
        survivor: int | None = survivors.values_list("merged_into", flat=True).first()
        if survivor is None:
            raise Rejected(RejectReason.MEMBER_NOT_FOUND)
        member = members.filter(pk=survivor).first()
    return member


def cards_of(member: Member) -> QuerySet[Member]:
    """Return the member's card and those that were merged with it, for a query of their entries."""
    survivor = member.merged_into_id or member.pk
    return Member.objects.filter(Q(pk=survivor) | Q(merged_into=survivor)).order_by()


def move(
    member: Member,
    *,
    spendable: int = 0,
    reserved: int = 0,
    lifetime: int = 0,
    may_expire_at: datetime | None = None,
) -> None:
    """Add the signed numbers to the member's balance; raise Rejected(INSUFFICIENT_POINTS) with the gap when
    one of them would fall below zero. `member`, whose row the caller has locked, gets the new numbers.
    `may_expire_at` is the first time at which some of the points may expire; for points that come back, the
    present."""
    sooner: dict[str, Any] = {}
    if may_expire_at and (member.next_expiry_at is None or may_expire_at < member.next_expiry_at):
        sooner = {"next_expiry_at": may_expire_at}
    moved = Member.objects.filter(
        pk=member.pk,
        spendable__gte=-spendable,
        reserved__gte=-reserved,
        lifetime_points__gte=-lifetime,
    ).update(
        spendable=F("spendable") + spendable,
        reserved=F("reserved") + reserved,
        lifetime_points=F("lifetime_points") + lifetime,
        **sooner,
    )
    if not moved:
        member.refresh_from_db(fields=["spendable", "reserved", "lifetime_points", "next_expiry_at"])
        gap = max(0, -spendable - member.spendable)
        raise Rejected(RejectReason.INSUFFICIENT_POINTS, points_gap=gap)
    member.spendable += spendable
    member.reserved += reserved
    member.lifetime_points += lifetime
    member.next_expiry_at = sooner.get("next_expiry_at", member.next_expiry_at)


def post(
    member: Member,
    kind: EntryKind,
    points: int,
    *,
    reference: str,
    from_reserved: bool = False,
    tier_points: int = 0,
    shortfall: int = 0,
    order_id: str = "",
    amount: Decimal | None = None,
    at: datetime | None = None,
    expires_at: datetime | None = None,
    inactivity_months: int | None = None,
    by_product: dict[str, Any] | None = None,
    note: str = "",
) -> Entry:
    """Write one entry and move the balance by it, inside the caller's transaction and its `lock`.

    Points that may expire have an `expires_at` or `inactivity_months`. `from_reserved` takes the points from
    the reserved balance of a hold instead of the spendable balance. Raises Rejected(INSUFFICIENT_POINTS); an
    IntegrityError means that `reference` exists, which the caller should have looked for.
    """
    at = at or timezone.now()
    if from_reserved:
        move(member, reserved=points, lifetime=tier_points)
    else:
        may_expire_at = at if kind is EntryKind.RELEASE else expires_at
        if inactivity_months:
            # No number of months is shorter. Too early is no fault: the job looks again.
            may_expire_at = at + timedelta(days=28 * inactivity_months - 1)
        move(member, spendable=points, lifetime=tier_points, may_expire_at=may_expire_at)
    return Entry.objects.create(
        program=member.program,
        member=member,
        kind=kind,
        points=points,
        tier_points=tier_points,
        shortfall=shortfall,
        reference=reference,
        order_id=order_id,
        amount=amount,
        at=at,
        expires_at=expires_at,
        inactivity_months=inactivity_months,
        by_product=by_product,
        note=note[:200],
    )


def posted(program: str, reference: str) -> Entry | None:
    """Return the entry with this reference: its write has been done before."""
    return Entry.objects.filter(program=program, reference=reference).first()


def adjust(program: str, ref: str, points: int, *, reference: str, note: str, tier_points: int = 0) -> Entry:
    """Correct a balance by hand, once per `reference`. Never below zero: raises
    Rejected(INSUFFICIENT_POINTS). Moves the lifetime points, and so the tier, only by `tier_points`."""
    with transaction.atomic():
        member = lock(program, ref)
        return posted(program, reference) or post(
            member, EntryKind.ADJUST, points, reference=reference, note=note, tier_points=tier_points
        )
