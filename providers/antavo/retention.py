"""What is forgotten: finished rows when their time is over, and a member on her demand."""

from datetime import datetime

from django.db.models import Q

from providers.antavo.models import QueuedCheckout, RefundRecord, RefundState, SpendRecord, SpendState
from providers.antavo.rewards import POINTS_AS_MONEY
from providers.errors import Rejected, RejectReason
from providers.retention import delete_in_steps
from providers.types import SpendKind

# Not known how it ended, and points that are reserved and neither burned nor let go.
UNDER_WAY = Q(state=SpendState.SENT) | Q(
    state=SpendState.DONE, kind=SpendKind.POINTS.value, item_id=POINTS_AS_MONEY, transaction_id=""
)


def forget_old(before: datetime) -> int:
    """Delete finished spends and returns that were first noted before that time, and checkouts sent then."""
    return (
        delete_in_steps(SpendRecord.objects.filter(noted_at__lt=before).exclude(UNDER_WAY))
        + delete_in_steps(RefundRecord.objects.filter(noted_at__lt=before).exclude(state=RefundState.SENT))
        + delete_in_steps(QueuedCheckout.objects.filter(sent_at__lt=before))
    )


def erase_member(program: str, ref: str, pseudonym: str) -> int:
    """Take the member out of our spends and checkouts, and what she bought out of the latter."""
    spends = SpendRecord.objects.filter(program=program, member_ref=ref)
    checkouts = QueuedCheckout.objects.filter(program=program, member_ref=ref)
    if spends.filter(UNDER_WAY).exists():
        raise Rejected(RejectReason.NOT_ALLOWED, "a spend of hers waits for its order or its outcome")
    if checkouts.filter(sent_at=None).exists():
        raise Rejected(RejectReason.NOT_ALLOWED, "an order of hers waits to be sent")
    return spends.update(member_ref=pseudonym) + checkouts.update(member_ref=pseudonym, data={})
