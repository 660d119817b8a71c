"""The calls that a page and a tap cost at Yotpo."""

import pytest
from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.vendors.yotpo.server import Yotpo
from providers.yotpo.provider import YotpoProvider
from tests.providers.calls import open_page, tap
from tests.providers.yotpo.build import CART, FIVE_OFF, LEO, MIA, make_intent


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


def test_a_page_costs_two_calls_and_its_tap_one(provider: YotpoProvider, asked: list[str]) -> None:
    open_page(provider, LEO, CART)  # tiers and the options of everybody are known from here on
    asked.clear()
    ref, rewards = open_page(provider, MIA, CART)
    assert sorted(asked) == ["GET /customers", "GET /redemption_options"]
    asked.clear()
    reward = next(reward for reward in rewards if reward.reward_id == FIVE_OFF)
    tap(provider, make_intent(ref, FIVE_OFF, 100), reward)
    assert asked == ["POST /redemptions"]
