"""The page promises no more points than the order will earn, also with little information in the cart."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from loyaltyview.programs.models import Program
from loyaltyview.webview.carts import earning_cart
from loyaltyview.webview.models import Launch
from providers.types import Cart, CartItem, Money

from .conftest import Mint, Open, squeezed
from .fakes import Vendor
from .test_shown import card_form


def cart(total: str, *prices: str) -> Cart:
    items = tuple(
        CartItem(item_id=str(number), product_id="P", price=Decimal(price))
        for number, price in enumerate(prices)
    )
    return Cart(cart_id="c", total=Money(amount=Decimal(total), currency="USD"), items=items)


def launch_of(program: Program, total: str, coupons: list[str]) -> Launch:
    return Launch(
        program=program,
        cart_id="c",
        host_token="t",
        cart={"total": total},
        selected_coupons=coupons,
        is_customer=True,
    )


@pytest.mark.parametrize(
    ("total", "prices", "coupons", "base"),
    [
        ("100", ["60", "40"], [], "100"),
        ("90", ["60", "40"], ["SPRING"], "90"),
        # Tax or delivery on top of the prices.
        ("106.25", ["60", "40"], [], "100"),
        # The same with a discount of which only its code is known.
        ("95.63", ["100"], ["SPRING"], "95.63"),
        ("101", ["60", "40"], ["SPRING"], None),
        # The app lists no items, or leaves out the price of one.
        ("100", [], [], "100"),
        ("100", ["60"], [], "60"),
        ("0", ["60"], [], None),
    ],
)
@pytest.mark.django_db
def test_the_base_is_never_above_total_and_prices(
    program: Program, total: str, prices: list[str], coupons: list[str], base: str | None
) -> None:
    whole = cart(total, *prices)
    launch = launch_of(program, total, coupons)
    found = earning_cart(launch, whole, whole, [])
    assert (found and found.total.amount) == (base and Decimal(base))


def test_items_share_what_was_taken_off_and_add_up(program: Program) -> None:
    launch = launch_of(program, "80", [])
    whole = cart("80.01", "33.33", "33.33", "33.34")
    found = earning_cart(launch, whole, whole, [])
    assert found
    assert [item.price for item in found.items] == [Decimal(price) for price in ("26.67", "26.67", "26.67")]


def earned_in(html: str) -> str:
    return squeezed(html).partition('class="earn">')[2].partition("</span>")[0]


def test_the_page_says_what_the_cart_earns_after_the_reward_that_was_applied(
    client: Client, page: str, vendor: Vendor
) -> None:
    html = client.get(page).content.decode()
    assert earned_in(html) == "This cart earns 129 points without a reward"
    client.post(page + "redeem/", card_form(html, "ten-off"))
    html = client.get(page).content.decode()
    assert earned_in(html) == "This cart earns 119 points without another reward"


def test_no_points_are_promised_to_a_member_who_is_not_the_orders_customer(
    client: Client, open_page: Open, vendor: Vendor, newstore: Mint
) -> None:
    """They were looked up for a cart without a customer. A reward of theirs makes the order name them."""
    page = open_page(customerEmail="")
    client.post(page + "find/", {"q": "mia@example.test"})
    html = client.get(page).content.decode()
    assert "820" in html
    assert 'class="earn"' not in html
    client.post(page + "redeem/", card_form(html, "ten-off"))
    assert "119 points" in earned_in(client.get(page).content.decode())


@pytest.mark.parametrize("changes", [{"currency": "EUR"}, {"cartTotal": 0}])
def test_the_vendor_is_not_asked_for_points_that_cannot_be_earned(
    client: Client, open_page: Open, vendor: Vendor, changes: dict[str, Any]
) -> None:
    client.get(open_page(**changes))
    assert "preview_earn" not in vendor.calls
