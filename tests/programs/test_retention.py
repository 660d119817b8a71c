"""The daily job deletes the old rows of every vendor, through the interface."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.core.management import call_command

from loyaltyview.programs.models import Program
from loyaltyview.work.retention import retentions
from tests.programs.vendors import TestVendor


def test_old_rows_of_unused_vendors_are_deleted_too(
    program: Program, vendor: type[TestVendor], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[datetime] = []
    monkeypatch.setattr(
        TestVendor, "forget_old", classmethod(lambda cls, before: len(asked.append(before) or "abc"))
    )
    with time_machine.travel(datetime(2028, 5, 12, tzinfo=UTC), tick=False):
        assert retentions["vendors' bookkeeping"].days == 800
        call_command("purge")
    assert asked == [datetime(2026, 3, 4, tzinfo=UTC)]
