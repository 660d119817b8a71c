"""Limits against abuse: off by default, and above them a refusal that an administrator sees."""

from collections.abc import Callable
from datetime import timedelta

import time_machine
from django.utils import timezone

from loyaltyview.redemptions.commands import RedeemRequest
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.release import is_undoable, undo
from loyaltyview.redemptions.saga import redeem
from loyaltyview.redemptions.shift import redemption_in_shift, shift_of

from .conftest import KIM, Mint
from .memory_provider import Ledger

Tap = Callable[..., RedeemRequest]


def taps(tap: Tap, number: int, **changes: object) -> list[Redemption]:
    return [redeem(tap(f"k-{n}", points=10, **changes)) for n in range(number)]


def test_there_is_no_limit_by_default(tap: Tap, vendor: Ledger, newstore: Mint) -> None:
    assert {row.state for row in taps(tap, 12)} == {State.REVEALED}


def test_above_the_associates_limit_the_tap_is_refused_and_nothing_spent(
    tap: Tap, vendor: Ledger, newstore: Mint
) -> None:
    program = tap().program
    program.associate_hour_limit = 2
    program.save()
    *_, last = taps(tap, 3, program=program)
    assert (last.state, last.refusal) == (State.REFUSED, "ASSOCIATE_LIMIT")
    assert vendor.calls.count("spend") == 2
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert redeem(tap("later", program=program)).state == State.REVEALED


def test_above_the_members_limit_the_tap_is_refused_and_undone_ones_do_not_count(
    tap: Tap, vendor: Ledger, newstore: Mint
) -> None:
    program = tap().program
    program.member_day_limit = 1
    program.save()
    (first,) = taps(tap, 1, program=program)
    assert redeem(tap("second", program=program)).refusal == "MEMBER_LIMIT"
    undo(first.pk, KIM)
    assert redeem(tap("third", program=program)).state == State.REVEALED


def test_the_shift_shows_what_this_associate_redeemed_in_this_store_today(
    tap: Tap, vendor: Ledger, newstore: Mint
) -> None:
    started = timezone.now()
    first, second = taps(tap, 2)
    undo(first.pk, KIM)
    shift = shift_of(second.program, associate_id="a-17", store_id="US_BOSTON_01", since=started)
    assert [(row.pk, is_undoable(row)) for row in shift.redemptions] == [
        (second.pk, True),
        (first.pk, False),
    ]
    assert str(shift.saved) == "10.00"
    assert not shift_of(
        second.program, associate_id="a-23", store_id="US_BOSTON_01", since=started
    ).redemptions


def test_a_shift_has_only_the_associates_own_redemptions_in_that_store(
    tap: Tap, vendor: Ledger, newstore: Mint
) -> None:
    (row,) = taps(tap, 1)
    found = redemption_in_shift(row.program, row.pk, associate_id="a-17", store_id="US_BOSTON_01")
    assert found == row
    for associate_id, store_id in (("a-23", "US_BOSTON_01"), ("a-17", "US_NYC_01"), ("", "")):
        assert not redemption_in_shift(row.program, row.pk, associate_id=associate_id, store_id=store_id)
