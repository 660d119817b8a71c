"""The customer card and the curtain in a real browser."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from .conftest import Browse

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]


def test_the_card_lies_over_the_page_and_the_curtain_over_both(open_in_browser: Browse) -> None:
    page = open_in_browser(lambda page: page.clock.install())
    page.locator("[data-reward='ten-off'] .card-face").click()
    page.locator("[data-card]").click()
    expect(page.locator("#card .customer-card")).to_contain_text("820")
    assert page.locator("#content").evaluate("part => part.inert")
    page.locator("[data-card-close]").click()
    expect(page.locator("#card .customer-card")).to_have_count(0)
    expect(page.locator("[data-reward='ten-off'] [name=chosen]")).to_be_checked()
    page.clock.fast_forward(59_000)
    expect(page.locator("#curtain")).to_be_hidden()
    page.clock.fast_forward(2_000)
    expect(page.locator("#curtain")).to_be_visible()
    expect(page.locator("#name")).to_be_hidden()
    assert "Mia" not in page.title()
    page.locator("#curtain button").click()
    expect(page.locator("#name")).to_be_visible()
    assert page.title() == "Mia S. · Acme Club"
    expect(page.locator("[data-reward='ten-off'] [name=chosen]")).to_be_checked()
    page.evaluate(
        """() => {
          let isHidden = true;
          Object.defineProperty(document, "hidden", { get: () => isHidden });
          window.turn = (hidden) => {
            isHidden = hidden;
            document.dispatchEvent(new Event("visibilitychange"));
          };
          turn(true);
        }"""
    )
    page.clock.set_system_time(timezone.now() + timedelta(hours=1))  # no timer runs in an app that is away
    page.evaluate("turn(false)")
    expect(page.locator("#curtain")).to_be_visible()
