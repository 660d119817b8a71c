"""Every page at every size and theme: accessible, no sideways scrolling, nothing jumps, works unscripted."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from .stack import Stack
from .till import go_back

pytestmark = [pytest.mark.browser, pytest.mark.once]

SIZES = {"phone": (390, 844), "small": (320, 568), "tablet": (1024, 768)}
AA = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SMALL_TARGETS = """() => [...document.querySelectorAll('a, button, input:not([type=hidden])')]
  .filter(e => e.checkVisibility({opacityProperty: true, visibilityProperty: true}))
  .map(e => [e.closest('label') || e, e])
  .map(([e, of]) => [of.outerHTML.slice(0, 90), e.getBoundingClientRect()])
  .filter(([_, box]) => box.width > 1 && box.height < 44)
  .map(([html, box]) => `${Math.round(box.height)}px ${html}`)"""
SHIFT = """() => new Promise(done => {
  let sum = 0
  new PerformanceObserver(list => list.getEntries().forEach(e => { if (!e.hadRecentInput) sum += e.value }))
    .observe({type: 'layout-shift', buffered: true})
  setTimeout(() => done(sum), 400)
})"""

Visit = Callable[[Page], None]


END_TRANSITIONS = """() => document.getAnimations()
  .filter(each => Number.isFinite(each.effect.getComputedTiming().endTime))
  .forEach(each => each.finish())"""


def in_both_themes(page: Page) -> Iterator[str]:
    """Show the page in each theme, with all transitions of colours at their end."""
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        page.evaluate(END_TRANSITIONS)
        yield theme


def see_member(page: Page) -> None:
    expect(page.locator("body[data-page=member]")).to_be_visible()


def see_applied(page: Page) -> None:
    see_member(page)
    page.locator("[data-reward='five-off'] label").click()
    page.locator("[data-reward='five-off']").get_by_role("button", name="Apply").click()
    expect(page.locator("#handoff")).to_be_visible()


def see_find(page: Page) -> None:
    see_member(page)
    page.get_by_role("link", name="Change").click()
    expect(page.locator("form#find")).to_be_visible()


def see_nobody_found(page: Page) -> None:
    see_find(page)
    page.locator("[name=q]").fill("nobody@example.test")
    page.locator("form#find button[type=submit], form#find button").last.click()
    expect(page.get_by_text("nobody@example.test")).to_be_visible()


def see_enrol(page: Page) -> None:
    """By way of a search: a story may have enrolled the carts' own customer before."""
    see_nobody_found(page)
    page.get_by_role("button", name="Enrol this customer").click()
    expect(page.locator("form#enrol")).to_be_visible()


def see_history(page: Page) -> None:
    see_member(page)
    page.get_by_role("link", name="Points history").click()
    expect(page.locator("#history li").first).to_be_visible()


def choose_two(page: Page) -> None:
    see_member(page)
    for reward in ("five-off", "ten-off"):
        page.locator(f"[data-reward='{reward}'] label").first.click()
    expect(page.locator("#several button")).to_have_text(re.compile(r"Apply 2 rewards, save \$15\.00"))


def see_together(page: Page) -> None:
    choose_two(page)
    page.locator("#several button").click()
    expect(page.locator("#handoff")).to_be_visible()


def see_in_cart(page: Page) -> None:
    see_applied(page)
    go_back(page)
    expect(page.get_by_role("heading", name="In this cart")).to_be_visible()


def see_voucher_refused(page: Page) -> None:
    see_member(page)
    page.locator("#voucher-code").fill("NO-SUCH-CODE")
    page.locator("#voucher-code").press("Enter")
    expect(page.locator("#voucher-problem")).to_be_visible()


def see_shift(page: Page) -> None:
    see_member(page)
    page.get_by_role("link", name="My shift").click()
    expect(page.locator("[data-saved]")).to_be_visible()


def undo_all(page: Page) -> None:
    """Give back what the page's cart holds: the members are shared. On a page of its own: this one may be on
    its way to the cart."""
    address = page.url.partition("applied/")[0]
    page = page.context.new_page()
    page.goto(address)
    while (forms := page.locator("form[data-undo]")).count():
        with page.expect_navigation():
            forms.first.evaluate("form => form.submit()")


