"""The four kinds of voucher codes, from look-up to burn; and what is no voucher at all: gift cards."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from loyaltyview.sandbox.answers import Json
from loyaltyview.sandbox.vendors.whitelabel.server import WhiteLabel
from providers.errors import Rejected, RejectReason
from providers.journal.models import WriteKind
from providers.sales import Finding
from providers.types import Discount, DiscountKind, LockReason, Voucher
from providers.whitelabel.provider import WhiteLabelProvider
from tests.providers.whitelabel.build import (
    CART,
    MUSEUM,
    fixed,
    reward_intent,
    sent,
    usd,
    voucher_intent,
)
from tests.providers.whitelabel.conftest import Build

FRIENDS = "FRIENDS-26"


@pytest.fixture
def leo(vendor: WhiteLabel) -> str:
    """The ref of Leo Park, who has a STATIC and a HUMAN voucher, one for a category, and a gift card."""
    return str(vendor.state.by_email("leo@example.test")["id"])


def voucher(provider: WhiteLabelProvider, ref: str, title: str) -> Voucher:
    return next(each for each in provider.list_vouchers(ref) if each.title == title)


def benefit(vendor: WhiteLabel, ref: str, title: str) -> Json:
    rows = vendor.state.benefits.values()
    return next(row for row in rows if row["owner"]["id"] == ref and row["reward"]["name"] == title)


def refusal(provider: WhiteLabelProvider, ref: str, voucher_id: str, key: str, amount: str) -> RejectReason:
    with pytest.raises(Rejected) as caught:
        provider.spend(voucher_intent(ref, voucher_id, key, amount))
    return caught.value.reason


def test_a_code_of_a_pool_is_found_by_its_code_and_burned(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    row = vendor.state.give(mia, vendor.state.rewards[MUSEUM], code="MUSEUM-0042")
    found = provider.find_voucher(mia, "museum 0042")
    assert (found.voucher_id, found.discount) == (row["id"], fixed("12.00"))
    provider.spend(voucher_intent(mia, found.voucher_id, amount="12.00"))
    assert row["burnedAt"]


@pytest.mark.parametrize(("validates", "picks"), [(True, True), (True, False), (False, True)])
def test_a_static_code_is_used_once_by_each_member_who_has_the_voucher(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, leo: str, validates: bool, picks: bool
) -> None:
    """Whether the engine knows STATIC codes, and whose, is open. Else our journal counts the use. No
    other member's voucher is burned."""
    vendor.commands.validates_static, vendor.commands.picks_static_by_user = validates, picks
    mine = vendor.state.give(mia, vendor.state.reward_named("Friends of Acme: $6 off"))
    theirs = benefit(vendor, leo, "Friends of Acme: $6 off")
    for row in (theirs, mine):  # both members have redeemed it in the app
        vendor.state.reveal(row)
    for ref, row in ((mia, mine), (leo, theirs)):
        found = provider.find_voucher(ref, "friends26")
        assert (found.voucher_id, found.discount) == (row["id"], fixed("6.00"))
        intent = voucher_intent(ref, row["id"], f"key-{ref}", "6.00")
        spend = provider.spend(intent)
        assert provider.find_spend(intent).spend == spend
        assert bool(row["burnedAt"]) is (validates and (picks or row is theirs))
        assert refusal(provider, ref, row["id"], f"again-{ref}", "6.00") is RejectReason.ALREADY_USED
        assert "Friends of Acme: $6 off" not in {each.title for each in provider.list_vouchers(ref)}
    with pytest.raises(Rejected):
        provider.find_voucher(mia, FRIENDS)


def test_a_static_code_of_others_is_no_voucher_of_a_member_without_one(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, leo: str
) -> None:
    vendor.state.reveal(benefit(vendor, leo, "Friends of Acme: $6 off"))
    with pytest.raises(Rejected) as caught:
        provider.find_voucher(mia, FRIENDS)
    assert caught.value.reason is RejectReason.NOT_ALLOWED


def test_a_static_voucher_that_is_whole_is_redeemed_and_burned_by_the_cashier(
    provider: WhiteLabelProvider, vendor: WhiteLabel, leo: str
) -> None:
    row = benefit(vendor, leo, "Friends of Acme: $6 off")
    provider.spend(voucher_intent(leo, row["id"], amount="6.00"))
    assert row["redeemedAt"]
    assert row["burnedAt"]


