"""Several workers, or requests, on one row: the vendor is asked once."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from pytest_django import Settings

from loyaltyview.redemptions import release, saga
from loyaltyview.redemptions.commands import AnotherTillRedeeming, InCartAlready, RedeemRequest
from loyaltyview.redemptions.models import Redemption, State, Transition
from loyaltyview.redemptions.recovery import carry_on, run_one
from providers.types import Cart, Money
from tests.redemptions.conftest import KIM, TEN_DOLLARS, Mint, newstore, tap, vendor  # noqa: F401
from tests.redemptions.memory_provider import TIMED_OUT, Ledger

from .at_once import at_once

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

ROUNDS = range(15)
WORKERS = 4

Tap = Callable[..., RedeemRequest]


@pytest.fixture(autouse=True)
def _pages_wait_as_long_as_it_takes(settings: Settings) -> None:
    settings.PAGE_DEADLINE_S = 30


def test_requests_on_one_tap_spend_once(tap: Tap, vendor: Ledger, newstore: Mint) -> None:  # noqa: F811
    for number in ROUNDS:
        vendor.points["mia"] = 200
        request = tap(f"key-{number}")
        rows = at_once([lambda request=request: saga.redeem(request)] * 16)
        assert {(row.pk, row.state in (State.SPENT, State.REVEALED)) for row in rows} == {(rows[0].pk, True)}
        assert vendor.calls.count("spend") == number + 1
        assert len(newstore.requests) == number + 1


def test_tills_that_tap_one_reward_of_one_cart_at_once_get_one_code(
    tap: Tap,  # noqa: F811
    vendor: Ledger,  # noqa: F811
    newstore: Mint,  # noqa: F811
) -> None:
    def redeem(request: RedeemRequest) -> str:
        try:
            return saga.redeem(request).state
        except (InCartAlready, AnotherTillRedeeming) as refusal:
            return type(refusal).__name__

    for number in ROUNDS:
        vendor.points["mia"] = 820
        cart = Cart(cart_id=f"cart-{number}", total=Money(amount=Decimal("129.90"), currency="USD"))
        taps = [tap(f"key-{number}-{till}", cart=cart, cart_slot=1) for till in range(8)]
        answers = at_once([lambda each=each: redeem(each) for each in taps])
        assert answers.count(State.REVEALED) == 1
        assert vendor.points["mia"] == 620


def test_workers_and_pages_find_an_outcome_out_once(
    tap: Tap,  # noqa: F811
    vendor: Ledger,  # noqa: F811
    newstore: Mint,  # noqa: F811
) -> None:
    for number in ROUNDS:
        vendor.points["mia"] = 200
        vendor.after["spend"] = TIMED_OUT
        row = saga.redeem(tap(f"key-{number}"))
        assert row.state == State.UNCERTAIN
        make_due(row)

        at_once([run_one] * WORKERS + [lambda row=row: carry_on(row.pk, KIM)] * WORKERS)

        row.refresh_from_db()
        assert row.state in (State.SPENT, State.REVEALED)
        assert vendor.calls.count("find_spend") == number + 1
        assert trail(row).count(State.SPENT) == 1
        leave_no_work(row)
    assert vendor.calls.count("spend") == len(ROUNDS)


def test_workers_and_tills_give_back_once(
    tap: Tap,  # noqa: F811
    vendor: Ledger,  # noqa: F811
    newstore: Mint,  # noqa: F811
) -> None:
    for number in ROUNDS:
        row = saga.redeem(tap(f"key-{number}"))
        make_due(row)

        at_once([run_one] * WORKERS + [lambda row=row: release.undo(row.pk, KIM)] * WORKERS)

        row.refresh_from_db()
        assert row.state == State.RELEASED
        assert vendor.calls.count("release") == number + 1
        assert trail(row)[-2:] == [State.RELEASING, State.RELEASED]
        assert vendor.points == {"mia": 820}


def make_due(row: Redemption) -> None:
    Redemption.objects.filter(pk=row.pk).update(due_at=timezone.now() - timedelta(seconds=1))


def leave_no_work(row: Redemption) -> None:
    """Leave no work to the next round."""
    Redemption.objects.filter(pk=row.pk).update(due_at=None)


def trail(row: Redemption) -> list[str]:
    lines = Transition.objects.filter(redemption=row).order_by("pk")
    return list(lines.values_list("to_state", flat=True))
