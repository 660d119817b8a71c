"""Reports are forgotten when their time is over, unless their outcome is open."""

from datetime import UTC, datetime

import pytest

from providers.errors import Rejected
from providers.whitelabel.models import Report, ReportState
from providers.whitelabel.retention import erase_member, forget_old

pytestmark = pytest.mark.django_db

OLD = datetime(2024, 1, 1, tzinfo=UTC)
BEFORE = datetime(2024, 1, 2, tzinfo=UTC)


def report(reference: str, state: ReportState, at: datetime | None = None) -> None:
    row = Report.objects.create(
        program="acme", kind="spend", reference=reference, member_ref="mia", state=state
    )
    if at:
        Report.objects.filter(pk=row.pk).update(created_at=at)


def test_what_is_over_goes_and_what_is_under_way_or_young_stays() -> None:
    for state in ReportState:
        report(f"old-{state}", state, at=OLD)
    report("young", ReportState.DONE)
    assert forget_old(BEFORE) == 3
    assert set(Report.objects.values_list("reference", flat=True)) == {"old-sending", "young"}


def test_a_member_whose_report_is_open_is_not_erased() -> None:
    report("sending", ReportState.SENDING)
    with pytest.raises(Rejected):
        erase_member("acme", "mia", "ERASED-1")
    Report.objects.update(state=ReportState.DONE)
    assert erase_member("acme", "mia", "ERASED-1") == 1
