"""Spending: the hold, its capture and its release, each one transaction that is done once per key."""

from contextlib import suppress

from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils import timezone

from providers.errors import Rejected, RejectReason
from providers.house.campaigns import ANYWHERE, Zone
from providers.house.catalogue import claim_item, return_item, use_item
from providers.house.ledger import cards_of, lock, move, post, posted
from providers.house.models import Entry, EntryKind, Hold, HoldState, Member
from providers.house.owed import newest_entry, take_owed
from providers.sales import Order, Spend, SpendIntent, SpendKind

STANDING = (HoldState.HELD, HoldState.CAPTURED)


def spend(program: str, intent: SpendIntent, *, is_online: bool = False, zone: Zone = ANYWHERE) -> Hold:
    """Hold the points, or the voucher, of `intent`. The same key with the same content returns the hold
    that exists; a key that was given back, closed by `find`, or used for something else is refused.
    `is_online` is for the web shop, which may use what is only for it; `zone` is where the days of a
    voucher count."""
    try:
        with transaction.atomic():
            member = lock(program, intent.member_ref)
            known = Hold.objects.filter(program=program, key=intent.key).first()
            if known:
                return _repeated(known, intent)
            item = claim_item(member, intent, is_online=is_online, zone=zone)
            move(member, spendable=-intent.points, reserved=intent.points)
            return Hold.objects.create(
                program=program,
                key=intent.key,
                state=HoldState.HELD,
                member=member,
                kind=intent.kind.value,
                item_id=intent.item_id,
                title=item.title,
                points=intent.points,
                newest_entry=newest_entry(),
            )
    except IntegrityError as error:
        # The key was used meanwhile for another member: our own changes have been rolled back.
        raise Rejected(RejectReason.NOT_ALLOWED, "the key is taken") from error


def find(program: str, intent: SpendIntent) -> Hold | None:
    """Return the hold of `intent` if it is still valid. None is final: the key is closed in the same
    transaction, so that a spend that is still on its way will be refused."""
    with transaction.atomic():
        hold = _hold_or_tombstone(program, intent.key, intent.member_ref)
    return hold if hold.state in STANDING and _is_of(hold, intent) else None


def capture(program: str, spend: Spend, order: Order) -> None:
    """Turn the hold into a final spend. A repetition is success; raise Rejected(NOT_ALLOWED) when there is
    nothing to capture, because the hold was given back or never existed."""
    with transaction.atomic():
        member = lock(program, spend.member_ref)
        hold = Hold.objects.filter(program=program, key=spend.key, member=member).first()
        if hold is None or hold.state not in STANDING:
            raise Rejected(RejectReason.NOT_ALLOWED, "nothing is held for this key")
        if not _turn(hold, [HoldState.HELD], HoldState.CAPTURED, order_id=order.order_id):
            return
        use_item(hold)
        if hold.points:
            post(
                member,
                EntryKind.SPEND,
                -hold.points,
                reference=f"spend:{hold.key}",
                from_reserved=True,
                order_id=order.order_id,
                note=hold.title,
            )


def release(program: str, spend: Spend) -> None:
    """Give back the points or voucher of the spend, held or captured. A repetition is success, and so is a
    key without a spend: it is closed, so that it can never be used."""
    with transaction.atomic():
        hold = _hold_or_tombstone(program, spend.key, spend.member_ref)
        if hold.member is None:
            return
        was_held = _turn(hold, [HoldState.HELD], HoldState.RELEASED)
        if not was_held and not _turn(hold, [HoldState.CAPTURED], HoldState.RELEASED):
            return
        return_item(hold)
        if was_held:
            move(hold.member, spendable=hold.points, reserved=-hold.points, may_expire_at=timezone.now())
            take_owed(hold.member, hold, hold.points, f"hold-{hold.pk}")
        elif left := hold.points - _given_back(hold):
            _post_release(hold.member, hold, left, f"release:{hold.key}")


def release_part(program: str, spend: Spend, points: int, key: str) -> None:
    """Give back `points` of a captured spend, once per `key` and never more than it still has. Raises
    Rejected(NOT_ALLOWED) when it is not captured: a hold, or a spend that was given back, has no parts."""
    reference = f"{part_reference(spend.key)}{key}"
    with transaction.atomic():
        member = lock(program, spend.member_ref)
        if posted(program, reference):
            return
        hold = Hold.objects.filter(program=program, key=spend.key, member=member).first()
        if hold is None or hold.state != HoldState.CAPTURED:
            raise Rejected(RejectReason.NOT_ALLOWED, "nothing is captured for this key")
        if points := min(points, hold.points - _given_back(hold)):
            _post_release(member, hold, points, reference)


def _post_release(member: Member, hold: Hold, points: int, reference: str) -> None:
    """Give back `points` of a captured hold; a shortfall since the hold is taken from them."""
    entry = post(
        member, EntryKind.RELEASE, points, reference=reference, order_id=hold.order_id, note=hold.title
    )
    take_owed(member, hold, points, f"release-{entry.pk}")


def part_reference(key: str) -> str:
    """Return how the references of entries begin that give back a part of this hold; "" for any hold."""
    return f"release-part:{key}:" if key else "release-part:"


def _given_back(hold: Hold) -> int:
    """Return the points of this hold that were given back in parts; the member is locked."""
    if hold.member is None:
        return 0
    # Among the member's own entries: no index of a beginning serves every database.
    own = Entry.objects.filter(member__in=cards_of(hold.member))
    parts = own.filter(reference__startswith=part_reference(hold.key))
    given: int = parts.aggregate(sum=Sum("points"))["sum"] or 0
    return given


def describe(hold: Hold) -> Spend:
    """Return a valid hold in the words of the provider interface."""
    return Spend(
        key=hold.key,
        member_ref=hold.member.member_id if hold.member else "",
        kind=SpendKind(hold.kind),
        provider_ref=f"hold-{hold.pk}",
        points=hold.points,
        is_held=hold.state == HoldState.HELD,
    )


def _hold_or_tombstone(program: str, key: str, ref: str) -> Hold:
    """Lock the member, then return the hold of `key`, made VOID here if there is none."""
    with suppress(Rejected):  # an unknown member has spent nothing and needs no tombstone
        lock(program, ref)
    hold, _created = Hold.objects.get_or_create(program=program, key=key, defaults={"state": HoldState.VOID})
    return hold


def _turn(hold: Hold, before: list[HoldState], after: HoldState, **fields: str) -> bool:
    """Change the hold's state if it is still in one of `before`; returns whether this call did it."""
    turned = Hold.objects.filter(pk=hold.pk, state__in=before).update(state=after, **fields)
    hold.refresh_from_db()
    return turned == 1


def _repeated(hold: Hold, intent: SpendIntent) -> Hold:
    if hold.state in STANDING and _is_of(hold, intent):
        return hold
    raise Rejected(RejectReason.NOT_ALLOWED, f"the key is {hold.state}")


def _is_card_of(member: Member, ref: str) -> bool:
    """Return whether `ref` is the member's number, or that of a card that was merged."""
    return member.member_id == ref or member.merged.filter(member_id=ref).exists()


def _is_of(hold: Hold, intent: SpendIntent) -> bool:
    return (
        hold.member is not None
        and _is_card_of(hold.member, intent.member_ref)
        and (hold.kind, hold.item_id, hold.points) == (intent.kind.value, intent.item_id, intent.points)
    )
