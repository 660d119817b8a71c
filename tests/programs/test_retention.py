"""Vendors' bookkeeping is deleted by the daily job, through the interface, for every vendor there is."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.core.management import call_command

from loyaltyview.programs.models import Program
from loyaltyview.work.retention import retentions
from tests.programs.vendors import TestVendor


def test_each_vendor_is_asked_to_forget_though_no_program_uses_it(
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
