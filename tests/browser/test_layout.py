"""The cards in hard cases: long words, large text, codes that have run out, no cart, no script."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from .stack import Stack
from .test_pages import (  # noqa: F401
    OVERFLOW,
    Visit,
    choose_two,
    open_page,
    see_history,
    see_in_cart,
    see_member,
    see_shift,
    see_together,
    undo_all,
)

# ruff: noqa: F811
pytestmark = [pytest.mark.browser, pytest.mark.once]

LONG = "Treuepunktesonderaktionsrabatt"
RENAME = "(title) => document.querySelectorAll('.card-title').forEach((each) => { each.textContent = title })"
# The text itself, which may be wider than its element.
OVERLAPS = """() => [...document.querySelectorAll('.card')].filter(card => {
  const beside = card.querySelector('.saving') || card.querySelector('.card-text > .quiet')
  const range = document.createRange(); range.selectNodeContents(card.querySelector('.card-title'))
  const [a, b] = [range.getBoundingClientRect(), beside.getBoundingClientRect()]
  return b.width && a.right > b.left + 1 && a.left < b.right && a.bottom > b.top && a.top < b.bottom
}).map(card => card.innerText)"""
WORDS = ".card-title, .saving, .huge, #history li"
# Those that do not stand in one line.
TORN = """words => [...document.querySelectorAll(words)].flatMap(element => {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT)
  const [torn, range] = [[], document.createRange()]
  while (walker.nextNode()) for (const word of walker.currentNode.data.matchAll(/\\S+/g)) {
    range.setStart(walker.currentNode, word.index)
    range.setEnd(walker.currentNode, word.index + word[0].length)
    if (new Set([...range.getClientRects()].map(rect => rect.top)).size > 1) torn.push(word[0])
  }
  return torn
})"""


def top(element: Locator) -> float:
    box = element.bounding_box()
    assert box is not None
    return box["y"]


def enlarge(page: Page) -> None:
    """Text at 200 %."""
    client = page.context.new_cdp_session(page)
    client.send("Page.setFontSizes", {"fontSizes": {"standard": 32, "fixed": 26}})
    page.wait_for_function("parseFloat(getComputedStyle(document.documentElement).fontSize) >= 32")


@pytest.mark.parametrize("size", ["phone", "small"])
def test_a_long_word_in_a_rewards_name_stays_in_its_card(open_page: Callable[..., Page], size: str) -> None:
    page = open_page("mia", size, color_scheme="light")
    see_member(page)
    page.evaluate(RENAME, LONG)
    assert page.evaluate(OVERLAPS) == []
    assert page.evaluate(OVERFLOW) <= 0


def test_names_and_savings_do_not_overlap_with_text_at_200_percent(open_page: Callable[..., Page]) -> None:
    page = open_page("ana", "phone", color_scheme="light")
    see_member(page)
    enlarge(page)
    assert page.evaluate(OVERLAPS) == []


def test_the_balance_stays_on_one_line_on_a_small_phone_with_text_at_200_percent(
    open_page: Callable[..., Page],
) -> None:
    page = open_page("ana", "small", color_scheme="light")
    see_member(page)
    enlarge(page)
    assert page.locator(".balance strong").evaluate("e => e.getClientRects().length") == 1


@pytest.mark.parametrize("size", ["phone", "small"])
@pytest.mark.parametrize("visit", [see_member, see_in_cart, see_together, see_shift, see_history])
def test_names_and_amounts_stay_on_one_line_with_text_at_200_percent(
    open_page: Callable[..., Page], visit: Visit, size: str
) -> None:
    page = open_page("ana", size, color_scheme="light")
    visit(page)
    enlarge(page)
    try:
        assert page.evaluate(TORN, WORDS) == []
        assert page.evaluate(OVERFLOW) <= 0
    finally:
        undo_all(page)


def test_a_long_name_of_what_was_applied_stays_on_the_page_with_text_at_200_percent(
    open_page: Callable[..., Page],
) -> None:
    page = open_page("ana", "phone", color_scheme="light")
    see_together(page)
    page.evaluate(RENAME, "Embroidered collar")
    enlarge(page)
    try:
        assert page.evaluate(OVERFLOW) <= 0
    finally:
        undo_all(page)


@pytest.mark.parametrize("size", ["phone", "small"])
def test_a_code_of_wide_letters_stays_in_its_card_with_text_at_200_percent(
    open_page: Callable[..., Page], size: str
) -> None:
    page = open_page("ana", size, color_scheme="light")
    see_together(page)
    page.evaluate("() => document.querySelectorAll('code').forEach(e => { e.textContent = 'WMWMWMWMWM' })")
    enlarge(page)
    try:
        assert page.evaluate(OVERFLOW) <= 0
    finally:
        undo_all(page)


def test_the_steppers_three_parts_stand_in_one_line_on_a_small_phone(open_page: Callable[..., Page]) -> None:
    page = open_page("mia", "small", color_scheme="light")
    see_member(page)
    page.locator("[data-reward='points-as-money'] label").first.click()
    assert top(page.get_by_label("More points")) == top(page.get_by_label("Fewer points"))


def test_the_card_says_the_points_that_are_chosen(open_page: Callable[..., Page]) -> None:
    page = open_page("mia", "phone", color_scheme="light")
    see_member(page)
    card = page.locator("[data-reward='points-as-money']")
    card.locator("label").first.click()
    expect(card.locator(".saving")).to_have_text("\N{MINUS SIGN}$3.00")
    page.get_by_label("More points").click()
    expect(card.locator(".saving")).to_have_text("\N{MINUS SIGN}$4.50")
    expect(card.locator("[data-points-used]")).to_have_text("150 points")


def test_points_between_two_steps_show_no_figure_of_an_earlier_number(
    open_page: Callable[..., Page],
) -> None:
    page = open_page("mia", "phone", color_scheme="light")
    see_member(page)
    card = page.locator("[data-reward='points-as-money']")
    card.locator("label").first.click()
    card.get_by_role("button", name="All that fits").click()
    expect(card.locator("[aria-pressed=true]")).to_have_count(1)
    card.locator("input[type=number]").fill("333")
    expect(card.locator(".saving")).to_have_text("")
    expect(card.locator("[data-points-used]")).to_have_text("")
    expect(card.locator("[aria-pressed=true]")).to_have_count(0)
    card.locator("input[type=number]").fill("150")
    expect(card.locator(".saving")).to_have_text("\N{MINUS SIGN}$4.50")


def test_points_between_two_steps_are_not_sent_with_another_reward(open_page: Callable[..., Page]) -> None:
    page = open_page("mia", "phone", color_scheme="light")
    see_member(page)
    page.locator("[data-reward='points-as-money'] label").first.click()
    page.locator("[data-reward='five-off'] label").first.click()
    page.locator("[data-reward='points-as-money'] input[type=number]").fill("120")
    page.locator("#several button").click()
    expect(page.locator("[data-reward='points-as-money'] input[type=number]")).to_be_focused()
    expect(page.locator("body[data-page=member]")).to_be_visible()


def test_without_a_cart_the_customers_panel_keeps_its_edge(
    open_page: Callable[..., Page], stack: Stack
) -> None:
    page = open_page("leo", "phone", color_scheme="light")
    address = stack.act("profile")["webview"]["src"]
    page.goto(address.replace(stack.proxy_url, stack.web_url))
    see_member(page)
    room = "e => e.getBoundingClientRect().bottom - e.lastElementChild.getBoundingClientRect().bottom"
    assert page.locator(".panel").evaluate(room) >= 12


def test_without_script_there_are_no_dead_buttons(open_page: Callable[..., Page]) -> None:
    page = open_page("mia", "phone", color_scheme="light", java_script_enabled=False)
    see_member(page)
    expect(page.locator(".stepper input").first).to_be_visible()
    assert [each.is_visible() for each in page.locator(".step").all()] == [False, False]


def test_a_row_with_an_expired_code_keeps_room_for_its_name(open_page: Callable[..., Page]) -> None:
    page = open_page("mia", "phone", color_scheme="light")
    see_in_cart(page)
    row = page.locator("[data-redemption]").first
    # As the page draws it once the code has run out: one more button.
    row.evaluate(
        "row => { const form = row.querySelector('form').cloneNode(true); form.dataset.renew = '';"
        " form.firstElementChild.nextElementSibling.textContent = 'New code +icon';"
        " row.querySelector('.quiet').textContent = 'Code expired';"
        " row.insertBefore(form, row.querySelector('form')) }"
    )
    try:
        assert row.locator(".card-text").evaluate("e => e.getBoundingClientRect().width") >= 120
    finally:
        undo_all(page)
