"""A reward for one of several products: the customer chooses which one is free, or it is the cheapest."""

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from django.test import Client

from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import Redemption
from providers.types import Discount, DiscountKind, Reward

from .conftest import Mint, Open
from .fakes import Vendor
from .test_preview import offers_of
from .test_shown import card_form, several_form

FREE = Reward(
    reward_id="free-one",
    title="Free accessory",
    points=100,
    discount=Discount(kind=DiscountKind.PRODUCT, skus=("TOTE-01", "CAP-02", "SOCKS-03")),
)
PICK = "reward:free-one"
MINUS = "\N{MINUS SIGN}"


@pytest.fixture
def html(client: Client, page: str, vendor: Vendor) -> str:
    vendor.rewards = (*vendor.rewards, FREE)
    return client.get(page).content.decode()


def test_the_card_offers_what_is_in_the_cart_and_begins_with_the_cheapest(html: str) -> None:
    card = html.partition('data-reward="free-one"')[2].partition("</form>")[0]
    options = re.findall(r'<option\s+value="([\w-]+)"\s+data-saving="([^"]+)" data-action="([^"]+)"', card)
    assert options == [
        ("CAP-02", f"{MINUS}$40.00", "Apply $40 off, 100 points"),
        ("TOTE-01", f"{MINUS}$89.90", "Apply $89.90 off, 100 points"),
    ]
    assert "Which one is free" in card
    assert 'form="several" name="unit:reward:free-one"' in card


def test_a_reward_for_one_product_of_the_cart_offers_no_choice(
    client: Client, open_page: Open, vendor: Vendor, newstore: Mint
) -> None:
    vendor.rewards = (FREE,)
    cart = [{"productId": "CAP-02", "itemId": f"i-{number}", "price": 40} for number in (1, 2)]
    html = client.get(open_page(items=cart, cartTotal=80)).content.decode()
    assert 'data-reward="free-one"' in html
    assert "Which one is free" not in html


@pytest.mark.parametrize(
    ("unit", "saving", "title"),
    [
        ("", "40.00", "Free accessory"),
        ("CAP-02", "40.00", "Free accessory: CAP-02"),
        ("TOTE-01", "89.90", "Free accessory: TOTE-01"),
    ],
)
def test_the_coupon_takes_off_what_the_chosen_product_costs(
    client: Client, page: str, newstore: Mint, html: str, unit: str, saving: str, title: str
) -> None:
    client.post(page + "redeem/", {**card_form(html, "free-one"), "unit": unit})
    row = Redemption.objects.get()
    assert (row.saving, row.title) == (Decimal(saving), title)
    assert newstore.requests[0].amount == Decimal(saving)
    assert row.discount["skus"] == ([unit] if unit else list(FREE.discount.skus))


def test_products_are_called_what_people_call_them(
    client: Client, page: str, program: Program, html: str, newstore: Mint, vendor: Vendor
) -> None:
    program.product_names = {"TOTE-01": "Canvas tote", "SOCKS-03": "Wool socks"}
    program.save()
    missing = replace(FREE, reward_id="socks", discount=replace(FREE.discount, skus=("SOCKS-03", "HAT-01")))
    vendor.rewards = (*vendor.rewards, missing)
    html = client.get(page).content.decode()
    assert ">Canvas tote, " in html
    assert ">CAP-02, " in html
    assert "Add Wool socks, HAT-01 to the cart" in html
    client.post(page + "redeem/", {**card_form(html, "free-one"), "unit": "TOTE-01"})
    assert Redemption.objects.get().title == "Free accessory: Canvas tote"


@pytest.mark.parametrize("unit", ["SOCKS-03", "JACKET-01", "x" * 200])
def test_a_product_that_is_none_of_the_choice_is_refused(
    client: Client, page: str, vendor: Vendor, html: str, unit: str
) -> None:
    answer = client.post(page + "redeem/", {**card_form(html, "free-one"), "unit": unit})
    assert answer.status_code == 422
    assert 'data-error="PRODUCT_MISSING"' in answer.content.decode()
    assert "spend" not in vendor.calls


def test_a_product_that_another_reward_makes_free_is_named_alone(
    client: Client, page: str, vendor: Vendor, newstore: Mint, html: str
) -> None:
    vendor.rewards = (*vendor.rewards, replace(FREE, reward_id="free-too", title="Second accessory"))
    html = client.get(page).content.decode()
    picks = (PICK, "reward:free-too")
    fields = {**several_form(html, *picks), **{f"unit:{pick}": "CAP-02" for pick in picks}}
    shown = client.post(page + "several/", fields, follow=True).content.decode()
    assert "Add CAP-02 to the cart" in shown
    assert "TOTE-01, CAP-02" not in shown.partition("failed-items")[2].partition("</ul>")[0]
    assert [row.saving for row in Redemption.objects.filter(refusal="")] == [Decimal("40.00")]


def test_the_choice_goes_with_the_form_of_several(client: Client, page: str, html: str) -> None:
    fields = {**several_form(html, PICK, "reward:ten-off"), f"unit:{PICK}": ["TOTE-01", ""]}
    client.post(page + "several/", fields)
    assert sorted(Redemption.objects.values_list("saving", flat=True)) == [Decimal(10), Decimal("89.90")]


def test_the_preview_counts_the_chosen_product(client: Client, page: str, html: str) -> None:
    def button(unit: str) -> str:
        posted = {"chosen": [PICK, "reward:ten-off"], "offers": offers_of(html), f"unit:{PICK}": unit}
        return str(client.post(page + "preview/", posted).json()["button"])

    assert button("TOTE-01") == "Apply 2 rewards, save $99.90"
    assert button("CAP-02") == button("") == button("JACKET-01") == "Apply 2 rewards, save $50.00"
