"""The calls that a page and a tap cost at Antavo."""

from dataclasses import replace

from providers.antavo.provider import AntavoProvider
from tests.providers.antavo.build import cart, intent
from tests.providers.antavo.conftest import MIA, Served
from tests.providers.calls import open_page, tap


def test_a_page_costs_six_calls_and_its_tap_three(provider: AntavoProvider, vendor: Served) -> None:
    goods = cart("80.00", "TOTE-01")
    ref, rewards = open_page(provider, "mia@example.test", goods)
    assert [path for _method, path, _body in vendor.asked] == [
        "/customers",
        f"/customers/{MIA}",
        f"/customers/{MIA}/activities/rewards",
        "/offers/",
        f"/customers/{MIA}/coupons",
        "/extensions/automation/campaign-bonus",
    ]
    vendor.asked.clear()
    reward = next(reward for reward in rewards if reward.reward_id == "five-off")
    tap(provider, replace(intent(), member_ref=ref, cart=goods), reward)
    assert [path for _method, path, _body in vendor.asked] == [
        f"/customers/{MIA}/events",
        f"/customers/{MIA}/activities/rewards/five-off/claim",
        "/events",
    ]
