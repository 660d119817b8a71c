"""What is forgotten: reports when their time is over, and a member on her demand."""

from datetime import datetime

from providers.errors import Rejected, RejectReason
from providers.retention import delete_in_steps
from providers.whitelabel.models import Report, ReportState


def forget_old(before: datetime) -> int:
    """Delete reports of before that time. One that was never sent stands for nothing at the engine; one whose
    outcome is open stays."""
    return delete_in_steps(Report.objects.filter(created_at__lt=before).exclude(state=ReportState.SENDING))


def erase_member(program: str, ref: str, pseudonym: str) -> int:
    """Take the member out of our reports."""
    reports = Report.objects.filter(program=program, member_ref=ref)
    if reports.filter(state=ReportState.SENDING).exists():
        raise Rejected(RejectReason.NOT_ALLOWED, "the outcome of a report about her is not known yet")
    return reports.update(member_ref=pseudonym)
