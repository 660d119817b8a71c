"""What the page says of several chosen cards is what the till takes off, and what stands in their way."""

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.db.models import Sum
from django.test import Client

from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import Redemption
from providers.types import Discount, DiscountKind, PointsRange, Reward

from .conftest import Mint, Open
from .fakes import MIA, POINTS_AS_MONEY, REWARDS, Vendor, off, usd
from .test_shown import several_form

Preview = Callable[..., dict[str, Any]]
TEN, FIFTEEN = REWARDS[0], REWARDS[1]
STEPPER = "points:points-as-money"


def offers_of(html: str) -> str:
    """Return what the page sends along, so that the server knows what it offered."""
    found = re.search(r'data-offers="([^"]+)"', html)
    assert found
    return unescape(found.group(1))


@pytest.fixture
def preview(client: Client, vendor: Vendor, open_page: Open, newstore: Mint) -> Preview:
    """Tick boxes on a new page of a cart, and return what it is told."""

    def asked(*picks: str, points: int = 0, **cart: object) -> dict[str, Any]:
        page = open_page(**cart)
        offers = offers_of(client.get(page).content.decode())
        fields = {"chosen": picks, "offers": offers, f"points:{STEPPER}": str(points or "")}
        response = client.post(page + "preview/", fields)
        assert response.status_code == 200
        told: dict[str, Any] = response.json()
        return told

    return asked


def reward(name: str, points: int, **discount: Any) -> Reward:
    return Reward(reward_id=name, title=name, points=points, discount=Discount(**discount))


def percent(name: str, points: int, share: str) -> Reward:
    return reward(name, points, kind=DiscountKind.PERCENT, percent=Decimal(share))


@pytest.mark.parametrize(
    ("picks", "points", "button"),
    [
        (("reward:ten-off",), 0, "Apply 1 reward, save $10.00"),
        # 15 % of $129.90, then $10.
        (("reward:ten-off", "reward:fifteen-percent"), 0, "Apply 2 rewards, save $29.49"),
        (("reward:ten-off", STEPPER), 550, "Apply 2 rewards, save $37.50"),
        (("voucher:v-birthday", "reward:ten-off", STEPPER), 0, "Apply 3 rewards, save $30.00"),
    ],
)
def test_the_saving_that_is_said_is_taken_off(
    client: Client, shown: str, vendor: Vendor, picks: tuple[str, ...], points: int, button: str
) -> None:
    vendor.rewards += (POINTS_AS_MONEY,)
    html = client.get(shown).content.decode()
    fields = several_form(html, *picks) | {f"points:{STEPPER}": str(points or 100)}
    # The boxes are sent in the order of the page.
    fields["chosen"] = sorted(picks, key=lambda pick: html.index(f'name="chosen" value="{pick}"'))
    told = client.post(shown + "preview/", fields | {"offers": offers_of(html)}).json()
    assert told["button"] == button
    client.post(shown + "several/", fields)
    saved = Redemption.objects.aggregate(saved=Sum("saving"))["saved"]
    assert button.endswith(f"${saved:.2f}")


def test_half_a_cent_is_rounded_as_newstore_rounds_it(vendor: Vendor, preview: Preview) -> None:
    vendor.rewards = (TEN, percent("third", 300, "33.3"))
    # 33.3 % of $15.00 are 4.995. In floating point that is less, and a cent was missing.
    told = preview("reward:ten-off", "reward:third", cartTotal=25, items=[])
    assert told["button"] == "Apply 2 rewards, save $15.00"


def test_yen_are_whole(program: Program, vendor: Vendor, preview: Preview) -> None:
    program.currency = "JPY"
    program.save()
    fifty = Discount(kind=DiscountKind.FIXED, amount=replace(usd("50"), currency="JPY"))
    vendor.rewards = (FIFTEEN, replace(TEN, discount=fifty))
    # ¥50, and 15 % of the other 75: 11.25.
    told = preview("reward:ten-off", "reward:fifteen-percent", currency="JPY", cartTotal=125, items=[])
    assert told["button"] == "Apply 2 rewards, save ¥61"


CAP = {"productId": "CAP-02", "itemId": "i-2", "price": 40}
FREE_CAP: dict[str, Any] = {"kind": DiscountKind.PRODUCT, "skus": ("CAP-02",)}


