"""A machine with a wrong clock releases nothing, takes over nothing, and offers codes that are valid."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from loyaltyview.redemptions.commands import RedeemRequest
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.recovery import carry_on, run_one
from loyaltyview.redemptions.renewal import renew
from loyaltyview.redemptions.saga import redeem, reveal_codes
from loyaltyview.redemptions.transitions import take
from tests.work.machine_clock import machine_ahead

from .conftest import KIM, Mint
from .memory_provider import Ledger

TWO_HOURS_S = 7200
Tap = Callable[..., RedeemRequest]


def test_a_worker_two_hours_ahead_releases_no_live_code(tap: Tap, newstore: Mint, vendor: Ledger) -> None:
    row = redeem(tap())
    with machine_ahead(TWO_HOURS_S):
        assert not run_one()
    row.refresh_from_db()
    assert (row.state, vendor.points["mia"]) == (State.REVEALED, 620)


def test_a_code_that_was_made_on_a_machine_that_is_behind_is_released_in_time(
    tap: Tap, newstore: Mint, vendor: Ledger
) -> None:
    with machine_ahead(-TWO_HOURS_S):
        row = redeem(tap())
    assert row.due_at is not None
    assert row.requested_at > timezone.now() - timedelta(minutes=5)


@pytest.mark.parametrize("ahead_s", [TWO_HOURS_S, -TWO_HOURS_S])
def test_a_request_that_is_under_way_is_not_taken_over(
    tap: Tap, newstore: Mint, vendor: Ledger, ahead_s: float
) -> None:
    row = redeem(tap())
    now = timezone.now()
    Redemption.objects.update(state=State.UNCERTAIN, due_at=now, lease_until=now + timedelta(seconds=60))
    with machine_ahead(ahead_s):
        assert take(row.pk, [State.UNCERTAIN]) is None
        assert carry_on(row.pk, KIM).state == State.UNCERTAIN
        assert not run_one()


def test_a_live_code_is_revealed_and_not_renewed_by_a_machine_that_is_ahead(
    tap: Tap, newstore: Mint, vendor: Ledger
) -> None:
    row = redeem(tap())
    with machine_ahead(TWO_HOURS_S):
        assert reveal_codes(row.program_id, "cart-1", KIM) == [row.code]
        renewed, refusal = renew(row.pk, KIM)
    assert (renewed.code, refusal, len(newstore.requests)) == (row.code, None, 1)


def test_an_unknown_outcome_gets_stuck_by_the_one_clock(
    tap: Tap, newstore: Mint, vendor: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    from providers.sales import Finding, SpendFinding
    from tests.redemptions.memory_provider import MemoryProvider

    row = redeem(tap())
    Redemption.objects.update(state=State.UNCERTAIN, due_at=timezone.now(), lease_until=None)
    cannot_tell = SpendFinding(finding=Finding.CANNOT_TELL)
    monkeypatch.setattr(MemoryProvider, "find_spend", lambda self, intent: cannot_tell)
    with machine_ahead(TWO_HOURS_S):
        assert carry_on(row.pk, KIM).state == State.UNCERTAIN
