"""The saga with Pongo: the connection breaks after the purchase, and one reward and one code remain."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from loyaltyview.newstore.coupons import CouponRequest, MintedCode
from loyaltyview.programs.models import Program
from loyaltyview.redemptions import saga
from loyaltyview.redemptions.commands import Actor, RedeemRequest
from loyaltyview.redemptions.models import IssuedCode, State
from loyaltyview.redemptions.recovery import carry_on, run_one
from providers.sales import SpendKind
from tests.providers.pongo.conftest import FIVE_OFF, MIA, SECRET, LoseAnswers, Served
from tests.providers.pongo.intents import FIVE, a_cart, usd

KIM = Actor(name="a-17", store_id="US_BOSTON_01", device_id="ipad-1")


@pytest.fixture
def minted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The codes that NewStore made."""
    codes: list[str] = []

    def mint(_program: Program, _request: CouponRequest) -> MintedCode:
        codes.append(f"LOY{len(codes):07d}")
        return MintedCode(code=codes[-1], expires_at=timezone.now() + timedelta(minutes=15))

    monkeypatch.setattr(saga, "mint_code", mint)
    return codes


@pytest.fixture
def tap(program: Program, vendor: Served) -> RedeemRequest:
    """One tap on "$5 off", for which Mia pays 100 points at Pongo."""
    program.provider_kind = "pongo"
    program.provider_settings = {
        "base_url": vendor.url,
        "access_token": SECRET,
        "requests_per_minute": 6000,
    }
    program.save()
    return RedeemRequest(
        program=program,
        launch_id="launch-1",
        key="k-1",
        cart=a_cart(),
        member_ref=MIA,
        kind=SpendKind.REWARD,
        item_id=FIVE_OFF,
        title="$5 off",
        points=100,
        discount=FIVE,
        saving=usd("5.00"),
        actor=KIM,
        is_final=True,
    )


def test_one_bought_reward_and_one_code_remain(
    tap: RedeemRequest, vendor: Served, minted: list[str], lose_answers: LoseAnswers
) -> None:
    with lose_answers(f"/v1/rewards/{FIVE_OFF}"):
        row = saga.redeem(tap)
    assert row.state == State.UNCERTAIN
    again = saga.redeem(tap)
    found = carry_on(row.pk, KIM)

    assert (again.pk, found.pk) == (row.pk, row.pk)
    assert found.state == State.REVEALED
    (won,) = vendor.book.customers[MIA].won
    assert found.provider_ref == won.hash
    assert vendor.book.customers[MIA].points == 720
    assert minted == [found.code]
    assert IssuedCode.objects.count() == 1


def test_an_abandoned_cart_leaves_the_bought_reward_with_the_customer(
    tap: RedeemRequest, vendor: Served, minted: list[str]
) -> None:
    row = saga.redeem(tap)

    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        assert run_one()

    row.refresh_from_db()
    assert row.state == State.RELEASED
    (won,) = vendor.book.customers[MIA].won
    assert (won.is_locked, won.used_at) == (False, None)


def test_a_silent_pongo_is_asked_again_to_leave_it(
    tap: RedeemRequest, vendor: Served, minted: list[str]
) -> None:
    row = saga.redeem(tap)
    vendor.faults.is_down = True

    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        assert run_one()

    row.refresh_from_db()
    assert row.state == State.RELEASING
    assert row.due_at is not None