@pytest.mark.parametrize(
    ("rewards", "cart", "said"),
    [
        ((TEN, reward("second", 700, kind=DiscountKind.FIXED, amount=usd("5"))), {},
         "80 points too many with this choice"),
        ((TEN, reward("second", 621, kind=DiscountKind.FIXED, amount=usd("5"))), {},
         "1 point too many with this choice"),
        ((TEN, reward("second", 10, kind=DiscountKind.FIXED, amount=usd("8"))), {"cartTotal": 17.5},
         "The cart takes only $7.50 more with this choice"),
        ((TEN, reward("second", 10, kind=DiscountKind.FIXED, amount=usd("8"))), {"cartTotal": 10},
         "Nothing is left to pay with this choice"),
        ((TEN, replace(REWARDS[3], reward_id="second", discount=off("5", minimum="125"))), {},
         "Needs $125.00 left in the cart"),
        ((replace(TEN, discount=Discount(**FREE_CAP)), reward("second", 10, **FREE_CAP)), {"items": [CAP]},
         "Its product is chosen already"),
        ((TEN, reward("second", 10, kind=DiscountKind.FIXED, amount=usd("8"))), {}, ""),
    ],
)  # fmt: skip
def test_a_card_that_the_choice_puts_out_of_reach_says_why(
    vendor: Vendor, preview: Preview, rewards: tuple[Reward, ...], cart: dict[str, Any], said: str
) -> None:
    vendor.vouchers, vendor.rewards = (), rewards
    told = preview("reward:ten-off", **{"items": []} | cart)
    assert told["cards"]["reward:second"] == {"obstacle": said}


def test_a_lower_price_counts_for_the_next_unit_of_the_product(vendor: Vendor, preview: Preview) -> None:
    lower = {"kind": DiscountKind.PRICE, "skus": ("CAP-02",), "amount": usd("30")}
    vendor.vouchers, vendor.rewards = (), (reward("one", 1, **lower), reward("two", 1, **lower))
    caps = [CAP, CAP | {"itemId": "i-3", "price": 50}]
    told = preview("reward:one", "reward:two", items=caps)
    assert told["button"] == "Apply 2 rewards, save $30.00"


def test_points_as_money_give_way_to_the_other_rewards(vendor: Vendor, preview: Preview) -> None:
    vendor.members[MIA.ref] = replace(MIA, balance=replace(MIA.balance, spendable=620))
    vendor.rewards += (POINTS_AS_MONEY,)
    told = preview("reward:ten-off", STEPPER, points=600)
    # Of 620 points 200 are for the other reward: 400 in steps of 50 from 100.
    assert told["cards"][STEPPER] == {
        "most": 400,
        "points": 400,
        "used": "400 points",
        "saving": "\N{MINUS SIGN}$20.00",
        "button": "Apply $20.00 off, 400 points",
    }
    assert told["button"] == "Apply 2 rewards, save $30.00"


def test_what_the_others_leave_is_taken_with_points_that_are_offered(
    vendor: Vendor, preview: Preview
) -> None:
    half_a_cent = PointsRange(minimum=1, maximum=5000, step=1, value_per_point=usd("0.005"))
    vendor.rewards = (TEN, replace(POINTS_AS_MONEY, points_range=half_a_cent))
    vendor.members[MIA.ref] = replace(MIA, balance=replace(MIA.balance, spendable=701))
    told = preview("reward:ten-off", STEPPER, points=501)
    assert (told["cards"][STEPPER]["points"], told["button"]) == (500, "Apply 2 rewards, save $12.50")


def test_a_number_of_points_between_two_steps_promises_nothing(vendor: Vendor, preview: Preview) -> None:
    vendor.rewards += (POINTS_AS_MONEY,)
    told = preview(STEPPER, points=120)
    assert told["cards"][STEPPER] == {"most": 800}
    assert told["button"] == "Apply all that is chosen"


@pytest.mark.parametrize(
    ("picks", "fine"),
    [
        (("reward:ten-off",), "200 points. Can be undone on the next page"),
        (("reward:ten-off", "reward:fifteen-percent"), "500 points. Not all of it can be undone"),
        (("reward:fifteen-percent",), "300 points. Cannot be undone"),
    ],
)
def test_the_fine_print_says_what_can_be_undone(preview: Preview, picks: tuple[str, ...], fine: str) -> None:
    assert preview(*picks)["fine"] == fine


def test_the_vendor_is_not_asked_for_a_preview(client: Client, shown: str, vendor: Vendor) -> None:
    offers = offers_of(client.get(shown).content.decode())
    vendor.calls.clear()
    response = client.post(shown + "preview/", {"chosen": "reward:ten-off", "offers": offers})
    assert response.json()["button"] == "Apply 1 reward, save $10.00"
    assert vendor.calls == []


def test_what_no_page_of_this_launch_offered_gets_no_answer(
    client: Client, shown: str, open_page: Open
) -> None:
    offers = offers_of(client.get(shown).content.decode())
    sent = [client.post(shown + "preview/", {"chosen": "reward:ten-off", "offers": offers[:-1]})]
    sent.append(client.post(shown + "preview/", {"chosen": "reward:ten-off"}))
    other = open_page()
    sent.append(client.post(other + "preview/", {"chosen": "reward:ten-off", "offers": offers}))
    assert [(response.status_code, response.content) for response in sent] == [(204, b"")] * 3
