"""The page with the PIN in a real browser: it comes by a script, and its own form needs none."""

import re

import pytest
from playwright.sync_api import expect

from .conftest import Browse
from .fakes import MIA, Vendor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_pins_page_has_the_programs_name_and_nothing_else_around_it(
    open_in_browser: Browse, vendor: Vendor
) -> None:
    """It comes as a whole page in place of the associate's, and its form is no request of a script."""
    vendor.pins[MIA.ref] = "4711"
    page = open_in_browser()
    card = page.locator("[data-reward=ten-off]")
    card.locator("label").first.click()
    card.get_by_role("button", name="Apply").click()
    expect(page.locator("main [data-page-name=pin]")).to_be_visible()
    expect(page.get_by_role("banner")).to_have_text("Acme Club")
    expect(page.locator("#pin-field")).to_be_focused()
    page.fill("#pin-field", "9999")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("2 attempts are left")
    page.fill("#pin-field", "4711")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/applied/"))
