"""The calls that a page and a tap cost at White Label."""

import pytest
from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.answers import Json
from loyaltyview.sandbox.vendors.whitelabel.server import WhiteLabel
from providers.outbound import sharing
from providers.whitelabel.provider import WhiteLabelProvider
from tests.providers.calls import open_page, tap
from tests.providers.whitelabel.build import (
    CART,
    FIVE_OFF,
    order,
    points_intent,
    reward_intent,
    voucher_intent,
)


@pytest.fixture
def asked(provider: WhiteLabelProvider, vendor: WhiteLabel, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the engine was asked, as "GET users wallet", since what is the same for everybody is known."""
    asked: list[str] = []
    respond = vendor.respond

    def note(request: Request) -> Response:
        words = [word for word in request.path.split("/") if word and not any(map(str.isdigit, word))]
        asked.append(" ".join([request.method, *words]))
        return respond(request)

    open_page(provider, "leo@example.test", CART)
    monkeypatch.setattr(vendor, "respond", note)
    return asked


def show_balance(provider: WhiteLabelProvider, ref: str) -> None:
    """Read the member as the page of a known member does, when all reads before are too old for it."""
    with sharing.sharing(provider.config.program, ref, max_age_s=0):
        provider.get_member(ref)


def test_the_first_page_of_a_launch_costs_four_calls_and_the_tap_six(
    provider: WhiteLabelProvider, asked: list[str]
) -> None:
    ref, rewards = open_page(provider, "mia@example.test", CART)
    assert sorted(asked) == [
        "GET benefits",
        "GET users",
        "GET users wallet",
        "POST events test_reaction",
    ]
    asked.clear()
    reward = next(reward for reward in rewards if reward.reward_id == FIVE_OFF)
    tap(provider, reward_intent(ref), reward)
    assert sorted(asked[:3]) == ["GET events", "GET rewards", "GET users wallet"]
    assert asked[3:] == [
        "POST commands purchase_reward",
        "POST commands redeem_benefit",
        "POST commands validate_voucher",
    ]


def test_the_balance_of_a_member_who_was_just_here_costs_one_call(
    provider: WhiteLabelProvider, asked: list[str]
) -> None:
    ref, _rewards = open_page(provider, "mia@example.test", CART)
    asked.clear()
    show_balance(provider, ref)
    assert asked == ["GET users wallet"]


def test_a_member_whom_a_delivery_changed_is_read_anew(
    provider: WhiteLabelProvider, asked: list[str]
) -> None:
    ref, _rewards = open_page(provider, "mia@example.test", CART)
    provider.note_member(ref)
    asked.clear()
    show_balance(provider, ref)
    assert sorted(asked) == ["GET users", "GET users wallet"]


def test_paying_with_points_costs_four_calls(
    provider: WhiteLabelProvider, asked: list[str], mia: str
) -> None:
    provider.spend(points_intent(mia, 50))
    assert sorted(asked[:2]) == ["GET events", "GET users wallet"]
    assert asked[2:] == ["POST events", "GET users wallet"]


def test_a_voucher_that_is_whole_costs_four_calls(
    provider: WhiteLabelProvider, asked: list[str], mia: str, whole_voucher: Json
) -> None:
    open_page(provider, "mia@example.test", CART)
    asked.clear()
    provider.spend(voucher_intent(mia, whole_voucher["id"]))
    assert asked == [
        "GET benefits",
        "POST commands redeem_benefit",
        "POST commands validate_voucher",
        "POST commands validate_voucher",
    ]


def test_a_sale_costs_two_calls_where_the_engine_reacts_at_once(
    provider: WhiteLabelProvider, asked: list[str], mia: str
) -> None:
    assert provider.record_order(order(mia)).points == 80
    assert asked == ["POST events", "GET events reactions"]
    asked.clear()
    assert provider.record_order(order(mia)).points == 80
    assert asked == []