def see_consents(page: Page) -> None:
    see_member(page)
    page.get_by_role("link", name="Marketing consent").click()
    expect(page.locator("form#consents")).to_be_visible()


PAGES: dict[str, tuple[str, Visit]] = {
    "member": ("mia", see_member),
    "applied": ("ana", see_applied),
    "chosen": ("ana", choose_two),
    "together": ("ana", see_together),
    "in-cart": ("ana", see_in_cart),
    "voucher": ("mia", see_voucher_refused),
    "shift": ("mia", see_shift),
    "find": ("mia", see_find),
    "nobody": ("mia", see_nobody_found),
    "enrol": ("mia", see_enrol),
    "history": ("mia", see_history),
    "consents": ("mia", see_consents),
}


@pytest.fixture
def open_page(browser: Browser, stack: Stack) -> Iterator[Callable[..., Page]]:
    contexts: list[BrowserContext] = []

    def opened(customer: str, size: str, **options: Any) -> Page:
        width, height = SIZES[size]
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.goto(stack.launch_url(customer))
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PAGES)
def test_page_is_accessible_and_fits(open_page: Callable[..., Page], name: str, size: str) -> None:
    customer, visit = PAGES[name]
    page = open_page(customer, size)
    visit(page)
    assert page.evaluate(SHIFT) <= 0.02
    for _theme in in_both_themes(page):
        found = Axe().run(page, options=AA)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate(OVERFLOW) <= 0
        assert page.evaluate(SMALL_TARGETS) == []
    undo_all(page)


@pytest.mark.parametrize("name", PAGES)
def test_page_is_usable_with_text_at_200_percent(open_page: Callable[..., Page], name: str) -> None:
    customer, visit = PAGES[name]
    page = open_page(customer, "phone")
    visit(page)
    client = page.context.new_cdp_session(page)
    client.send("Page.setFontSizes", {"fontSizes": {"standard": 32, "fixed": 26}})
    page.wait_for_function("parseFloat(getComputedStyle(document.documentElement).fontSize) >= 32")
    assert page.evaluate(OVERFLOW) <= 0
    undo_all(page)


def test_the_best_offer_is_on_the_first_screen_of_a_small_phone(open_page: Callable[..., Page]) -> None:
    page = open_page("mia", "small")
    see_member(page)
    for selector in ("[data-points]", "[data-tier]", "[data-state=available] .card-title"):
        expect(page.locator(selector).first).to_be_in_viewport()
    expect(page.get_by_role("button", name="Apply").locator("visible=true").first).to_be_in_viewport()


def test_everything_works_without_javascript(open_page: Callable[..., Page]) -> None:
    page = open_page("ana", "phone", java_script_enabled=False)
    see_member(page)
    before = page.locator("[data-points]").get_attribute("data-points")
    page.locator("[data-reward='ten-off'] label").click()
    page.get_by_role("button", name="Apply all that is chosen").click()
    expect(page.locator("body[data-page=applied]")).to_be_visible()
    handoff = page.locator("#handoff").get_attribute("href") or ""
    assert handoff.startswith("com.newstore.associate-one://cart.more.loyaltyProgram/applyCoupons?coupons[]=")
    page.locator("form[data-undo] button").first.click()
    expect(page.locator(f"[data-points='{before}']")).to_be_visible()


def test_the_address_alone_shows_nothing(browser: Browser, stack: Stack) -> None:
    first = browser.new_context().new_page()
    first.goto(stack.launch_url("mia"))
    see_member(first)
    stranger = browser.new_context().new_page()
    answer = stranger.goto(first.url)
    assert answer is not None
    assert answer.status == 403
    assert "Mia" not in stranger.content()
    first.context.close()
    stranger.context.close()


def test_opened_without_the_host_app_it_says_what_it_is_for(browser: Browser, stack: Stack) -> None:
    page = browser.new_context().new_page()
    page.goto(f"{stack.web_url}/launch/acme/")
    expect(page.locator("body[data-page=launch]")).to_be_visible()
    expect(page.locator("h1")).to_be_visible()
    page.context.close()