@pytest.mark.parametrize(("minutes", "is_usable"), [(14, True), (16, False)])
def test_a_human_voucher_is_usable_once_while_the_app_shows_it(
    provider: WhiteLabelProvider, vendor: WhiteLabel, leo: str, minutes: int, is_usable: bool
) -> None:
    row = benefit(vendor, leo, "Free sticker")
    vendor.state.reveal(row)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=minutes)):
        provider.get_member(leo)
        titles = {each.title for each in provider.list_vouchers(leo)}
        assert ("Free sticker" in titles) is is_usable
        if is_usable:
            provider.spend(voucher_intent(leo, row["id"], amount="2.00"))
            assert "Free sticker" not in {each.title for each in provider.list_vouchers(leo)}
        reason = refusal(provider, leo, row["id"], "key-2", "2.00")
        assert reason is RejectReason.ALREADY_USED


def test_a_human_voucher_is_found_by_the_code_that_its_screen_shows_to_everybody(
    provider: WhiteLabelProvider, vendor: WhiteLabel, leo: str
) -> None:
    row = benefit(vendor, leo, "Free sticker")
    row["reward"]["code"] = {"value": "STICKER"}
    vendor.state.reveal(row)
    assert provider.find_voucher(leo, "sticker").voucher_id == row["id"]


def test_a_used_voucher_that_the_engine_does_not_count_is_not_shown_for_its_code(
    provider: WhiteLabelProvider, vendor: WhiteLabel, leo: str
) -> None:
    row = benefit(vendor, leo, "Friends of Acme: $6 off")
    vendor.state.reveal(row)
    provider.spend(voucher_intent(leo, row["id"], amount="6.00"))
    row["burnedAt"] = None  # as an engine that validates the code and keeps no count
    with pytest.raises(Rejected) as caught:
        provider.find_voucher(leo, FRIENDS)
    assert caught.value.reason is RejectReason.ALREADY_USED


def test_dashes_are_the_code_of_no_voucher(
    provider: WhiteLabelProvider, vendor: WhiteLabel, leo: str
) -> None:
    vendor.state.reveal(benefit(vendor, leo, "Free sticker"))  # which has no code
    with pytest.raises(Rejected) as caught:
        provider.find_voucher(leo, "--")
    assert caught.value.reason is RejectReason.REWARD_NOT_FOUND


def test_a_human_voucher_whose_use_was_not_finished_was_not_used(
    provider: WhiteLabelProvider, vendor: WhiteLabel, leo: str, later: None
) -> None:
    """The member redeemed it in the app, so the engine shows nothing new of our spend."""
    row = benefit(vendor, leo, "Free sticker")
    vendor.state.reveal(row)
    sent(WriteKind.SPEND, "key-1", leo, item_kind="voucher", item_id=row["id"],
         exclusive_key=row["id"], shown_before={"redeemed": True})  # fmt: skip
    assert provider.find_spend(voucher_intent(leo, row["id"])).finding is Finding.DID_NOT
    provider.spend(voucher_intent(leo, row["id"], "key-2", "2.00"))


