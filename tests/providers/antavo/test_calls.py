"""The calls that a page and a tap cost at Antavo."""

from dataclasses import replace

import pytest

from providers.antavo.provider import AntavoProvider
from providers.outbound import sharing
from tests.providers.antavo.build import cart, intent, voucher_intent
from tests.providers.antavo.conftest import MIA, Served
from tests.providers.calls import open_page, tap

GOODS = cart("80.00", "TOTE-01")


@pytest.fixture
def paths(vendor: Served) -> "Paths":
    return Paths(vendor)


class Paths:
    """What Antavo was asked since this was last called."""

    def __init__(self, vendor: Served) -> None:
        self._vendor = vendor

    def __call__(self) -> list[str]:
        asked = [path for _method, path, _body in self._vendor.asked]
        self._vendor.asked.clear()
        return asked


def test_a_page_costs_six_calls_and_its_tap_three(provider: AntavoProvider, paths: Paths) -> None:
    ref, rewards = open_page(provider, "mia@example.test", GOODS)
    first, member, *others = paths()
    assert [first, member] == ["/customers", f"/customers/{MIA}"]
    assert sorted(others) == [
        f"/customers/{MIA}/activities/rewards",
        f"/customers/{MIA}/coupons",
        "/extensions/automation/campaign-bonus",
        "/offers/",
    ]
    reward = next(reward for reward in rewards if reward.reward_id == "five-off")
    tap(provider, replace(intent(), member_ref=ref, cart=GOODS), reward)
    assert paths() == [
        f"/customers/{MIA}/events",
        f"/customers/{MIA}/activities/rewards/five-off/claim",
        "/events",
    ]


def test_the_balance_of_a_known_member_costs_one_call_and_a_tap_after_it_five(
    provider: AntavoProvider, paths: Paths
) -> None:
    _ref, rewards = open_page(provider, "mia@example.test", GOODS)
    reward = next(reward for reward in rewards if reward.reward_id == "five-off")
    sharing.forget_all()
    paths()
    with sharing.sharing(provider.config.program, MIA, max_age_s=sharing.PAGE_S):
        provider.get_member(MIA)
    assert paths() == [f"/customers/{MIA}"]
    tap(provider, replace(intent(), cart=GOODS), reward)
    assert len(paths()) == 5


def test_a_coupon_is_judged_and_used_by_three_calls(
    provider: AntavoProvider, vendor: Served, paths: Paths
) -> None:
    vendor.give(MIA, "TEN-OFF")
    provider.spend(voucher_intent("TEN-OFF"))
    *before, use = paths()
    assert sorted(before) == ["/coupons", f"/customers/{MIA}/events"]
    assert use == "/events"
