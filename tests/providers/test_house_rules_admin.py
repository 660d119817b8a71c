"""Rules of earning and expiry in admin: what is refused with which words, and the preview in words."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from providers.house.models import Category, EarnRule, Multiplier, Tier
from providers.house.provider import HouseProvider
from providers.house.rule_words import rule_in_words


@pytest.fixture
def admin(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ada", password="x"))
    return client


def built(name: str = "one", **fields: Any) -> Multiplier:
    return Multiplier(**{"rule": EarnRule.objects.get(), "name": name, "factor": Decimal(2), **fields})


def refused(multiplier: Multiplier) -> str:
    with pytest.raises(ValidationError) as caught:
        multiplier.full_clean()
    return " ".join(caught.value.messages)


def test_a_multiplier_for_every_purchase_is_refused(house: HouseProvider) -> None:
    assert "change the points per unit" in refused(built())


def test_a_period_that_ends_before_it_starts_is_refused(house: HouseProvider) -> None:
    backwards = built(starts_on=date(2026, 5, 2), ends_on=date(2026, 5, 1))
    assert refused(backwards) == "The last day is before the first one."


MAY = {"starts_on": date(2026, 5, 1), "ends_on": date(2026, 5, 31)}
STORES = {"stores": ["boston-1", "boston-2"]}


@pytest.mark.parametrize(
    ("first", "second", "is_refused"),
    [
        (MAY, {"starts_on": date(2026, 5, 31)}, True),
        (MAY, {"starts_on": date(2026, 6, 1)}, False),
        (MAY, {"ends_on": date(2026, 5, 1)}, True),
        (MAY, {"ends_on": date(2026, 4, 30)}, False),
        (STORES, {"stores": ["boston-2"]}, True),
        (STORES, {"stores": ["lyon-1"]}, False),
        (STORES, MAY, True),
        (MAY, {**MAY, "is_active": False}, False),
    ],
)
def test_two_multipliers_for_the_same_purchases_are_refused(
    house: HouseProvider, first: dict[str, Any], second: dict[str, Any], *, is_refused: bool
) -> None:
    built("May", **first).save()
    if is_refused:
        assert "“May” counts for the same purchases" in refused(built("more", **second))
    else:
        built("more", **second).full_clean()


def test_another_category_or_tier_is_another_multiplier(house: HouseProvider) -> None:
    built("May", **MAY).save()
    shoes = Category.objects.create(program="acme", name="shoes", products=["SHOE*"])
    built("shoes", category=shoes, **MAY).full_clean()
    built("silver", tier=Tier.objects.get(name="Silver"), **MAY).full_clean()


def test_a_category_of_another_program_is_refused(house: HouseProvider) -> None:
    shoes = Category.objects.create(program="other", name="shoes", products=["SHOE*"])
    assert refused(built(category=shoes)) == "It belongs to another program."


@pytest.mark.parametrize("products", [[], "SHOE", [""], ["*"], ["SH*OE"], [1]])
def test_a_category_without_usable_products_is_refused(db: None, products: object) -> None:
    with pytest.raises(ValidationError) as caught:
        Category(program="acme", name="shoes", products=products).full_clean()
    assert "products" in caught.value.message_dict


def test_a_multiplier_is_made_in_admin_with_a_store_a_line(admin: Client, house: HouseProvider) -> None:
    url = reverse("admin:house_multiplier_add")
    data = {
        "rule": EarnRule.objects.get().pk,
        "name": "Boston",
        "factor": "2.50",
        "is_active": "on",
        "stores": "boston-1\r\n\r\n boston-2 ",
    }
    assert admin.post(url, data).status_code == 302
    multiplier = Multiplier.objects.get()
    assert multiplier.stores == ["boston-1", "boston-2"]
    page = admin.get(reverse("admin:house_multiplier_change", args=[multiplier.pk])).content.decode()
    assert "2.5 times the points, in boston-1, boston-2." in page
    again = admin.post(url, {**data, "name": "Boston too"}).content.decode()
    assert "“Boston” counts for the same purchases on some of these days" in again


def test_the_earning_rule_says_in_words_what_it_does(admin: Client, house: HouseProvider) -> None:
    rule = EarnRule.objects.get()
    rule.expires_on = "03-31"
    rule.save()
    shoes = Category.objects.create(program="acme", name="shoes", products=["SHOE*"])
    built("shoes", category=shoes, tier=Tier.objects.get(name="Silver"), **MAY).save()
    built("cards", category=shoes, factor=0, starts_on=date(2026, 5, 1)).save()
    words = [
        "Points for each unit of money: 1.",
        "2 times the points, for shoes, for members from Silver upwards, from May 1, 2026 to May 31, 2026.",
        "No points, for shoes, from May 1, 2026 on.",
        "Where several fit an item, 0 wins, else the highest; they are not multiplied with each other.",
        "Silver: the result times 1.5.",
        "New points expire at the end of 03-31 (month-day) of the year after the purchase.",
    ]
    assert sorted(rule_in_words(rule)) == sorted(words)
    page = admin.get(reverse("admin:house_earnrule_change", args=[rule.pk])).content.decode()
    assert "<p>No points, for shoes, from May 1, 2026 on.</p>" in page
    assert "points that members have keep the date" in page


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "New points do not expire."),
        ({"expiry_months": 24}, "New points expire 24 months after the purchase."),
        (
            {"inactivity_months": 1},
            "New points expire 1 month after the member's last purchase or redemption.",
        ),
    ],
)
def test_the_words_of_an_expiry(house: HouseProvider, fields: dict[str, Any], sentence: str) -> None:
    EarnRule.objects.update(**fields)
    assert rule_in_words(EarnRule.objects.get())[-1] == sentence
