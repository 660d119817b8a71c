"""The rows of our redemptions: opened before Yotpo is asked, moved on by conditional updates.

Called from pages' threads as well: each is one short query, and none runs while Yotpo is asked.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q, Sum

from providers import clock, types
from providers.yotpo.models import PartRelease, SentOrder, Spend, SpendState

STANDING = (SpendState.HELD, SpendState.TAKEN)
# How long after its order a held redemption may still be waiting for its deduction at Yotpo.
DEDUCTED_WITHIN = timedelta(hours=1)


def begin(
    program: str, intent: types.SpendIntent, *, is_custom: bool, is_delayed: bool
) -> tuple[Spend, bool]:
    """Return the row of `intent` and whether this call made it."""
    try:
        with transaction.atomic():
            row = Spend.objects.create(
                program=program,
                key=intent.key,
                member_ref=intent.member_ref,
                kind=intent.kind.value,
                option_id=intent.item_id,
                is_custom=is_custom,
                is_delayed=is_delayed,
                points=intent.points,
                asked_at=clock.now(),
            )
    except IntegrityError:
        return Spend.objects.get(program=program, key=intent.key), False
    return row, True


def find_or_void(program: str, intent: types.SpendIntent) -> Spend:
    """Return the row of `intent`. Without one the key is closed here, so that it never spends any more."""
    row, _ = Spend.objects.get_or_create(
        program=program,
        key=intent.key,
        defaults={
            "state": SpendState.VOID,
            "member_ref": intent.member_ref,
            "kind": intent.kind.value,
            "option_id": intent.item_id,
            "points": intent.points,
            "asked_at": clock.now(),
        },
    )
    return row


def note_before(row: Spend, codes: Iterable[str]) -> bool:
    """Commit which codes the history shows just before Yotpo is asked. False for a key that was closed
    meanwhile: somebody asked what became of it, and was told that nothing was spent."""
    mine = Spend.objects.filter(pk=row.pk, state=SpendState.ASKED, codes_before__isnull=True)
    noted = mine.update(codes_before=sorted(set(codes)), asked_at=clock.now())
    row.refresh_from_db()
    return noted == 1


def close_unsent(row: Spend) -> None:
    """Close a key that Yotpo was not asked for. Asking begins with `note_before`: exactly one wins."""
    unsent = Spend.objects.filter(pk=row.pk, state=SpendState.ASKED, codes_before__isnull=True)
    unsent.update(state=SpendState.VOID)
    row.refresh_from_db()


def take_code(row: Spend, code: str, redemption_id: str) -> None:
    """Note that `code` is what the lost redemption of `row` made, unless another of ours has it."""
    with transaction.atomic():
        # The member's rows are locked in one order: of two that find the same code one has to wait.
        list(Spend.objects.select_for_update().filter(member_ref=row.member_ref).order_by("pk"))
        if not is_claimed(row.program, code):
            move(row, SpendState.TAKEN, allowed=(SpendState.ASKED,), code=code, redemption_id=redemption_id)


def begin_return(row: Spend | PartRelease, settled_after: timedelta) -> bool:
    """Note that points are sent back now; False while an earlier sending may still be under way."""
    now = clock.now()
    rows = type(row)._default_manager.filter(pk=row.pk)
    free = rows.filter(Q(returning_at=None) | Q(returning_at__lt=now - settled_after))
    return free.update(returning_at=now) == 1


def end_return(row: Spend | PartRelease) -> None:
    """Note that what was sent certainly did not arrive: it may be sent again at once."""
    type(row)._default_manager.filter(pk=row.pk).update(returning_at=None)


def move(row: Spend, to: SpendState, *, allowed: tuple[SpendState, ...], **fields: str) -> bool:
    """Move the row on if it still is in one of `allowed`; returns whether this call did it."""
    moved = Spend.objects.filter(pk=row.pk, state__in=allowed).update(state=to, **fields)
    row.refresh_from_db()
    return moved == 1


def get(program: str, key: str) -> Spend | None:
    return Spend.objects.filter(program=program, key=key).first()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Points that Yotpo still counts. `is_used`: an order carried their code."""

    points: int
    is_used: bool


