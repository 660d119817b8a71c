"""The page opens in each of the host app's shapes, in a real browser and under our own strict CSP."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from .stack import Stack
from .till import open_loyalty, redeem, start, total

pytestmark = [pytest.mark.browser, pytest.mark.once]


@pytest.fixture(autouse=True)
def _query_string_afterwards(stack: Stack) -> Iterator[None]:
    yield
    stack.act("switch", name="launch_shape", value="query")


@pytest.mark.parametrize("shape", ["query", "injected", "fragment", "both"])
def test_a_reward_is_redeemed_whichever_way_the_app_opens_the_page(
    panel: Page, stack: Stack, shape: str
) -> None:
    stack.act("switch", name="launch_shape", value=shape)
    start(panel, "ana", "jacket")  # who has points to spare for all of these
    redeem(panel, "five-off")
    assert total(panel) == "148.00"


@pytest.mark.parametrize("shape", ["injected", "both"])
def test_colours_and_insets_of_the_app_are_used(panel: Page, stack: Stack, shape: str) -> None:
    stack.act("switch", name="launch_shape", value=shape)
    start(panel, "leo", "jacket")
    frame = open_loyalty(panel)
    expect(frame.locator("[data-points]").first).to_be_visible()
    expect(frame.locator(".top")).to_have_css("padding-top", re.compile(r"(4[89]|[5-9]\d)"))
    accent = frame.locator(":root").evaluate(
        "element => getComputedStyle(element).getPropertyValue('--accent')"
    )
    assert accent == "#2e5ad1"


def test_nothing_of_the_fragment_stays_in_the_address(panel: Page, stack: Stack) -> None:
    stack.act("switch", name="launch_shape", value="fragment")
    start(panel, "leo", "jacket")
    frame = open_loyalty(panel)
    expect(frame.locator("[data-points]").first).to_be_visible()
    address = panel.frames[-1].url
    assert "/l/" in address
    assert "#" not in address


def test_opened_from_a_profile_the_page_shows_the_customer_and_points_to_the_cart(panel: Page) -> None:
    start(panel, "mia", "jacket")
    panel.click("#open-profile")
    frame = panel.frame_locator("#webview")
    expect(frame.locator("[data-points]").first).to_be_visible()
    expect(frame.locator("#no-cart")).to_contain_text("Open it from a cart to redeem")
    expect(frame.locator("[data-state=available]")).to_have_count(0)


def test_a_free_product_and_the_carts_codes_come_from_the_app(panel: Page, stack: Stack) -> None:
    """The address says no more than NewStore documents: neither the cart's items nor its codes."""
    stack.act("switch", name="launch_shape", value="both")
    start(panel, "ana", "jacket")
    frame = open_loyalty(panel)
    expect(frame.locator("[data-reward='canvas-tote']")).to_have_attribute("data-state", "available")
    panel.click("#close-webview")
    redeem(panel, "five-off")
    expect(panel.locator("[data-applied-code]")).to_have_count(1)
    redeem(panel, "canvas-tote")
    expect(panel.locator("[data-applied-code]")).to_have_count(2)
