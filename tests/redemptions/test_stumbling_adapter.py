"""An adapter with an unexpected error does not stop the worker, and its redemption gets stuck."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from loyaltyview.redemptions.commands import RedeemRequest
from loyaltyview.redemptions.models import State
from loyaltyview.redemptions.saga import redeem
from loyaltyview.work.worker import drain
from providers.errors import OutcomeUnknown
from providers.sales import SpendFinding

from .conftest import Mint
from .memory_provider import Ledger, MemoryProvider


def test_a_redemption_gets_stuck_when_the_adapter_fails_at_every_answer(
    tap: Callable[..., RedeemRequest], vendor: Ledger, newstore: Mint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object) -> SpendFinding:
        raise KeyError("id")

    monkeypatch.setattr(MemoryProvider, "find_spend", stumble)
    vendor.after["spend"] = OutcomeUnknown("timed out")
    row = redeem(tap())
    start = timezone.now()
    for hour in range(1, 80):
        with time_machine.travel(start + timedelta(hours=hour)):
            drain()
    row.refresh_from_db()
    assert (row.state, row.last_error) == (State.STUCK, "outcome unknown: KeyError")
