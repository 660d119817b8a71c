"""Points as money: every step of the stepper is worth its points."""

from decimal import Decimal

import pytest

from loyaltyview.webview.member_offers import points_choice
from providers.types import Cart, Money, PointsRange


@pytest.mark.parametrize(
    ("currency", "value", "spendable", "total", "most"),
    [
        ("JPY", "0.5", 821, "1999", 820),  # 821 are worth 410 yen, and so are 820
        ("JPY", "0.01", 820, "1999", 800),
        ("USD", "0.005", 151, "20.00", 150),
        ("USD", "0.005", 5000, "20.01", 4002),
        ("KWD", "0.001", 50_000, "8.625", 8625),  # to the last fils
        ("JPY", "0.3", 5000, "125", 417),  # what the cart takes needs the last one
    ],
)
def test_no_step_takes_more_points_than_their_worth_needs(
    currency: str, value: str, spendable: int, total: str, most: int
) -> None:
    worth = Money(amount=Decimal(value), currency=currency)
    span = PointsRange(minimum=1, maximum=9000, step=1, value_per_point=worth)
    cart = Cart(cart_id="c-1", total=Money(amount=Decimal(total), currency=currency))
    choice = points_choice(span, spendable, cart)
    assert choice is not None
    assert choice.maximum == most


def test_the_stepper_starts_with_the_fewest_points_that_are_worth_something() -> None:
    worth = Money(amount=Decimal("0.3"), currency="JPY")
    span = PointsRange(minimum=1, maximum=9000, step=1, value_per_point=worth)
    cart = Cart(cart_id="c-1", total=Money(amount=Decimal(1999), currency="JPY"))
    choice = points_choice(span, 820, cart)
    assert choice is not None
    assert choice.minimum == 4  # three are worth less than a yen
