"""Choosing on the member page in a real browser: several cards, a voucher's code, the camera, my shift."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from .stack import Stack, running_stack
from .till import go_back

pytestmark = [pytest.mark.browser, pytest.mark.once]

# A camera that sees nothing, and a detector that reads the birthday voucher in it.
CAMERA = """
  const canvas = document.createElement("canvas")
  canvas.getContext("2d")
  window.stream = canvas.captureStream(10)
  navigator.mediaDevices.getUserMedia = async () => window.stream
  setInterval(() => canvas.getContext("2d").fillRect(0, 0, 9, 9), 50)
  window.BarcodeDetector = class {
    static async getSupportedFormats() { return ["qr_code"] }
    async detect() { return [{rawValue: "ANA-BIRTHDAY"}] }
  }
"""
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A demo of its own: what can be chosen hangs on the points that other stories spend."""
    with running_stack(tmp_path_factory.mktemp("choosing")) as stack:
        yield stack


@pytest.fixture
def open_page(browser: Browser, stack: Stack) -> Iterator[Open]:
    """Open the loyalty page of a customer's new cart; what was applied in it is given back afterwards."""
    contexts: list[BrowserContext] = []

    def opened(customer: str, cart: str = "shirts", init: str = "", **options: Any) -> Page:
        context = browser.new_context(viewport={"width": 390, "height": 844}, **options)
        contexts.append(context)
        page = context.new_page()
        if init:
            page.add_init_script(init)
        page.goto(stack.launch_url(customer, cart))
        expect(page.locator("[data-points]")).to_be_visible()
        return page

    yield opened
    for context in contexts:
        # A page of its own: the first one may be on its way to the cart.
        page = context.new_page()
        page.goto(re.sub(r"(/l/[^/]+/).*", r"\1", context.pages[0].url))
        while (forms := page.locator("form[data-undo]")).count():
            with page.expect_navigation():
                forms.first.evaluate("form => form.submit()")
        context.close()


def tap(page: Page, reward: str) -> None:
    page.locator(f"[data-reward='{reward}'] label").first.click()


def chosen(page: Page) -> list[str]:
    boxes = page.locator("[data-reward]:has([name=chosen]:checked)")
    return [box.get_attribute("data-reward") or "" for box in boxes.all()]


def test_nothing_is_chosen_at_the_start_and_each_tap_adds_or_removes(open_page: Open) -> None:
    page = open_page("mia")
    assert chosen(page) == []
    tap(page, "five-off")
    assert chosen(page) == ["five-off"]
    tap(page, "fifteen-percent")
    assert sorted(chosen(page)) == ["fifteen-percent", "five-off"]
    tap(page, "five-off")
    assert chosen(page) == ["fifteen-percent"]
    tap(page, "fifteen-percent")
    assert chosen(page) == []


def test_without_a_choice_the_main_button_leads_to_the_cards(open_page: Open) -> None:
    page = open_page("mia")
    page.get_by_role("button", name="Choose what to apply").click()
    expect(page.locator("[name=chosen]:enabled").first).to_be_focused()
    expect(page.locator("#several .fine")).to_have_text("Tap a card first")
    expect(page.locator("body[data-page=member]")).to_be_visible()


def expect_main_button(page: Page, name: str) -> None:
    """The one button, or link, that stands at the bottom has this name."""
    shown = page.locator(".bar .primary").locator("visible=true")
    expect(shown).to_have_count(1)
    expect(shown).to_contain_text(name)


@pytest.mark.parametrize("has_script", [True, False])
def test_a_typed_voucher_has_the_main_button_until_it_is_cleared(open_page: Open, has_script: bool) -> None:
    page = open_page("mia", java_script_enabled=has_script)
    tap(page, "five-off")
    before = "Apply $5 off, 100 points" if has_script else "Apply all that is chosen"
    expect_main_button(page, before)
    page.locator("#voucher-code").fill("SPRING-99")
    expect_main_button(page, "Look up the voucher")
    page.locator("#voucher-code").fill("")
    expect_main_button(page, before)
    page.locator("#voucher-code").fill("SPRING-99")
    page.locator(".bar .primary").locator("visible=true").click()
    error = page.locator("#voucher-problem")
    expect(error).to_have_attribute("data-error", "REWARD_NOT_FOUND")
    bar = page.locator("#voucher-bar").bounding_box()
    said = error.bounding_box()
    assert bar
    assert said
    assert 0 <= said["y"] <= bar["y"] - said["height"], "the error is not behind the bar"
    expect_main_button(page, "Look up the voucher")


def test_the_enter_key_in_another_field_looks_a_typed_voucher_up_first(open_page: Open) -> None:
    page = open_page("ana")
    page.locator("#voucher-code").fill("ana-birthday")
    page.evaluate("document.querySelector('#several').requestSubmit()")
    expect(page.locator("#voucher-code")).to_have_value("")
    assert chosen(page) == ["ana-birthday"]


def test_with_a_code_in_the_cart_the_main_action_is_the_way_back(open_page: Open) -> None:
    page = open_page("ana")
    tap(page, "five-off")
    page.locator("[data-reward='five-off']").get_by_role("button", name="Apply").click()
    expect(page.locator("h1")).to_contain_text("$5.00")
    # A page of its own: the first one is leaving for the app.
    address = page.url.partition("applied/")[0]
    page = page.context.new_page()
    page.goto(address)
    assert chosen(page) == []
    expect_main_button(page, "Return to cart")
    card = page.locator("[data-reward='five-off']")
    expect(card).to_have_attribute("data-reason", "IN_CART")
    expect(card).to_contain_text("Already in this cart")
    tap(page, "ten-off")
    expect_main_button(page, "Apply $10 off, 200 points")
    tap(page, "ten-off")
    expect_main_button(page, "Return to cart")


