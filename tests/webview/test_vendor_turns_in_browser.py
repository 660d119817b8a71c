"""The waiting page in a real browser: it goes on by itself."""

import re

import pytest
from playwright.sync_api import expect

from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.webview import vendor_turns
from providers.outbound.budget import Budget
from providers.outbound.budget_state import Limit
from providers.outbound.budget_store import ProcessStore

from .conftest import Browse
from .fakes import FakeProvider
from .test_in_browser import apply

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def budget(monkeypatch: pytest.MonkeyPatch) -> Budget:
    """Five calls a second: another till has taken those of this one."""
    budget = Budget(name="fake:acme", limit=Limit(calls=5, window_s=1.0), kept_in=ProcessStore())
    monkeypatch.setattr(FakeProvider, "budget", budget)
    monkeypatch.setattr(vendor_turns, "SOON_S", 0.0)
    return budget


def test_a_tap_that_waits_goes_on_by_itself(open_in_browser: Browse, budget: Budget) -> None:
    page = open_in_browser()
    for number in range(2):
        budget.book(f"another-{number}", 5)
    apply(page, "ten-off")
    expect(page.get_by_text(re.compile(r"Your turn is in about [23] seconds\."))).to_be_visible()
    assert not Redemption.objects.exists()
    expect(page.locator("#handoff")).to_be_visible()
    assert Redemption.objects.get().state == State.REVEALED
