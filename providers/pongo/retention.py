"""What is forgotten: finished rows when their time is over, and a member on her demand."""

from datetime import datetime

from providers.errors import Rejected, RejectReason
from providers.pongo.models import OrderState, PassCode, Refund, SentOrder, Spending, SpendingState
from providers.retention import delete_in_steps

FINISHED = (SpendingState.USED, SpendingState.RELEASED, SpendingState.VOID)


def forget_old(before: datetime) -> int:
    """Delete spends that were finished before that time, orders and returns of then, and the passes of
    customers of whom nothing was heard since: the next delivery tells of them again."""
    sent = SentOrder.objects.filter(sent_at__lt=before).exclude(state=OrderState.SENDING)
    return (
        delete_in_steps(Spending.objects.filter(changed_at__lt=before, state__in=FINISHED))
        + delete_in_steps(sent)
        + delete_in_steps(Refund.objects.filter(noted_at__lt=before))
        + delete_in_steps(PassCode.objects.filter(changed_at__lt=before))
    )


def erase_member(program: str, ref: str, pseudonym: str) -> int:
    """Forget the customer's pass and take her out of our spends."""
    spends = Spending.objects.filter(program=program, member_ref=ref)
    if spends.exclude(state__in=FINISHED).exists():
        raise Rejected(
            RejectReason.NOT_ALLOWED, "a reward of hers is in a cart, or its order was not sent yet"
        )
    passes, _ = PassCode.objects.filter(program=program, customer_id=ref).delete()
    return spends.update(member_ref=pseudonym) + passes