def test_one_button_says_what_will_happen_and_does_it(open_page: Open) -> None:
    page = open_page("ana")
    before = int(page.locator("[data-points]").get_attribute("data-points") or "")
    tap(page, "fifteen-percent")
    tap(page, "ten-off")
    # 15 % of 172.30, then $10 off the rest.
    button = page.get_by_role("button", name="Apply 2 rewards, save $35.85")
    expect(button).to_be_in_viewport()
    assert page.get_by_role("button", name="Apply").locator("visible=true").count() == 1
    button.click()
    expect(page.locator("h1")).to_contain_text("$35.85")
    handoff = page.locator("#handoff").get_attribute("href") or ""
    assert handoff.count("coupons[]=") == 2
    go_back(page)
    expect(page.locator(f"[data-points='{before - 600}']")).to_be_visible()
    expect(page.get_by_text("Cart $136.45")).to_be_visible()


def test_what_the_cart_cannot_take_any_more_says_so(open_page: Open) -> None:
    page = open_page("ana", "small")
    tap(page, "five-off")
    card = page.locator("[data-reward='twenty-five-off']")
    expect(card.locator("[name=chosen]")).to_be_disabled()
    expect(card).to_contain_text("The cart takes only $7.50 more with this choice")


def test_points_are_stepped_and_applied_with_another_reward(open_page: Open) -> None:
    page = open_page("ana")
    tap(page, "points-as-money")
    for _tap in range(5):
        page.get_by_role("button", name="More points").click()
    expect(page.get_by_role("button", name="Apply $10.50 off, 350 points")).to_be_visible()
    tap(page, "five-off")
    page.get_by_role("button", name="Apply 2 rewards, save $15.50").click()
    expect(page.locator("h1")).to_contain_text("$15.50")


def test_several_are_chosen_without_javascript(open_page: Open) -> None:
    page = open_page("ana", java_script_enabled=False)
    for reward in ("ten-off", "five-off"):
        tap(page, reward)
    page.get_by_role("button", name="Apply all that is chosen").click()
    expect(page.locator("h1")).to_contain_text("$15.00")
    assert page.locator("[data-copy]").first.is_hidden()


def test_points_are_used_among_several_without_javascript(open_page: Open) -> None:
    page = open_page("ana", java_script_enabled=False)
    for reward in ("ten-off", "points-as-money"):
        tap(page, reward)
    page.get_by_label("Points to use").locator("visible=true").fill("200")
    page.get_by_role("button", name="Apply all that is chosen").click()
    expect(page.locator("h1")).to_contain_text("$16.00")


def test_a_voucher_is_found_by_its_code_and_waits_to_be_applied(open_page: Open) -> None:
    page = open_page("ana")
    # A keyboard scanner types the code and presses Enter.
    page.locator("#voucher-code").type("ana-birthday")
    page.keyboard.press("Enter")
    card = page.locator("[data-reward]").first
    expect(card).to_have_attribute("data-reward", "ana-birthday")
    expect(card.locator("[name=chosen]")).to_be_focused()
    expect(card).to_be_in_viewport()
    card.get_by_role("button", name="Apply $10 off").click()
    expect(page.locator("#handoff")).to_be_visible()


def test_the_camera_reads_a_code_where_the_browser_can(open_page: Open) -> None:
    page = open_page("ana", init=CAMERA)
    page.get_by_role("button", name="Scan the code").click()
    card = page.locator("[data-reward]").first
    expect(card).to_have_attribute("data-reward", "ana-birthday")
    # The voucher is the first card before the scan as well: only the focus says that it was found.
    expect(card.locator("[name=chosen]")).to_be_focused()
    assert page.evaluate("window.stream.getTracks().every(track => track.readyState === 'ended')")


def test_without_a_camera_the_code_is_typed(open_page: Open) -> None:
    page = open_page(
        "ana", init=CAMERA + "navigator.mediaDevices.getUserMedia = async () => { throw new Error('no') }"
    )
    page.get_by_role("button", name="Scan the code").click()
    expect(page.get_by_text("The camera cannot be used here.")).to_be_visible()
    page.get_by_role("button", name="Type it instead").click()
    expect(page.locator("#voucher-code")).to_be_focused()


def test_my_shift_undoes_what_an_earlier_cart_holds(open_page: Open) -> None:
    first = open_page("ana")
    tap(first, "five-off")
    first.locator("[data-reward='five-off']").get_by_role("button", name="Apply").click()
    expect(first.locator("#handoff")).to_be_visible()
    redemption = first.url.partition("?")[0].rstrip("/").rpartition("/")[2]
    second = open_page("mia")
    second.get_by_role("link", name="My shift").click()
    assert "zone=" in second.url
    line = second.locator(f"[data-redemption='{redemption}']")
    expect(line).to_contain_text("Applied")
    line.get_by_role("button", name="Undo").click()
    expect(second.get_by_role("status")).to_contain_text("100 points are back.")
    expect(second.locator(f"[data-redemption='{redemption}']")).to_contain_text("Given back")


def test_two_minutes_before_its_end_a_code_is_announced(open_page: Open) -> None:
    page = open_page("ana")
    tap(page, "five-off")
    page.locator("[data-reward='five-off']").get_by_role("button", name="Apply").click()
    expect(page.locator("#handoff")).to_be_visible()
    # A page of its own: the first one is leaving for the app.
    later = page.context.new_page()
    later.clock.install()
    later.goto(page.url.partition("?")[0])
    expect(later.locator("[data-announce]")).to_be_empty()
    later.clock.fast_forward("13:10")
    expect(later.locator("[data-announce]")).to_have_text("Two minutes left for this code")
