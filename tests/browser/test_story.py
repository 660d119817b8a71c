"""The whole story in a real browser and over real HTTP: log in, redeem, pay, earn, return."""

import pytest
from playwright.sync_api import Page, expect

from .stack import Stack
from .till import open_loyalty, pay, points, redeem, start, total, wait_for_points

pytestmark = pytest.mark.browser


def test_redeem_pay_earn_and_return(panel: Page) -> None:
    start(panel, "mia", "shirts")
    before = points(panel)
    assert total(panel) == "172.30"
    redeem(panel, "ten-off")
    assert total(panel) == "162.30"
    pay(panel)
    start(panel, "mia", "shirts")
    # Silver earns 1.25 points per dollar, rounded down: 162.30 gives 202.
    wait_for_points(panel, before - 200 + 202)
    panel.click("#tab-orders")
    panel.locator("[data-order]").first.get_by_role("button").click()
    panel.click("#return-all")
    panel.click("#tab-events")
    expect(panel.locator("[data-event='return.processed'][data-status=delivered]").first).to_be_visible()
    start(panel, "mia", "shirts")
    # What the order earned is gone, and what the reward cost is back.
    wait_for_points(panel, before)


def test_undo_gives_the_points_back_and_the_code_leaves_with_the_cart(panel: Page, stack: Stack) -> None:
    start(panel, "ana", "jacket")
    before = points(panel)
    redeem(panel, "five-off")
    frame = open_loyalty(panel)
    frame.locator("form[data-undo] button").first.click()
    expect(frame.get_by_role("status").first).to_contain_text("back")
    expect(frame.locator(f"[data-points='{before}']")).to_be_visible()


def test_a_customer_who_is_no_member_is_enrolled_and_earns(panel: Page) -> None:
    start(panel, "noor", "small")
    frame = open_loyalty(panel)
    expect(frame.locator("body[data-page=enrol]")).to_be_visible()
    form = frame.locator("form#enrol")
    expect(form.get_by_placeholder("n•••@example.test")).to_be_visible()
    for consent in ("consent_email", "consent_sms"):
        expect(form.locator(f"[name={consent}]")).not_to_be_checked()
    form.locator("[name=first_name]").fill("Noor")
    form.locator("[name=consent_email]").check()
    form.get_by_role("button").last.click()
    expect(frame.locator("[data-points='0']")).to_be_visible()
    panel.click("#close-webview")
    pay(panel)
    start(panel, "noor", "small")
    wait_for_points(panel, 12)


def test_a_cart_without_customer_finds_the_member_by_phone(panel: Page) -> None:
    start(panel, "none", "scarf")
    frame = open_loyalty(panel)
    expect(frame.locator("body[data-page=find]")).to_be_visible()
    frame.locator("form#find [name=q]").fill("(617) 555-0101")
    frame.locator("form#find button").last.click()
    expect(frame.locator("[data-points='60']")).to_be_visible()
    expect(frame.locator("h1")).to_have_text("Leo P.")


def test_a_cancelled_order_gives_everything_back(panel: Page) -> None:
    start(panel, "ana", "shirts")
    before = points(panel)
    redeem(panel, "ten-off")
    pay(panel)
    panel.click("#cancel-order")
    expect(panel.locator("[data-event='order.cancelled'][data-status=delivered]").first).to_be_visible()
    start(panel, "ana", "shirts")
    wait_for_points(panel, before)
