"""One tap: the code is shown exactly when the points are spent."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

from loyaltyview.newstore.errors import NewStoreUnavailable, NewStoreUnexpected
from loyaltyview.redemptions import saga
from loyaltyview.redemptions.commands import WORKER, AnotherTillRedeeming, KeyReused, RedeemRequest
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.recovery import carry_on, run_one
from loyaltyview.redemptions.release import undo
from loyaltyview.redemptions.saga import redeem, reveal_codes
from loyaltyview.redemptions.stuck_resolution import Question, question_of
from providers.errors import AuthFailed, OutcomeUnknown, Unavailable, UnexpectedAnswer
from providers.sales import Spend

from .conftest import KIM, Mint
from .memory_provider import Ledger, MemoryProvider

Tap = Callable[..., RedeemRequest]


def trail(row: Redemption) -> list[str]:
    return [line.to_state for line in row.transitions.all()]


def test_a_tap_mints_spends_and_shows_the_code(tap: Tap, vendor: Ledger, newstore: Mint) -> None:
    row = redeem(tap())
    assert (row.state, row.code) == (State.REVEALED, "LOY0000001")
    assert vendor.points["mia"] == 620
    assert trail(row) == ["requested", "uncertain", "spent", "revealed"]
    assert reveal_codes(row.program_id, "cart-1", KIM) == ["LOY0000001"]


def test_every_line_of_the_trail_says_who_where_and_on_what(tap: Tap, vendor: Ledger, newstore: Mint) -> None:
    row = redeem(tap())
    assert {(line.actor, line.store_id, line.device_id) for line in row.transitions.all()} == {
        ("a-17", "US_BOSTON_01", "ipad-1")
    }


def test_the_same_tap_again_is_the_same_redemption(tap: Tap, vendor: Ledger, newstore: Mint) -> None:
    first, second = redeem(tap()), redeem(tap())
    assert first.pk == second.pk
    assert (vendor.points["mia"], len(newstore.requests)) == (620, 1)


@pytest.mark.parametrize(
    "change", [{"item_id": "other"}, {"member_ref": "leo"}, {"launch_id": "launch-2"}], ids=str
)
def test_a_key_is_not_used_for_two_things(
    tap: Tap, vendor: Ledger, newstore: Mint, change: dict[str, str]
) -> None:
    redeem(tap())
    with pytest.raises(KeyReused):
        redeem(tap(**change))
    assert vendor.points["mia"] == 620


def test_the_coupon_carries_no_personal_data_and_the_exact_discount(
    tap: Tap, vendor: Ledger, newstore: Mint
) -> None:
    redeem(tap())
    (request,) = newstore.requests
    assert (request.reference, str(request.amount), request.percent, request.currency) == (
        "ten-off",
        "10.00",
        None,
        "USD",
    )


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (NewStoreUnavailable("down"), "NEWSTORE_UNAVAILABLE"),
        (NewStoreUnexpected("voucher_mismatch"), "NEWSTORE_UNEXPECTED"),
    ],
)
def test_without_a_coupon_nothing_is_spent(
    tap: Tap, vendor: Ledger, newstore: Mint, error: Exception, reason: str
) -> None:
    newstore.error = error  # type: ignore[assignment]
    row = redeem(tap())
    assert (row.state, row.refusal) == (State.REFUSED, reason)
    assert vendor.calls == []


@pytest.mark.parametrize(
    ("error", "reason"),
    [(Unavailable(), "PROVIDER_UNAVAILABLE"), (AuthFailed(), "PROVIDER_AUTH")],
)
def test_a_spend_that_never_reached_the_vendor_is_refused(
    tap: Tap, vendor: Ledger, newstore: Mint, error: Unavailable, reason: str
) -> None:
    vendor.before["spend"] = error
    row = redeem(tap())
    assert (row.state, row.refusal, vendor.points["mia"]) == (State.REFUSED, reason, 820)
    assert reveal_codes(row.program_id, "cart-1", KIM) == []


def test_the_vendors_no_is_kept_with_its_reason(tap: Tap, vendor: Ledger, newstore: Mint) -> None:
    row = redeem(tap(points=900))
    assert (row.state, row.refusal) == (State.REFUSED, "INSUFFICIENT_POINTS")


@pytest.mark.parametrize("error", [OutcomeUnknown("timed out"), UnexpectedAnswer("<html>")])
def test_an_unknown_outcome_shows_no_code_until_the_vendor_confirms(
    tap: Tap, vendor: Ledger, newstore: Mint, error: OutcomeUnknown
) -> None:
    vendor.after["spend"] = error
    row = redeem(tap())
    assert (row.state, reveal_codes(row.program_id, "cart-1", KIM)) == (State.UNCERTAIN, [])
    row = carry_on(row.pk, KIM)
    assert (row.state, vendor.points["mia"], vendor.calls.count("spend")) == (State.REVEALED, 620, 1)


def test_an_unknown_outcome_that_did_not_happen_is_refused(tap: Tap, vendor: Ledger, newstore: Mint) -> None:
    vendor.before["spend"] = OutcomeUnknown("reset")
    row = carry_on(redeem(tap()).pk, KIM)
    assert (row.state, row.refusal, vendor.points["mia"]) == (State.REFUSED, "NOT_SPENT", 820)


def test_the_worker_finds_out_when_the_page_is_gone(tap: Tap, vendor: Ledger, newstore: Mint) -> None:
    vendor.after["spend"] = OutcomeUnknown("timed out")
    row = redeem(tap())
    with time_machine.travel(timezone.now() + timedelta(seconds=5)):
        assert run_one()
    row.refresh_from_db()
    assert row.state == State.SPENT


def test_an_outcome_that_the_vendor_never_reports_gets_stuck(
    tap: Tap, vendor: Ledger, newstore: Mint
) -> None:
    vendor.after["spend"] = OutcomeUnknown("timed out")
    vendor.can_find = False
    row = redeem(tap())
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        assert run_one()
    row.refresh_from_db()
    assert row.state == State.UNCERTAIN
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        assert run_one()
    row.refresh_from_db()
    assert row.state == State.STUCK
    assert "cannot tell" in row.last_error


def test_a_second_till_is_refused_while_the_first_is_redeeming(
    tap: Tap, vendor: Ledger, newstore: Mint
) -> None:
    vendor.after["spend"] = OutcomeUnknown("timed out")
    redeem(tap())
    with pytest.raises(AnotherTillRedeeming):
        redeem(tap("k-2", launch_id="launch-2"))


def test_a_second_reward_can_follow_the_first_in_the_same_cart(
    tap: Tap, vendor: Ledger, newstore: Mint
) -> None:
    first, second = redeem(tap()), redeem(tap("k-2", item_id="five-off", points=100))
    assert reveal_codes(first.program_id, "cart-1", KIM) == [first.code, second.code]
    assert vendor.points["mia"] == 520


def test_a_process_that_died_before_the_spend_left_nothing(tap: Tap, vendor: Ledger, newstore: Mint) -> None:
    row = redeem(tap())
    lease = timezone.now()
    Redemption.objects.filter(pk=row.pk).update(state=State.REQUESTED, lease_until=lease, due_at=lease)
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        assert run_one()
    row.refresh_from_db()
    assert (row.state, row.refusal) == (State.REFUSED, "ABANDONED")


def test_a_request_that_the_worker_cannot_close_gets_stuck(tap: Tap, vendor: Ledger, newstore: Mint) -> None:
    row = redeem(tap())
    lease = timezone.now()
    attempts = settings.WORK_MAX_ATTEMPTS
    Redemption.objects.filter(pk=row.pk).update(
        state=State.REQUESTED, lease_until=lease, due_at=lease, attempts=attempts
    )
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        assert run_one()
    row.refresh_from_db()
    assert (row.state, row.transitions.last().from_state) == (State.STUCK, State.REQUESTED)


def test_the_trail_begins_with_the_tap_even_when_the_worker_ends_it(
    tap: Tap, vendor: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(saga, "mint_code", die)
    with pytest.raises(KeyboardInterrupt):
        redeem(tap())
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        assert run_one()
    row = Redemption.objects.get()
    lines = [(line.from_state, line.to_state, line.actor) for line in row.transitions.all()]
    assert lines == [("", "requested", KIM.name), ("requested", "refused", WORKER.name)]
    assert row.transitions.earliest("pk").at == row.requested_at


def test_undo_gives_the_points_back_and_the_code_is_gone(tap: Tap, vendor: Ledger, newstore: Mint) -> None:
    row = undo(redeem(tap()).pk, KIM)
    assert (row.state, vendor.points["mia"]) == (State.RELEASED, 820)
    assert reveal_codes(row.program_id, "cart-1", KIM) == []
    assert undo(row.pk, KIM).state == State.RELEASED
    assert vendor.points["mia"] == 820


def test_undo_with_the_vendor_away_is_finished_by_the_worker(
    tap: Tap, vendor: Ledger, newstore: Mint
) -> None:
    vendor.after["release"] = Unavailable("down")
    row = undo(redeem(tap()).pk, KIM)
    assert row.state == State.RELEASING
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        assert run_one()
    row.refresh_from_db()
    assert (row.state, vendor.points["mia"]) == (State.RELEASED, 820)


def test_a_spend_that_the_vendor_cannot_take_back_is_not_undone(
    tap: Tap, vendor: Ledger, newstore: Mint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoryProvider, "capabilities", frozenset())
    row = undo(redeem(tap()).pk, KIM)
    assert (row.state, vendor.points["mia"]) == (State.REVEALED, 620)


def test_a_code_that_no_order_carried_is_given_back_after_forty_minutes(
    tap: Tap, vendor: Ledger, newstore: Mint
) -> None:
    row = redeem(tap())
    with time_machine.travel(timezone.now() + timedelta(minutes=39)):
        assert not run_one()
    with time_machine.travel(timezone.now() + timedelta(minutes=41)):
        assert run_one()
    row.refresh_from_db()
    assert (row.state, vendor.points["mia"]) == (State.RELEASED, 820)


def test_a_final_spend_is_not_undone_and_gets_stuck_when_unused(
    tap: Tap, vendor: Ledger, newstore: Mint
) -> None:
    row = redeem(tap(is_final=True))
    assert undo(row.pk, KIM).state == State.REVEALED
    with time_machine.travel(timezone.now() + timedelta(minutes=41), tick=False):
        assert run_one()
    row.refresh_from_db()
    assert (row.state, row.is_final) == (State.STUCK, True)
    assert "release" not in vendor.calls


def test_a_spend_that_cannot_be_given_back_for_a_day_gets_stuck(
    tap: Tap, vendor: Ledger, newstore: Mint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: MemoryProvider, spend: Spend) -> None:
        raise UnexpectedAnswer("no JSON")

    monkeypatch.setattr(MemoryProvider, "release", broken)
    row = undo(redeem(tap()).pk, KIM)
    assert row.state == State.RELEASING
    start = timezone.now()
    for hour in range(0, 80, 2):
        with time_machine.travel(start + timedelta(hours=hour, minutes=1)):
            run_one()
    row.refresh_from_db()
    assert (row.state, question_of(row)) == (State.STUCK, Question.RELEASE)
    assert row.last_error == "cannot be given back: UnexpectedAnswer: no JSON"


def test_a_spend_that_the_worker_found_is_revealed_with_the_next(
    tap: Tap, vendor: Ledger, newstore: Mint
) -> None:
    vendor.after["spend"] = OutcomeUnknown("timed out")
    first = redeem(tap())
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        assert run_one()
        first.refresh_from_db()
        assert first.state == State.SPENT
        second = redeem(tap("k-2"))
        assert reveal_codes(first.program_id, "cart-1", KIM) == [first.code, second.code]
    assert Redemption.objects.filter(state=State.REVEALED).count() == 2