def test_a_shared_code_that_was_bought_and_given_back_is_no_voucher(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    vendor.state.reward_named("$5 off").update(codeType="STATIC", code={"value": "FIVE"})
    vendor.commands.validates_static = False
    provider.release(provider.spend(reward_intent(mia)))
    assert vendor.state.points[mia] == 820
    assert provider.list_vouchers(mia) == ()


def test_a_gift_card_is_shown_with_what_it_holds_and_never_used(
    provider: WhiteLabelProvider, vendor: WhiteLabel, leo: str
) -> None:
    found = voucher(provider, leo, "Coffee gift card")
    assert found.discount == Discount(kind=DiscountKind.GIFT_CARD, amount=usd("25.00"))
    assert found.lock is not None
    assert found.lock.text == "It is a gift card of Bean & Leaf. The member has it by e-mail or in the app."
    assert refusal(provider, leo, found.voucher_id, "key-1", "25.00") is RejectReason.NOT_ALLOWED
    assert not benefit(vendor, leo, "Coffee gift card")["redeemedAt"]


def test_a_gift_card_that_points_buy_is_for_the_app(
    provider: WhiteLabelProvider, vendor: WhiteLabel, ana: str
) -> None:
    reward = next(each for each in provider.list_rewards(ana, CART) if each.title == "Coffee gift card")
    assert (reward.discount.kind, reward.points) == (DiscountKind.GIFT_CARD, 2500)
    assert reward.lock is not None
    assert reward.lock.reason is LockReason.OTHER
    with pytest.raises(Rejected) as caught:
        provider.spend(reward_intent(ana, item_id=reward.reward_id, points=2500))
    assert caught.value.reason is RejectReason.NOT_ALLOWED
    assert vendor.state.points[ana] == 3150


@pytest.mark.parametrize(
    ("row", "amount"),
    [({"balance": "7.50"}, "7.50"), ({"currency": "EUR"}, None), ({"denomination": None}, None)],
)
def test_a_gift_card_holds_its_balance_in_the_programs_currency(
    provider: WhiteLabelProvider, vendor: WhiteLabel, leo: str, row: Json, amount: str | None
) -> None:
    card = benefit(vendor, leo, "Coffee gift card")
    card["reward"].update(row) if "balance" not in row else card.update(row)
    assert voucher(provider, leo, "Coffee gift card").discount.amount == (usd(amount) if amount else None)


@pytest.mark.parametrize(
    ("categories", "skus", "category"),
    [
        ({}, ("SHOES",), ""),
        ({"SHOES": ["SHOE-01", "SHOE-02"]}, ("SHOE-01", "SHOE-02"), ""),
        ({"SHOES": []}, (), "SHOES"),
    ],
)
def test_a_category_code_stands_for_its_products_or_is_named(
    build: Build, leo: str, categories: dict[str, list[str]], skus: tuple[str, ...], category: str
) -> None:
    found = voucher(build(categories=categories), leo, "20% off shoes").discount
    assert found == Discount(kind=DiscountKind.PERCENT, percent=Decimal(20), skus=skus, category=category)


def test_a_category_code_with_a_blank_is_not_the_category_of_its_last_word(
    build: Build, vendor: WhiteLabel, leo: str
) -> None:
    benefit(vendor, leo, "20% off shoes")["reward"]["discounts"][0]["sku"] = "MEN SHOES, SOCKS-01"
    categories = {"SHOES": ["SHOE-01", "SHOE-02"], "MEN SHOES": ["SHOE-02"]}
    found = voucher(build(categories=categories), leo, "20% off shoes").discount
    assert found.skus == ("SHOE-02", "SOCKS-01")


@pytest.mark.parametrize(
    ("told", "skus"),
    [(["SHOE-01", "SHOE-02"], ("SHOE-01", "SHOE-02")), ({"id": 7}, None), ([{"id": 7}], None)],
)
def test_products_in_another_shape_still_limit_a_discount(
    provider: WhiteLabelProvider, vendor: WhiteLabel, leo: str, told: object, skus: tuple[str, ...] | None
) -> None:
    """Else 20% off shoes would be 20% off the whole cart."""
    benefit(vendor, leo, "20% off shoes")["reward"]["discounts"][0].update(sku=None, productSku=told)
    found = voucher(provider, leo, "20% off shoes").discount
    assert found.skus == skus if skus else found.kind is DiscountKind.UNKNOWN


@pytest.mark.parametrize(
    "venues", [["elsewhere"], [{"id": "elsewhere"}], [{"name": "Elsewhere"}], "elsewhere"]
)
def test_a_voucher_is_limited_to_the_venues_of_its_reward(
    provider: WhiteLabelProvider, vendor: WhiteLabel, leo: str, venues: object
) -> None:
    row = benefit(vendor, leo, "Friends of Acme: $6 off")
    row["reward"] = {**row["reward"], "venues": venues}
    found = voucher(provider, leo, "Friends of Acme: $6 off").discount
    assert found.stores
    assert CART.store not in found.stores


def test_a_reward_may_need_a_minimum_spend(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    vendor.state.reward_named("$5 off")["minTransactionAmount"] = 3000
    reward = next(each for each in provider.list_rewards(mia, CART) if each.title == "$5 off")
    assert reward.discount.minimum == usd("30.00")
