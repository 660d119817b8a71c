"""The calls that a page and a tap cost at White Label."""

import pytest
from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.vendors.whitelabel.server import WhiteLabel
from providers.whitelabel.provider import WhiteLabelProvider
from tests.providers.calls import open_page, tap
from tests.providers.whitelabel.build import CART, FIVE_OFF, reward_intent


def test_a_page_costs_five_calls(
    provider: WhiteLabelProvider, vendor: WhiteLabel, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    respond = vendor.respond

    def note(request: Request) -> Response:
        asked.append(f"{request.method} {request.path.split('/')[1]}")
        return respond(request)

    open_page(provider, "leo@example.test", CART)  # what is the same for everybody is known from here on
    monkeypatch.setattr(vendor, "respond", note)
    ref, rewards = open_page(provider, "mia@example.test", CART)
    assert sorted(asked) == ["GET benefits", "GET consents", "GET users", "GET users", "POST events"]
    asked.clear()
    reward = next(reward for reward in rewards if reward.reward_id == FIVE_OFF)
    tap(provider, reward_intent(ref), reward)
    assert len(asked) <= 9
