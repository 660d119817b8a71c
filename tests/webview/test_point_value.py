"""What points are worth in this cart, which offer beats another, and when to keep the points."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from loyaltyview.redemptions.stacking import StackingRule
from loyaltyview.webview.member_offers import MemberOffer, fit_offers
from loyaltyview.webview.point_value import (
    Wait,
    beaten_by,
    expires_soon,
    keep_points,
    lost_in,
    value_of_100,
)
from providers.types import (
    Balance,
    Cart,
    Discount,
    DiscountKind,
    Expiring,
    Lock,
    LockReason,
    Money,
    Reward,
    Voucher,
)

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


def usd(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="USD")


def cart(total: str) -> Cart:
    return Cart(cart_id="c-1", total=usd(total))


def reward(name: str, amount: str, points: int, missing: int = 0) -> Reward:
    lock = Lock(reason=LockReason.POINTS, points_gap=missing) if missing else None
    discount = Discount(kind=DiscountKind.FIXED, amount=usd(amount))
    return Reward(reward_id=name, title=name, points=points, discount=discount, lock=lock)


def offers(total: str, spendable: int, *rewards: Reward) -> list[MemberOffer]:
    return list(fit_offers(rewards, (), cart=cart(total), spendable=spendable, rows=(), rule=StackingRule()))


def test_rewards_come_by_what_their_points_save_in_this_cart() -> None:
    small = reward("five", "5", 100)
    found = offers("12.50", 900, reward("twenty", "20", 300), small, reward("ten", "10", 250))
    assert [each.offer.title for each in found] == ["five", "twenty", "ten"]
    assert [value_of_100(each.offer) for each in found] == [usd("5.00"), usd("4.17"), usd("4.00")]


def test_what_the_member_owns_comes_first_and_what_expires_first_before_that() -> None:
    ten = Discount(kind=DiscountKind.FIXED, amount=usd("10"))
    owned = [
        Voucher(voucher_id="never", title="never", discount=ten),
        Voucher(voucher_id="later", title="later", discount=ten, expires_at=NOON + timedelta(days=9)),
        Voucher(voucher_id="soon", title="soon", discount=ten, expires_at=NOON + timedelta(days=2)),
    ]
    found = fit_offers(
        (reward("big", "40", 1),), tuple(owned), cart=cart("90"), spendable=9, rows=(), rule=StackingRule()
    )
    assert [each.offer.title for each in found] == ["soon", "later", "never", "big"]


def test_what_the_cart_cannot_use_is_lost() -> None:
    whole, part = offers("12.50", 900, reward("ten", "10", 100), reward("twenty", "20", 300))
    lost = lost_in(part.offer, cart("12.50"))
    assert lost is not None
    assert (lost.worth, lost.lost) == (usd("20"), usd("7.50"))
    assert lost_in(whole.offer, cart("12.50")) is None


@pytest.mark.parametrize(
    ("total", "better"),
    [("100", None), ("12.50", None), ("10", "ten"), ("4", "ten")],
)
def test_an_offer_is_beaten_by_one_that_saves_as_much_for_fewer_points(
    total: str, better: str | None
) -> None:
    found = offers(total, 900, reward("ten", "10", 200), reward("twenty", "20", 300))
    twenty = next(each for each in found if each.offer.title == "twenty")
    ten = next(each for each in found if each.offer.title == "ten")
    beaten = beaten_by(twenty.offer, found, cart(total))
    assert (beaten.title if beaten else None) == better
    assert beaten_by(ten.offer, found, cart(total)) is None


FIVE = reward("five", "5", 100)
TWENTY = reward("twenty", "20", 300, missing=100)


@pytest.mark.parametrize(
    ("total", "spendable", "earn", "rewards", "wait"),
    [
        ("100", 200, 120, (FIVE, TWENTY), Wait.EARNED),
        ("100", 200, 50, (FIVE, TWENTY), Wait.NEXT),
        ("100", 200, None, (FIVE, TWENTY), Wait.NEXT),
        ("100", 120, 10, (FIVE, reward("twenty", "20", 300, missing=180)), None),  # far away
        ("100", 200, 120, (FIVE, reward("poor", "12", 300, missing=100)), None),  # gives less for each point
        ("8", 900, None, (reward("twenty", "20", 300),), Wait.CART),
        ("12", 900, None, (reward("twenty", "20", 300),), None),  # more than half is used
        ("100", 20, 500, (TWENTY,), None),  # nothing takes points now
        ("100", 200, 120, (FIVE, replace(TWENTY, is_final=True)), None),  # never proposed
        ("8", 900, None, (replace(reward("twenty", "20", 300), is_final=True),), None),
    ],
)
def test_points_are_better_kept_only_for_what_gives_more(
    total: str, spendable: int, earn: int | None, rewards: tuple[Reward, ...], wait: Wait | None
) -> None:
    advice = keep_points(offers(total, spendable, *rewards), cart(total), spendable=spendable, earn=earn)
    assert (advice.wait if advice else None) == wait


def test_nobody_is_told_to_keep_points_that_expire_soon() -> None:
    def balance(days: int) -> Balance:
        return Balance(spendable=500, expiring=(Expiring(points=100, at=NOON + timedelta(days=days)),))

    assert expires_soon(balance(29), NOON)
    assert not expires_soon(balance(31), NOON)
    assert not expires_soon(balance(-1), NOON)