def held_points(program: str, ref: str) -> dict[str, Hold]:
    """Return by code the points of this member's redemptions that Yotpo has not deducted as far as we know:
    those whose order is still to be sent, and those whose order was sent a short while ago."""
    since = clock.now() - DEDUCTED_WITHIN
    rows = Spend.objects.filter(
        Q(order_sent_at=None) | Q(order_sent_at__gt=since),
        program=program,
        member_ref=ref,
        state=SpendState.HELD,
    )
    return {row.code: Hold(points=row.points, is_used=row.confirmed_at is not None) for row in rows}


def note_deducted(program: str, codes: Iterable[str]) -> None:
    """Yotpo's history shows that the points of these codes have gone: they wait no longer."""
    Spend.objects.filter(program=program, code__in=list(codes), state=SpendState.HELD).update(
        state=SpendState.TAKEN
    )


def is_claimed(program: str, code: str) -> bool:
    """Return whether the code belongs to a redemption of ours already."""
    return Spend.objects.filter(program=program, code=code).exists()


def confirm(row: Spend, at: datetime) -> None:
    """Note that an order carried the code; the first time counts."""
    Spend.objects.filter(pk=row.pk, confirmed_at=None).update(confirmed_at=at)


def begin_order(program: str, order_id: str) -> SentOrder:
    """Return the one sending of this order, committed now if it is new. One that Yotpo has not answered is
    begun again: `begun_at` is when it was last sent."""
    now = clock.now()
    row, is_new = SentOrder.objects.get_or_create(
        program=program, order_id=order_id, defaults={"begun_at": now}
    )
    if not is_new:
        SentOrder.objects.filter(pk=row.pk, sent_at=None).update(begun_at=now)
    return row


def is_order_under_way(program: str, order_id: str, settled_after: timedelta) -> bool:
    """Return whether the order was sent, its answer is lost, and it may still arrive."""
    since = clock.now() - settled_after
    orders = SentOrder.objects.filter(program=program, order_id=order_id)
    return orders.filter(sent_at=None, begun_at__gt=since).exists()


def mark_order_sent(row: SentOrder) -> None:
    SentOrder.objects.filter(pk=row.pk, sent_at=None).update(sent_at=clock.now())


def is_sent(program: str, order_id: str) -> bool:
    """Return whether the order went out, or may have."""
    return SentOrder.objects.filter(program=program, order_id=order_id).exists()


def note_order(program: str, keys: Sequence[str]) -> None:
    """Note that the order of these redemptions is about to be sent; the first time counts."""
    rows = Spend.objects.filter(program=program, key__in=keys, order_sent_at=None)
    rows.update(order_sent_at=clock.now())


def holds(program: str, keys: Sequence[str]) -> bool:
    """Return whether any of these redemptions has points that wait for an order."""
    return Spend.objects.filter(program=program, key__in=keys, state=SpendState.HELD).exists()


def parts_of(row: Spend) -> int:
    """Return how many points of this spend were given back in parts, or are about to be."""
    total: int | None = row.parts.aggregate(points=Sum("points"))["points"]
    return total or 0


def book_part(row: Spend, key: str, points: int) -> PartRelease | None:
    """Return the part of this key, made now if it is new; None when nothing is left to give back. The spend
    is locked meanwhile, and one that was given back whole has nothing left."""
    with transaction.atomic():
        spend = Spend.objects.select_for_update().get(pk=row.pk)
        known = spend.parts.filter(key=key).first()
        if known:
            return known
        points = min(points, spend.points - parts_of(spend))
        if points <= 0 or spend.state not in STANDING:
            return None
        return spend.parts.create(key=key, points=points)


def mark_sent(part: PartRelease) -> None:
    PartRelease.objects.filter(pk=part.pk, sent_at=None).update(sent_at=clock.now())


def describe(row: Spend) -> types.Spend:
    """Return a standing row in the words of the interface."""
    return types.Spend(
        key=row.key,
        member_ref=row.member_ref,
        kind=types.SpendKind(row.kind),
        # The cancel-coupon callback knows nothing but the code, so the code is the redemption's name.
        provider_ref=row.code,
        points=row.points,
        is_held=row.state == SpendState.HELD,
        memo={"option_id": row.option_id, "redemption_id": row.redemption_id},
    )
