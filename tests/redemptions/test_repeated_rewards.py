"""One code of a reward per cart, or as many as the program allows: page, tap, database."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from loyaltyview.redemptions.commands import AnotherTillRedeeming, InCartAlready, RedeemRequest
from loyaltyview.redemptions.limits import free_slot, lock_repeated
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.offers import CartReason, Offer, OfferState, build_offers
from loyaltyview.redemptions.release import undo
from loyaltyview.redemptions.saga import redeem
from providers.errors import OutcomeUnknown
from providers.sales import SpendKind
from providers.types import Cart, LockReason, Money, Reward

from .conftest import KIM, TEN_DOLLARS, Mint
from .memory_provider import Ledger

Tap = Callable[..., RedeemRequest]

CART = Cart(cart_id="cart-1", total=Money(amount=Decimal("129.90"), currency="USD"))
TEN_OFF = Reward(reward_id="ten-off", title="$10 off", points=200, discount=TEN_DOLLARS)


def offer() -> Offer:
    return build_offers((TEN_OFF,), (), CART, 820)[0]


def row(state: State, slot: int | None = None, **changes: str) -> Redemption:
    return Redemption(**{"kind": "reward", "item_id": "ten-off", "state": state, "cart_slot": slot} | changes)


@pytest.mark.parametrize(
    ("rows", "limit", "state", "slot"),
    [
        ([], 1, OfferState.AVAILABLE, 1),
        ([row(State.REVEALED, 1)], 1, OfferState.LOCKED, None),
        ([row(State.REVEALED)], 1, OfferState.LOCKED, None),
        ([row(State.USED, 1)], 1, OfferState.LOCKED, None),
        ([row(State.RELEASED), row(State.REFUSED), row(State.RELEASING)], 1, OfferState.AVAILABLE, 1),
        ([row(State.REVEALED, 1, item_id="five-off")], 1, OfferState.AVAILABLE, 1),
        ([row(State.REVEALED, 1, kind="voucher")], 1, OfferState.AVAILABLE, 1),
        ([row(State.REVEALED, 2)], 2, OfferState.AVAILABLE, 1),
        ([row(State.REVEALED, 1), row(State.SPENT, 2)], 2, OfferState.LOCKED, None),
        ([row(State.REVEALED), row(State.REVEALED)], 0, OfferState.AVAILABLE, None),
    ],
)
def test_a_reward_is_locked_when_the_cart_has_as_many_of_its_codes_as_the_program_allows(
    rows: Sequence[Redemption], limit: int, state: OfferState, slot: int | None
) -> None:
    (shown,) = lock_repeated([offer()], rows, limit)
    assert (shown.state, shown.reason) == (state, "IN_CART" if state is OfferState.LOCKED else "")
    assert free_slot(offer(), rows, limit) == slot


@pytest.mark.parametrize(
    "lock",
    [
        {"reason": LockReason.POINTS.value, "points_gap": 80, "gap_share": 60},
        {"reason": CartReason.MINIMUM.value, "money_gap": CART.total, "gap_share": 60},
        {"reason": CartReason.PRODUCT_MISSING.value},
        {"reason": CartReason.CART_EMPTY.value},
    ],
)
def test_a_reward_in_the_cart_does_not_ask_for_what_would_not_open_it_again(lock: dict[str, object]) -> None:
    locked = replace(offer(), state=OfferState.LOCKED, **lock)  # type: ignore[arg-type]
    (shown,) = lock_repeated([locked], [row(State.REVEALED, 1)], 1)
    assert (shown.reason, shown.points_gap, shown.money_gap, shown.gap_share) == ("IN_CART", 0, None, 0)
    assert lock_repeated([locked], [row(State.REVEALED, 1)], 2) == [locked]


def test_a_reward_in_the_cart_keeps_the_reason_that_the_program_gives() -> None:
    locked = replace(offer(), state=OfferState.LOCKED, reason=LockReason.OUT_OF_STOCK.value)
    assert lock_repeated([locked], [row(State.REVEALED, 1)], 1) == [locked]


def test_one_that_is_still_open_is_locked_on_the_page_and_left_to_the_database_at_the_tap() -> None:
    rows = [row(State.UNCERTAIN, 1)]
    assert lock_repeated([offer()], rows, 1)[0].reason == "IN_CART"
    assert free_slot(offer(), rows, 1) == 1


def test_a_second_code_of_the_same_reward_is_refused_though_its_page_saw_none(
    tap: Tap, vendor: Ledger, newstore: Mint
) -> None:
    redeem(tap("one", cart_slot=1))
    with pytest.raises(InCartAlready):
        redeem(tap("two", cart_slot=1))
    assert redeem(tap("one", cart_slot=1)).state == State.REVEALED, "the same tap is no second one"
    assert redeem(tap("three", cart_slot=2)).state == State.REVEALED
    for other in ({"item_id": "five"}, {"kind": SpendKind.VOUCHER}):
        assert redeem(tap(str(other), cart_slot=1, points=1, **other)).state == State.REVEALED
    assert vendor.calls.count("spend") == 4


def test_while_the_first_is_open_the_second_waits_for_it(tap: Tap, vendor: Ledger, newstore: Mint) -> None:
    vendor.before["spend"] = OutcomeUnknown("timeout")
    redeem(tap("one", cart_slot=1))
    with pytest.raises(AnotherTillRedeeming):
        redeem(tap("two", cart_slot=1))


def test_what_is_undone_or_refused_leaves_its_slot(tap: Tap, vendor: Ledger, newstore: Mint) -> None:
    first = redeem(tap("one", cart_slot=1))
    undo(first.pk, KIM)
    assert redeem(tap("two", cart_slot=1, points=5_000)).state == State.REFUSED
    assert redeem(tap("three", cart_slot=1)).state == State.REVEALED
    assert list(Redemption.objects.order_by("requested_at").values_list("cart_slot", flat=True)) == [
        None,
        None,
        1,
    ]


def test_the_database_holds_one_redemption_per_slot(tap: Tap, vendor: Ledger, newstore: Mint) -> None:
    redeem(tap("one", cart_slot=1))
    second = redeem(tap("two", cart_slot=2))
    with pytest.raises(IntegrityError), transaction.atomic():
        Redemption.objects.filter(pk=second.pk).update(cart_slot=1)
