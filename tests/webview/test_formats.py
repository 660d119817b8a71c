"""Days as the associate reads them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import translation

from loyaltyview.webview import formats


@pytest.mark.parametrize(
    ("at", "language", "text"),
    [
        (datetime(2026, 11, 30, 12, tzinfo=UTC), "en", "Nov 30"),
        (datetime(2028, 11, 30, 12, tzinfo=UTC), "en", "Nov 30, 2028"),
        (datetime(2025, 5, 1, 12, tzinfo=UTC), "en", "May 1, 2025"),
        (datetime(2028, 11, 30, 12, tzinfo=UTC), "de", "30. Nov. 2028"),
        # New Year's Eve in New York, and so still this year there.
        (datetime(2027, 1, 1, 3, tzinfo=UTC), "en", "Dec 31"),
    ],
)
@time_machine.travel(datetime(2026, 11, 30, 17, tzinfo=UTC), tick=False)
def test_a_day_of_another_year_says_which(at: datetime, language: str, text: str) -> None:
    with translation.override(language):
        assert formats.day(at, ZoneInfo("America/New_York")) == text
