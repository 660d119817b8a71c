"""Our own record of each spend, written before it is sent: Antavo takes no key for claims and coupons."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import transaction
from django.db.models import Q

from providers import clock
from providers.antavo.models import SpendRecord, SpendState
from providers.antavo.offers import OFFER
from providers.antavo.rewards import POINTS_AS_MONEY
from providers.errors import AuthFailed, OutcomeUnknown, Rejected, RejectReason, Unavailable
from providers.types import Spend, SpendIntent, SpendKind

# How a spend is made at Antavo; kept in `Spend.memo` for its release and its confirmation.
CLAIM, OFFER_CLAIM, COUPON, RESERVE = "claim", "offer", "coupon", "reserve"
OPEN = (SpendState.SENT, SpendState.DONE)
# No write is under way any more after this long: our call ends after 10 s, the server's after half a minute
# at most, and lists are up to date. Counted on our clock alone.
SETTLED_AFTER = timedelta(seconds=60)


def way_of(kind: str, item_id: str) -> str:
    if kind == SpendKind.VOUCHER:
        return COUPON
    if kind == SpendKind.POINTS and item_id == POINTS_AS_MONEY:
        return RESERVE
    return OFFER_CLAIM if item_id.startswith(OFFER) else CLAIM


def known(program: str, key: str) -> SpendRecord | None:
    return SpendRecord.objects.filter(program=program, key=key).first()


def begin(program: str, intent: SpendIntent, seen: list[str], amount: str) -> SpendRecord:
    """Write that `intent` is sent now. Raise Rejected for a key that was closed meanwhile, OutcomeUnknown
    for one that somebody else is sending."""
    record, is_new = SpendRecord.objects.get_or_create(
        program=program,
        key=intent.key,
        defaults={**_content(intent), "state": SpendState.SENT, "seen": seen, "amount": amount}
        | {"sent_at": clock.now()},
    )
    if is_new:
        return record
    if record.state in OPEN:
        raise OutcomeUnknown("the key is in use")
    raise Rejected(RejectReason.NOT_ALLOWED, f"the key is {record.state}")


def find_or_close(program: str, intent: SpendIntent) -> SpendRecord:
    """Return the record of `intent`; without one the key is closed, so that it will never be sent."""
    record, _ = SpendRecord.objects.get_or_create(
        program=program, key=intent.key, defaults={**_content(intent), "state": SpendState.CLOSED}
    )
    return record


def take(record: SpendRecord, provider_ref: str, coupon: str) -> Spend | None:
    """Note that `provider_ref` is what the lost spend of `record` made; None when another of ours has it."""
    with transaction.atomic():
        # The member's records are locked in one order: of two that find the same claim one has to wait.
        list(SpendRecord.objects.select_for_update().filter(member_ref=record.member_ref).order_by("pk"))
        if is_of_another(record, provider_ref):
            return None
        return done(record, provider_ref, coupon)


def is_of_another(record: SpendRecord, provider_ref: str) -> bool:
    """Return whether another spend of ours made, or used, what this names at Antavo."""
    if way_of(record.kind, record.item_id) == COUPON:
        return False  # a coupon that was given back can be used again
    others = SpendRecord.objects.filter(program=record.program, provider_ref=provider_ref)
    return others.exclude(pk=record.pk).exists()


@contextmanager
def sending_back(program: str, key: str) -> Iterator[None]:
    """Send something back to the member inside the block, which has looked whether that was done before.
    Raises Unavailable while an earlier sending may still arrive."""
    now = clock.now()
    ours = SpendRecord.objects.filter(program=program, key=key)
    free = ours.filter(Q(returning_at=None) | Q(returning_at__lt=now - SETTLED_AFTER))
    if not free.update(returning_at=now) and ours.exists():
        raise Unavailable("what was sent back before may still be on its way")
    try:
        yield
    except (Rejected, Unavailable, AuthFailed):
        ours.update(returning_at=None)
        raise


def done(record: SpendRecord, provider_ref: str, coupon: str = "") -> Spend:
    """Note what Antavo made of it, and return it as a spend."""
    record.provider_ref, record.coupon = provider_ref, coupon
    turned = SpendRecord.objects.filter(pk=record.pk, state=SpendState.SENT).update(
        state=SpendState.DONE, provider_ref=provider_ref, coupon=coupon
    )
    if not turned:
        # Whoever asks for the outcome may have found it first. Closed it cannot be: that takes longer
        # than any call.
        record.refresh_from_db()
    return spend_of(record)


def close(record: SpendRecord) -> None:
    """Note that it did not happen."""
    SpendRecord.objects.filter(pk=record.pk, state=SpendState.SENT).update(state=SpendState.CLOSED)


def note_released(program: str, key: str) -> None:
    SpendRecord.objects.filter(program=program, key=key, state__in=OPEN).update(state=SpendState.RELEASED)


def is_ours(program: str, coupon: str) -> bool:
    """Return whether a reward that we claimed, and that stands, made this coupon."""
    ours = SpendRecord.objects.filter(program=program, coupon=coupon, state__in=OPEN)
    return ours.exclude(kind=SpendKind.VOUCHER).exists()


def spend_of(record: SpendRecord) -> Spend:
    way = way_of(record.kind, record.item_id)
    memo = {"way": way, "item": record.item_id}
    if record.coupon:
        memo["coupon"] = record.coupon
    if record.amount:
        memo["amount"] = record.amount
    return Spend(
        key=record.key,
        member_ref=record.member_ref,
        kind=SpendKind(record.kind),
        provider_ref=record.provider_ref,
        points=record.points,
        is_held=way == RESERVE,
        memo=memo,
    )


def _content(intent: SpendIntent) -> dict[str, object]:
    return {
        "member_ref": intent.member_ref,
        "kind": intent.kind.value,
        "item_id": intent.item_id,
        "points": intent.points,
    }
