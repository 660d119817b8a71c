"""What the member page says about points that expire, and about a balance that is too small."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from loyaltyview.redemptions.offers import CartReason, Offer, OfferState
from loyaltyview.webview.cards import Card, Deck
from loyaltyview.webview.expiring import PointsAdvice, advise
from loyaltyview.webview.member_offers import PointsChoice
from providers.sales import SpendKind
from providers.types import Balance, Discount, DiscountKind, Expiring, LockReason, Money, PointsRange

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
FIVE = Discount(kind=DiscountKind.FIXED, amount=Money(amount=Decimal(5), currency="USD"))


def card(
    points: int, title: str = "", choice: PointsChoice | None = None, is_final: bool = False, **fields: Any
) -> Card:
    state = OfferState.LOCKED if "reason" in fields else OfferState.AVAILABLE
    offer = Offer(
        kind=SpendKind.REWARD,
        item_id=f"r-{points}",
        title=title or f"for {points}",
        description="",
        points=points,
        discount=FIVE,
        state=state,
        **fields,
    )
    return Card(offer=offer, choice=choice, is_final=is_final)


def advice(
    spendable: int, *expiring: int, now: Any = (), soon: Any = (), earn: int | None = None
) -> PointsAdvice:
    balance = Balance(
        spendable=spendable,
        expiring=tuple(
            Expiring(points=points, at=NOON + timedelta(days=60 * number))
            for number, points in enumerate(expiring)
        ),
    )
    deck = Deck(now=tuple(now), again=(), apart=(), soon=tuple(soon), gift_cards=(), rest=())
    return advise(balance, deck, earn)


def used(spendable: int, expiring: int, **cards: Any) -> tuple[str, int, bool] | None:
    use = advice(spendable, expiring, **cards).use
    return (use.title, use.points, use.is_now) if use else None


def test_the_cheapest_reward_that_uses_all_points_that_expire_is_named() -> None:
    assert used(900, 120, now=[card(400), card(200), card(100)]) == ("for 200", 120, True)


def test_where_no_reward_uses_all_the_one_that_uses_most_is_named() -> None:
    assert used(900, 500, now=[card(100), card(400)]) == ("for 400", 400, True)


def test_what_cannot_be_undone_is_not_proposed() -> None:
    assert used(900, 120, now=[card(200, is_final=True), card(100)]) == ("for 100", 100, True)
    assert used(900, 120, now=[card(200, is_final=True)]) is None


def test_points_as_money_use_all_in_their_steps_up_to_the_most() -> None:
    choice = PointsChoice(minimum=100, maximum=300, step=50)
    money = card(100, "Points as money", choice=choice)
    assert used(900, 120, now=[money, card(200)]) == ("Points as money", 120, True)
    assert used(900, 500, now=[money]) == ("Points as money", 300, True)


def test_a_reward_for_this_cart_comes_before_one_for_another() -> None:
    elsewhere = card(120, reason=CartReason.MINIMUM)
    assert used(900, 120, now=[card(50)], soon=[elsewhere]) == ("for 50", 50, True)
    assert used(900, 120, soon=[elsewhere]) == ("for 120", 120, False)


def test_an_owned_voucher_and_a_reward_that_is_out_of_stock_use_no_points() -> None:
    assert used(900, 120, now=[card(0)], soon=[card(100, reason=LockReason.OUT_OF_STOCK)]) is None


def test_expiries_of_three_months_are_listed_soonest_first() -> None:
    assert [each.points for each in advice(900, 10, 20, 30).expiring] == [10, 20]


def test_of_a_balance_that_pays_nothing_the_page_names_the_nearest_reward_and_what_this_cart_earns() -> None:
    locked = [
        card(200, reason=LockReason.POINTS, points_gap=180),
        card(100, "$5 off", reason=LockReason.POINTS, points_gap=80),
    ]
    for earn, is_enough in ((129, True), (80, True), (40, False), (None, False)):
        missing = advice(20, 20, soon=locked, earn=earn).missing
        assert missing
        assert (missing.title, missing.points, missing.earn) == ("$5 off", 80, earn or 0)
        assert missing.is_enough is is_enough


def test_of_two_rewards_that_are_as_near_points_as_money_come_second() -> None:
    any_points = PointsRange(
        minimum=100, maximum=500, step=50, value_per_point=Money(amount=Decimal("0.03"), currency="USD")
    )
    money = card(100, "Points as money", reason=LockReason.POINTS, points_gap=80, points_range=any_points)
    missing = advice(20, soon=[money, card(100, "$5 off", reason=LockReason.POINTS, points_gap=80)]).missing
    assert missing
    assert missing.title == "$5 off"


def test_nothing_is_missing_where_a_reward_can_be_paid() -> None:
    locked = card(900, reason=LockReason.POINTS, points_gap=700)
    assert advice(200, now=[card(100)], soon=[locked]).missing is None
    assert advice(200, soon=[card(100, reason=CartReason.NO_CART), locked]).missing is None
