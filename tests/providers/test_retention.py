"""Old rows are deleted a few at a time, so that who writes meanwhile waits for a few only."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from providers import retention
from providers.models import MemberChange


@pytest.mark.django_db
def test_rows_are_deleted_a_few_at_a_time_with_pauses_for_other_writers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(retention, "STEP", 2)
    monkeypatch.setattr(retention.time, "sleep", pauses.append)
    MemberChange.objects.bulk_create(MemberChange(digest=str(number)) for number in range(5))

    with CaptureQueriesContext(connection) as asked:
        assert retention.delete_in_steps(MemberChange.objects.exclude(digest="3")) == 4

    assert [row.digest for row in MemberChange.objects.all()] == ["3"]
    assert sum(each["sql"].startswith("DELETE") for each in asked) == 2
    assert len(pauses) == (2 if connection.vendor == "sqlite" else 0)
