"""The calls that a page and a tap cost at Yotpo."""

import pytest
from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.vendors.yotpo.server import Yotpo
from loyaltyview.sandbox.vendors.yotpo.state import Option
from providers.outbound import catalogues, sharing
from providers.yotpo.provider import YotpoProvider
from tests.providers.calls import open_page, tap
from tests.providers.yotpo.build import (
    CART,
    FIVE_OFF,
    GOLD_FORTY,
    LEO,
    MIA,
    TWENTY_FIVE_OFF,
    make_intent,
    make_order,
)
from tests.providers.yotpo.conftest import Build


@pytest.fixture
def asked(yotpo: Yotpo, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What Yotpo was asked, as "GET /customers"."""
    asked: list[str] = []
    respond = yotpo.respond

    def note(request: Request) -> Response:
        asked.append(f"{request.method} {request.path}")
        return respond(request)

    monkeypatch.setattr(yotpo, "respond", note)
    return asked


def test_the_first_page_of_a_member_costs_two_calls_and_its_tap_one(
    provider: YotpoProvider, asked: list[str]
) -> None:
    open_page(provider, LEO, CART)  # tiers and the options of everybody are known from here on
    asked.clear()
    ref, rewards = open_page(provider, MIA, CART)
    assert sorted(asked) == ["GET /customers", "GET /redemption_options"]
    asked.clear()
    reward = next(reward for reward in rewards if reward.reward_id == FIVE_OFF)
    tap(provider, make_intent(ref, FIVE_OFF, 100), reward)
    assert asked == ["POST /redemptions"]


def test_a_further_page_of_the_day_costs_one_call_and_its_tap_two(
    provider: YotpoProvider, asked: list[str]
) -> None:
    _ref, before = open_page(provider, MIA, CART)
    in_another_process()
    asked.clear()
    ref, rewards = open_page(provider, MIA, CART)
    assert asked == ["GET /customers"]
    assert rewards == before
    asked.clear()
    reward = next(reward for reward in rewards if reward.reward_id == FIVE_OFF)
    tap(provider, make_intent(ref, FIVE_OFF, 100), reward)
    assert asked == ["GET /redemption_options", "POST /redemptions"]


def test_where_points_go_at_once_a_tap_costs_one_call_more(build: Build, asked: list[str]) -> None:
    provider = build(delays_deduction=False)
    ref, rewards = open_page(provider, MIA, CART)
    in_another_process()
    asked.clear()
    reward = next(reward for reward in rewards if reward.reward_id == FIVE_OFF)
    tap(provider, make_intent(ref, FIVE_OFF, 100), reward)
    assert sorted(asked) == ["GET /customers", "GET /redemption_options", "POST /redemptions"]


def test_a_page_after_a_sale_costs_one_call(provider: YotpoProvider, asked: list[str]) -> None:
    ref, _rewards = open_page(provider, MIA, CART)
    provider.record_order(make_order(ref))
    provider.note_member(ref)
    asked.clear()
    open_page(provider, MIA, CART)
    assert asked == ["GET /customers"]


def test_a_page_asks_again_when_the_member_rose_to_another_tier(
    provider: YotpoProvider, yotpo: Yotpo, asked: list[str]
) -> None:
    yotpo.books.customers[0].points_balance = 1500
    open_page(provider, MIA, CART)
    yotpo.books.customers[0].points_earned = 2100
    assert GOLD_FORTY in open_later(provider)
    assert asked.count("GET /customers") == 2


def test_a_page_asks_again_when_yotpo_may_have_hidden_what_cost_too_much(
    provider: YotpoProvider, yotpo: Yotpo
) -> None:
    yotpo.redemptions.hides_unaffordable = True
    open_page(provider, MIA, CART)
    yotpo.books.customers[0].points_balance = 1000
    assert TWENTY_FIVE_OFF in open_later(provider)


def test_a_page_asks_again_when_there_is_a_new_option(provider: YotpoProvider, yotpo: Yotpo) -> None:
    open_page(provider, MIA, CART)
    yotpo.books.options[1] = Option(id=1, name="New", amount=10, discount_type="generic_fixed_amount")
    catalogues.drop("acme")
    assert "1" in open_later(provider)


def open_later(provider: YotpoProvider) -> set[str]:
    """Open Mia's page a while later; return what this member can have there."""
    in_another_process()
    _ref, rewards = open_page(provider, MIA, CART)
    return {reward.reward_id for reward in rewards if reward.lock is None}


def in_another_process() -> None:
    sharing.forget_all()
    catalogues.forget_all()
