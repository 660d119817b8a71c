"""An adapter that fails in an unforeseen way holds the worker up with nothing, and ends before a person."""

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
from providers.types import SpendFinding

from .conftest import Mint
from .memory_provider import Ledger, MemoryProvider


def test_an_adapter_that_stumbles_over_every_answer_leaves_it_to_a_person(
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
