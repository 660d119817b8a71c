"""What an associate does at the till, step by step, in the simulated Associate App."""

import re
from urllib.parse import urljoin

from playwright.sync_api import FrameLocator, Page, expect


def start(panel: Page, customer: str, cart: str) -> None:
    """Log in if need be, and take a new cart."""
    # Until the panel knows the state, there is nobody to log in.
    expect(panel.locator("#associate option").first).to_be_attached()
    if panel.locator("#device").get_attribute("data-app") == "login":
        panel.click("#log-in")
    if panel.locator("#device").get_attribute("data-app") == "receipt":
        panel.click("#new-cart")
    expect(panel.locator("[data-app=cart]")).to_be_visible()
    panel.select_option("#customer", customer)
    panel.select_option("#cart", cart)


def open_loyalty(panel: Page) -> FrameLocator:
    panel.click("#redeem")
    frame = panel.frame_locator("#webview")
    expect(frame.locator("body[data-page]")).to_be_visible()
    return frame


def points(panel: Page) -> int:
    """Open the loyalty page, read the spendable points, and go back to the cart."""
    frame = open_loyalty(panel)
    balance = frame.locator("[data-page-name=member] [data-points]").first
    again = frame.get_by_role("link", name="Try again")
    expect(balance.or_(again)).to_be_visible()
    if again.is_visible():
        # A busy machine was slower than the page's deadline: do what the page says.
        again.click()
    text = balance.get_attribute("data-points")
    panel.click("#close-webview")
    assert text is not None
    return int(text)


def wait_for_points(panel: Page, expected: int) -> None:
    for _attempt in range(30):
        if (seen := points(panel)) == expected:
            return
        panel.wait_for_timeout(300)
    assert seen == expected


def redeem(panel: Page, reward: str) -> None:
    """Tap the card and the button; the app has the code when this returns."""
    frame = open_loyalty(panel)
    card = frame.locator(f"[data-reward='{reward}']")
    expect(card).to_have_attribute("data-state", re.compile("available|owned"))
    card.locator("label").first.click()
    card.get_by_role("button", name="Apply").click()
    expect(panel.locator("[data-applied-code]").first).to_be_visible(timeout=15_000)


def go_back(page: Page) -> None:
    """From the applied page to the member page. The first calls the app, which this browser does not have:
    it asks, unseen, what to do, and as long as it asks, no click arrives. So the link's address is opened."""
    expect(page).not_to_have_url(re.compile("go=1"))  # until it has called
    address = page.get_by_role("link", name="Back to the customer").get_attribute("href")
    page.goto(urljoin(page.url, address))
    expect(page.locator("[data-page-name=member]")).to_be_visible()


def total(panel: Page) -> str | None:
    return panel.locator("[data-total]").first.get_attribute("data-total")


def pay(panel: Page) -> None:
    panel.click("#pay")
    expect(panel.locator("[data-app=receipt]")).to_be_visible()
    for name in ("order.created", "order.opened", "order.completed"):
        expect(panel.locator(f"[data-event='{name}'][data-status=delivered]").first).to_be_visible()
