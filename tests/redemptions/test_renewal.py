"""A code that ran out gets a successor, whatever happens on the way."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from loyaltyview.newstore.coupons import CouponRequest, MintedCode
from loyaltyview.programs.models import Program
from loyaltyview.redemptions import saga
from loyaltyview.redemptions.commands import RedeemRequest
from loyaltyview.redemptions.models import State
from loyaltyview.redemptions.recovery import run_one
from loyaltyview.redemptions.renewal import renew
from providers.types import Cart, CartItem, Discount, DiscountKind, Money

from .conftest import KIM, Mint
from .memory_provider import Ledger


class Died(BaseException):
    """The process is gone: no handler of the product may catch this."""


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(datetime(2026, 3, 4, 10, tzinfo=UTC), tick=False) as clock:
        yield clock


def test_a_renewal_whose_process_died_is_not_given_back_before_its_time(
    clock: time_machine.Traveller,
    tap: Callable[..., RedeemRequest],
    newstore: Mint,
    vendor: Ledger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = saga.redeem(tap())
    clock.shift(timedelta(minutes=16))

    def die(program: Program, request: CouponRequest) -> MintedCode:
        raise Died

    monkeypatch.setattr(saga, "mint_code", die)
    with pytest.raises(Died):
        renew(row.pk, KIM)
    monkeypatch.setattr(saga, "mint_code", newstore)
    clock.shift(timedelta(minutes=2))

    assert not run_one()
    renewed, refusal = renew(row.pk, KIM)
    assert (renewed.state, renewed.code, refusal) == (State.REVEALED, "LOY0000002", None)
    assert vendor.calls == ["spend"]


def test_a_renewed_code_is_given_back_when_its_own_time_has_passed(
    clock: time_machine.Traveller,
    tap: Callable[..., RedeemRequest],
    newstore: Mint,
    vendor: Ledger,
) -> None:
    row = saga.redeem(tap())
    clock.shift(timedelta(minutes=16))
    renew(row.pk, KIM)
    clock.shift(timedelta(minutes=39))
    assert not run_one()
    clock.shift(timedelta(minutes=2))

    assert run_one()

    row.refresh_from_db()
    assert (row.state, vendor.points) == (State.RELEASED, {"mia": 820})


def test_a_renewed_code_takes_off_as_much_as_the_first(
    clock: time_machine.Traveller,
    tap: Callable[..., RedeemRequest],
    newstore: Mint,
    vendor: Ledger,
) -> None:
    """A dinar has a thousand fils."""
    total = Money(amount=Decimal("12.375"), currency="KWD")
    item = CartItem(item_id="i-1", product_id="TOTE-01", price=Decimal("3.125"))
    row = saga.redeem(
        tap(
            cart=Cart(cart_id="cart-1", total=total, items=(item,)),
            discount=Discount(kind=DiscountKind.PRODUCT, skus=("TOTE-01",)),
            saving=Money(amount=item.price, currency="KWD"),
        )
    )
    row.refresh_from_db()
    assert row.saving == Decimal("3.125")
    clock.shift(timedelta(minutes=16))
    renew(row.pk, KIM)
    assert [str(request.amount) for request in newstore.requests] == ["3.125", "3.125"]
