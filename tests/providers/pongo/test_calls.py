"""The calls that a sale costs at Pongo: of the 60 a minute, ten sales can be made."""

from dataclasses import replace

from providers.outbound import sharing
from providers.pongo.provider import PongoProvider
from tests.providers.calls import open_page, tap
from tests.providers.pongo.conftest import FIVE_OFF, MIA, Served
from tests.providers.pongo.intents import a_cart, an_intent, an_order


def test_a_sale_costs_six_calls(provider: PongoProvider, vendor: Served) -> None:
    open_page(provider, "leo@example.test", a_cart())  # all rewards are known from here on
    vendor.asked.clear()
    ref, rewards = open_page(provider, "mia@example.test", a_cart())
    assert [asked[:2] for asked in vendor.asked] == [
        ("GET", "/v1/customers"),
        ("GET", "/v1/rewards"),
        ("GET", f"/v1/customers/{MIA}/rewards"),
    ]
    vendor.asked.clear()
    reward = next(reward for reward in rewards if reward.reward_id == FIVE_OFF)
    spend = tap(provider, replace(an_intent(), member_ref=ref), reward)
    assert [asked[:2] for asked in vendor.asked] == [
        ("POST", f"/v1/rewards/{FIVE_OFF}"),
        ("POST", f"/v1/customers/{MIA}/rewards/lock"),
    ]
    vendor.asked.clear()
    order = an_order(spend)
    provider.confirm(spend, order)
    provider.record_order(order)
    assert [asked[:2] for asked in vendor.asked] == [("POST", "/v1/orders")]
    (won,) = vendor.book.customers[MIA].won
    assert won.used_at


def test_a_further_page_of_the_day_costs_two_calls_and_its_tap_three(
    provider: PongoProvider, vendor: Served
) -> None:
    _ref, before = open_page(provider, "mia@example.test", a_cart())
    sharing.forget_all()
    vendor.asked.clear()
    ref, rewards = open_page(provider, "mia@example.test", a_cart())
    assert rewards == before
    assert [asked[:2] for asked in vendor.asked] == [
        ("GET", "/v1/customers"),
        ("GET", f"/v1/customers/{MIA}/rewards"),
    ]
    vendor.asked.clear()
    reward = next(reward for reward in rewards if reward.reward_id == FIVE_OFF)
    tap(provider, replace(an_intent(), member_ref=ref), reward)
    assert [asked[:2] for asked in vendor.asked] == [
        ("GET", "/v1/rewards"),
        ("POST", f"/v1/rewards/{FIVE_OFF}"),
        ("POST", f"/v1/customers/{MIA}/rewards/lock"),
    ]
