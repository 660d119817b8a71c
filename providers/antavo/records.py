"""Our own record of each spend, written before it is sent: Antavo takes no key for claims and coupons."""

from django.utils import timezone

from providers.antavo.models import SpendRecord, SpendState
from providers.antavo.offers import OFFER
from providers.antavo.rewards import POINTS_AS_MONEY
from providers.errors import OutcomeUnknown, Rejected, RejectReason
from providers.types import Spend, SpendIntent, SpendKind

# How a spend is made at Antavo; kept in `Spend.memo` for its release and its confirmation.
CLAIM, OFFER_CLAIM, COUPON, RESERVE = "claim", "offer", "coupon", "reserve"
OPEN = (SpendState.SENT, SpendState.DONE)


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
        | {"sent_at": timezone.now()},
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
