"""What is forgotten: finished rows when their time is over, and a member on her demand."""

from datetime import datetime

from django.db.models import Q, QuerySet

from providers import clock
from providers.errors import Rejected, RejectReason
from providers.retention import delete_in_steps
from providers.yotpo import refs
from providers.yotpo.members import NEW_FOR
from providers.yotpo.models import EmailRef, Enrolment, Refund, SentOrder, Spend, SpendState

# Not known how it ended, points that wait for their order, a part that is on its way back.
UNDER_WAY = (
    Q(state=SpendState.ASKED)
    | Q(state=SpendState.HELD, order_sent_at=None)
    | Q(parts__isnull=False, parts__sent_at=None)
)


def forget_old(before: datetime) -> int:
    """Delete finished redemptions and refunds of before that time, and what nobody needs of newcomers."""
    under_way = Spend.objects.filter(UNDER_WAY)
    return (
        delete_in_steps(Spend.objects.filter(asked_at__lt=before).exclude(pk__in=under_way.values("pk")))
        + delete_in_steps(Refund.objects.filter(sent_at__lt=before))
        + delete_in_steps(SentOrder.objects.filter(sent_at__lt=before))
        + delete_in_steps(Enrolment.objects.filter(enrolled_at__lt=clock.now() - NEW_FOR))
        + delete_in_steps(EmailRef.objects.filter(seen_at__lt=before).exclude(ref__in=_refs_of(under_way)))
    )


def erase_member(program: str, ref: str, pseudonym: str) -> int:
    """Take the member out of our redemptions, and delete which e-mail the ref stands for."""
    hers = Q(member_ref=ref) | Q(member_ref__startswith=ref + refs.ALSO)
    spends = Spend.objects.filter(hers, program=program)
    if spends.filter(UNDER_WAY).exists():
        raise Rejected(RejectReason.NOT_ALLOWED, "a redemption of hers waits for its order or its outcome")
    newcomers, _ = Enrolment.objects.filter(program=program, member_ref=ref).delete()
    return spends.update(member_ref=pseudonym) + newcomers + refs.forget(program, ref)


def _refs_of(spends: "QuerySet[Spend]") -> "QuerySet[Spend, str]":
    return spends.values_list("member_ref", flat=True)
