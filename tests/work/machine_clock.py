"""A machine whose own clock is wrong, while the database's is right."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from loyaltyview.work import clock


@contextmanager
def machine_ahead(seconds: float) -> Iterator[None]:
    """Set only this process's clock ahead (behind if negative) inside the block."""
    ahead = timedelta(seconds=seconds)
    with time_machine.travel(datetime.now(UTC) + ahead), pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: timezone.now() - ahead)
        yield
