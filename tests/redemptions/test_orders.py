"""An order that carries a code: the spend stands, whatever happened to the redemption before."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from loyaltyview.redemptions import orders
from loyaltyview.redemptions.commands import Actor, RedeemRequest
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.orders import give_back_order, member_of_order, settle, use_codes
from loyaltyview.redemptions.recovery import carry_on, run_one
from loyaltyview.redemptions.release import undo
from loyaltyview.redemptions.renewal import renew
from loyaltyview.redemptions.saga import redeem
from loyaltyview.redemptions.stuck_resolution import question_of, resolve
from providers.errors import OutcomeUnknown, Rejected, RejectReason, Unavailable
from providers.sales import Order, Spend, SpendFinding, SpendIntent

from .conftest import KIM, Mint
from .memory_provider import Ledger, MemoryProvider

Tap = Callable[..., RedeemRequest]


def use_and_settle(row: Redemption, order: Order, code: str = "") -> Redemption:
    use_codes(row.program, order_id=order.order_id, codes=(code or row.code, "OTHER-CODE"))
    settle(row.program, order)
    row.refresh_from_db()
    return row


def test_an_order_uses_and_settles_its_redemption(
    tap: Tap, vendor: Ledger, newstore: Mint, order: Order
) -> None:
    row = use_and_settle(redeem(tap()), order)
    assert (row.state, row.order_id) == (State.SETTLED, "order-1")
    assert vendor.state_of(f"{row.id.hex}-1") == "confirmed"
    assert member_of_order(row.program, "order-1") == "mia"


def test_an_order_uses_a_code_whose_spend_the_worker_found(
    tap: Tap, vendor: Ledger, newstore: Mint, order: Order
) -> None:
    vendor.after["spend"] = OutcomeUnknown("timed out")
    row = redeem(tap())
    with time_machine.travel(timezone.now() + timedelta(seconds=10)):
        assert run_one()
    row.refresh_from_db()
    assert row.state == State.SPENT
    assert use_and_settle(row, order).state == State.SETTLED
    assert not row.transitions.filter(to_state=State.REVEALED).exists()


def test_the_same_order_again_changes_nothing(tap: Tap, vendor: Ledger, newstore: Mint, order: Order) -> None:
    row = use_and_settle(redeem(tap()), order)
    lines = row.transitions.count()
    row = use_and_settle(row, order)
    assert (row.state, row.transitions.count(), vendor.calls.count("confirm")) == (State.SETTLED, lines, 1)


def test_a_used_redemption_is_not_undone(tap: Tap, vendor: Ledger, newstore: Mint, order: Order) -> None:
    row = undo(use_and_settle(redeem(tap()), order).pk, KIM)
    assert (row.state, vendor.points["mia"]) == (State.SETTLED, 620)


def test_a_vendor_that_is_away_learns_of_the_order_later(
    tap: Tap, vendor: Ledger, newstore: Mint, order: Order
) -> None:
    row = redeem(tap())
    vendor.before["confirm"] = Unavailable("down")
    with pytest.raises(Unavailable):
        use_and_settle(row, order)
    row.refresh_from_db()
    assert row.state == State.USED
    assert use_and_settle(row, order).state == State.SETTLED


def test_a_cancelled_order_gives_the_points_back_once(
    tap: Tap, vendor: Ledger, newstore: Mint, order: Order
) -> None:
    row = use_and_settle(redeem(tap()), order)
    give_back_order(row.program, order_id="order-1")
    give_back_order(row.program, order_id="order-1")
    row = use_and_settle(row, order)
    assert (row.state, vendor.points["mia"]) == (State.RELEASED, 820)


def test_a_late_order_spends_again(tap: Tap, vendor: Ledger, newstore: Mint, order: Order) -> None:
    row = undo(redeem(tap()).pk, KIM)
    row = use_and_settle(row, order)
    assert (row.state, row.spend_number, vendor.points["mia"]) == (State.SETTLED, 2, 620)


def test_a_late_order_that_cannot_be_paid_for_gets_stuck(
    tap: Tap, vendor: Ledger, newstore: Mint, order: Order
) -> None:
    row = undo(redeem(tap()).pk, KIM)
    vendor.points["mia"] = 10
    row = use_and_settle(row, order)
    assert row.state == State.STUCK
    assert "late order" in row.last_error


def test_a_late_order_with_the_vendor_away_is_tried_again(
    tap: Tap, vendor: Ledger, newstore: Mint, order: Order
) -> None:
    row = undo(redeem(tap()).pk, KIM)
    vendor.before["spend"] = Unavailable("down")
    with pytest.raises(Unavailable):
        use_and_settle(row, order)
    assert use_and_settle(row, order).state == State.SETTLED
    assert vendor.points["mia"] == 620


def test_a_late_order_whose_second_spend_is_unknown_ends_used(
    tap: Tap, vendor: Ledger, newstore: Mint, order: Order
) -> None:
    row = undo(redeem(tap()).pk, KIM)
    vendor.after["spend"] = OutcomeUnknown("timed out")
    with pytest.raises(Unavailable):
        use_and_settle(row, order)
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        assert run_one()
        assert use_and_settle(row, order).state == State.SETTLED
    assert (vendor.points["mia"], vendor.calls.count("spend")) == (620, 2)


def test_an_order_after_the_automatic_release_spends_again(
    tap: Tap, vendor: Ledger, newstore: Mint, order: Order
) -> None:
    row = redeem(tap())
    with time_machine.travel(timezone.now() + timedelta(minutes=41)):
        assert run_one()
        row = use_and_settle(row, order)
    assert (row.state, vendor.points["mia"]) == (State.SETTLED, 620)


def test_a_renewed_code_keeps_the_spend_and_the_old_code_still_counts(
    tap: Tap, vendor: Ledger, newstore: Mint, order: Order
) -> None:
    row = redeem(tap())
    old = row.code
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        row, problem = renew(row.pk, KIM)
        assert (problem, row.state, row.code != old) == (None, State.REVEALED, True)
        row = use_and_settle(row, order, code=old)
    assert (row.state, vendor.points["mia"], vendor.calls.count("spend")) == (State.SETTLED, 620, 1)


def test_a_renewed_code_is_released_after_its_own_time(tap: Tap, vendor: Ledger, newstore: Mint) -> None:
    row = redeem(tap())
    now = timezone.now()
    with time_machine.travel(now + timedelta(minutes=16)):
        renew(row.pk, KIM)
    with time_machine.travel(now + timedelta(minutes=41)):
        assert not run_one()
    with time_machine.travel(now + timedelta(minutes=57)):
        assert run_one()
    row.refresh_from_db()
    assert (row.state, vendor.points["mia"]) == (State.RELEASED, 820)


def test_a_code_that_is_valid_is_not_renewed(tap: Tap, vendor: Ledger, newstore: Mint) -> None:
    row = redeem(tap())
    assert renew(row.pk, KIM)[0].code == row.code
    assert len(newstore.requests) == 1


def test_a_cancelled_order_that_the_vendor_cannot_take_back_gets_stuck(
    tap: Tap, vendor: Ledger, newstore: Mint, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = use_and_settle(redeem(tap()), order)
    monkeypatch.setattr(MemoryProvider, "capabilities", frozenset())
    give_back_order(row.program, order_id="order-1")
    row.refresh_from_db()
    assert row.state == State.STUCK
    assert "replacement" in row.last_error


def test_an_order_that_comes_while_the_vendor_is_asked_is_not_overlooked(
    tap: Tap, vendor: Ledger, newstore: Mint, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor.before["spend"] = OutcomeUnknown("timed out")
    row = redeem(tap())
    find_spend = MemoryProvider.find_spend

    def find_while_the_order_comes(self: MemoryProvider, intent: SpendIntent) -> SpendFinding:
        use_codes(row.program, order_id="order-1", codes=(row.code,))
        return find_spend(self, intent)

    monkeypatch.setattr(MemoryProvider, "find_spend", find_while_the_order_comes)
    carry_on(row.pk, KIM)
    settle(row.program, order)
    row.refresh_from_db()
    assert (row.state, row.last_error) == (
        State.STUCK,
        "an order used the code, and the spend did not happen",
    )


def test_an_order_that_comes_while_a_spend_is_refused_gets_stuck_once(
    tap: Tap, vendor: Ledger, newstore: Mint, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse_while_the_order_comes(self: MemoryProvider, intent: SpendIntent) -> Spend:
        use_codes(Redemption.objects.get().program, order_id="order-1", codes=(intent.code,))
        raise Rejected(RejectReason.INSUFFICIENT_POINTS)

    monkeypatch.setattr(MemoryProvider, "spend", refuse_while_the_order_comes)
    row = redeem(tap())
    assert row.state == State.REFUSED
    assert use_and_settle(row, order).state == State.STUCK
    resolve(row, question_of(row), it_happened=False, actor=KIM)
    assert use_and_settle(row, order).state == State.REFUSED, "a repeated event does not ask again"


def test_a_late_order_whose_second_spend_is_unknown_has_its_own_time(
    tap: Tap, vendor: Ledger, newstore: Mint, order: Order
) -> None:
    row = undo(redeem(tap()).pk, KIM)
    now = timezone.now()
    vendor.after["spend"] = OutcomeUnknown("timed out")
    vendor.can_find = False
    with time_machine.travel(now + timedelta(hours=2), tick=False), pytest.raises(Unavailable):
        use_and_settle(row, order)
    with time_machine.travel(now + timedelta(hours=2, minutes=29), tick=False):
        assert run_one()
        row.refresh_from_db()
        assert row.state == State.UNCERTAIN
    with time_machine.travel(now + timedelta(hours=2, minutes=40), tick=False):
        assert run_one()
        row.refresh_from_db()
        assert row.state == State.STUCK


def test_an_order_tied_while_the_outcome_becomes_known_is_not_undone(
    tap: Tap, vendor: Ledger, newstore: Mint, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor.after["spend"] = OutcomeUnknown("timed out")
    row = redeem(tap())
    tie = orders._tie

    def after_the_worker(seen: Redemption, order_id: str, actor: Actor) -> None:
        assert seen.state == State.UNCERTAIN
        carry_on(row.pk, KIM)
        tie(seen, order_id, actor)

    monkeypatch.setattr(orders, "_tie", after_the_worker)
    use_codes(row.program, order_id="order-1", codes=(row.code,))
    row = undo(row.pk, KIM)
    assert (row.state, row.order_id, vendor.points["mia"]) == (State.USED, "order-1", 620)
