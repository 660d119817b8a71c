"""The same story with each vendor that the sandbox plays: look, redeem, pay, earn; redeem, undo. On
PostgreSQL, where shops run it; the house program's stories run on both databases."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from loyaltyview.sandbox.vendors import VENDORS

from .stack import Stack, running_stack
from .till import open_loyalty, pay, points, start, total, wait_for_points

pytestmark = [pytest.mark.browser, pytest.mark.postgres]


def redeem_best(panel: Page) -> None:
    """Apply the best reward for points; the app has the code when this returns."""
    frame = open_loyalty(panel)
    frame.locator("[data-reward][data-state=available] label").first.click()
    frame.get_by_role("button", name="Apply").locator("visible=true").last.click()
    expect(panel.locator("[data-applied-code]").first).to_be_visible(timeout=20_000)


def wait_until(panel: Page, wanted: str, seen: int) -> int:
    """Look at the points until they are `more` or `less` than `seen`; returns them."""
    for _attempt in range(40):
        now = points(panel)
        if now > seen if wanted == "more" else now < seen:
            return now
        panel.wait_for_timeout(300)
    pytest.fail(f"the points did not become {wanted} than {seen}")


@pytest.mark.parametrize("provider", sorted(VENDORS))
def test_the_story_with_each_vendor(provider: str, browser: Browser, tmp_path: Path) -> None:
    with running_stack(tmp_path, provider) as stack:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(stack.app_url)
        play(page, stack)
        page.close()


def play(panel: Page, stack: Stack) -> None:
    start(panel, "mia", "jacket")
    before, price = points(panel), total(panel)
    assert before == 820
    redeem_best(panel)
    assert float(total(panel) or 0) < float(price or 0)
    spent = wait_until(panel, "less", before)
    pay(panel)
    start(panel, "mia", "jacket")
    earned = wait_until(panel, "more", spent)
    redeem_best(panel)
    wait_until(panel, "less", earned)
    frame = open_loyalty(panel)
    undo = frame.locator("form[data-undo] button")
    if undo.count():
        undo.first.click()
        expect(undo).to_have_count(0, timeout=20_000)
        panel.click("#close-webview")
        wait_for_points(panel, earned)
