"""What the journal forgets: finished writes when their time has come, and a member who wants to be erased."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from providers import clock
from providers.errors import Rejected, RejectReason
from providers.journal.models import Batch, BatchLine, BatchState, Write, WriteKind, WriteState
from providers.retention import delete_in_steps

# Its outcome is not known, it waits to be sent, or its order is still to come.
UNFINISHED = (
    Q(state=WriteState.SENT)
    | Q(state=WriteState.PLANNED, due_at__isnull=False)
    | Q(state=WriteState.DONE, waits_for_order=True)
)
# A part of a spend is given back by its return's event, which is tried again; of one that was refused the
# return knows whether a person is still to decide. Of a release that is not sent the redemption knows whether
# it is still to come. What was refused stays planned for ever.
UNFINISHED_CHILD = Q(parent__isnull=False) & (
    Q(state=WriteState.SENT) | Q(state=WriteState.PLANNED, kind=WriteKind.PART, last_error="")
)
LONGEST_CALL = timedelta(days=1)


def forget_old(before: datetime) -> int:
    """Delete writes of all programs that were finished before that time, and files of such writes; return how
    many. Those that belong to a spend go with it."""
    children = Write.objects.filter(UNFINISHED_CHILD | UNFINISHED, parent=OuterRef("pk"))
    old = Write.objects.filter(changed_at__lt=before, parent__isnull=True).exclude(UNFINISHED)
    count = delete_in_steps(old.exclude(Exists(children)))
    return count + delete_in_steps(Batch.objects.filter(state=BatchState.CLOSED, delivered_at__lt=before))


def refs_under_way(vendor: str) -> "QuerySet[Write, str]":
    """Return the references of the members about whom something is unfinished."""
    rows = Write.objects.filter(UNFINISHED | UNFINISHED_CHILD, vendor=vendor)
    return rows.order_by().values_list("member_ref", flat=True)


def erase_member(vendor: str, program: str, refs: Iterable[str], pseudonym: str) -> int:
    """Put `pseudonym` in the place of the member's references and forget what they bought; return how many
    rows. Raise Rejected(NOT_ALLOWED) while something about the member is under way. Call it in a
    transaction."""
    rows = Write.objects.filter(vendor=vendor, program=program, member_ref__in=list(refs))
    # A sale whose answer was lost long ago is not under way: its event is tried again, or waits for a person.
    is_old_order = Q(
        state=WriteState.SENT,
        due_at=None,
        kind__in=[WriteKind.SALE, WriteKind.RETURN, WriteKind.CANCEL],
        sent_at__lt=clock.now() - LONGEST_CALL,
    )
    if rows.filter((UNFINISHED | UNFINISHED_CHILD) & ~is_old_order).exists():
        raise Rejected(
            RejectReason.NOT_ALLOWED, "a spend or an order of the member waits for its order or its outcome"
        )
    if rows.filter(lines__batch__state__in=[BatchState.COLLECTED, BatchState.ARRIVING]).exists():
        raise Rejected(RejectReason.NOT_ALLOWED, "the member is in a file that is not delivered")
    # A refused line waits for a person. It cannot be sent again without the member, and may name them.
    lines = BatchLine.objects.filter(write__in=rows).exclude(refusal="")
    waiting = rows.filter(state=WriteState.PLANNED, due_at=None, pk__in=lines.values("write_id"))
    waiting.update(state=WriteState.VOID, last_error="refused")
    lines.update(refusal="refused")
    rows.filter(kind=WriteKind.SALE).update(detail={})
    # What a finished spend keeps from others may name the member, and nobody needs it any more.
    return rows.update(member_ref=pseudonym, exclusive_key="")
