"""The admin's front page in a real browser, busy and empty: accessible at every size and theme."""

import random
from collections import deque
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect

from loyaltyview.events.models import Alarm, AlarmKind, Event, EventState
from loyaltyview.programs import latency
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import Redemption, State
from providers.outbound.vendor_session import Observation

from .test_pages import AA, OVERFLOW, SHIFT, SIZES, in_both_themes

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]

SMALL_TARGETS = """() => [...document.querySelectorAll('#overview a, #overview summary')]
  .map(e => [e.outerHTML.slice(0, 90), e.getBoundingClientRect().height])
  .filter(([_, height]) => height < 32)
  .map(([html, height]) => `${Math.round(height)}px ${html}`)"""

Open = Callable[..., Page]


@pytest.fixture
def open_front_page(browser: Browser, live_server: Any) -> Iterator[Open]:
    """Log an administrator in and show the page; a script error or a refused style fails the test."""
    User.objects.create_superuser("admin", password="s3cret")
    contexts: list[BrowserContext] = []
    broken: list[str] = []

    def opened(size: str = "tablet", **options: Any) -> Page:
        width, height = SIZES[size]
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on("console", lambda message: broken.append(message.text) if message.type == "error" else None)
        page.goto(f"{live_server.url}/admin/")
        page.fill("[name=username]", "admin")
        page.fill("[name=password]", "s3cret")
        page.click("[type=submit]")
        expect(page.locator("#overview")).to_be_visible()
        return page

    yield opened
    for context in contexts:
        context.close()
    # Chromium asks for an icon by itself.
    assert [text for text in broken if "404" not in text] == []


@pytest.fixture(autouse=True)
def _no_calls_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "_seen", deque())


@pytest.fixture
def busy(program: Program) -> None:
    """A fortnight of two currencies, refusals, slow vendors, and something of every trouble."""
    now, chance = timezone.now(), random.Random(1)
    states = [State.SETTLED] * 6 + [State.REFUSED] * 2 + [State.RELEASED]
    reasons = ["INSUFFICIENT_POINTS", "INSUFFICIENT_POINTS", "NEWSTORE_UNAVAILABLE"]
    redemptions = []
    for number in range(200):
        state = State.STUCK if number == 0 else chance.choice(states)
        redemptions.append(
            Redemption(
                program=program,
                state=state,
                key=str(number),
                fingerprint="f",
                launch_id="launch-1",
                cart={},
                cart_id="cart-1",
                member_ref=str(number),
                kind="reward",
                item_id="ten-off",
                title="$10 off",
                points=200,
                discount={},
                saving=Decimal(chance.choice([5, 10, 15])),
                currency=chance.choice(["USD", "USD", "EUR"]),
                code=str(number),
                order_id=str(number),
                refusal=chance.choice(reasons) if state == State.REFUSED else "",
                requested_at=now - timedelta(hours=chance.random() * 300),
            )
        )
    Redemption.objects.bulk_create(redemptions)
    events = []
    for number in range(200):
        received_at = now - timedelta(minutes=chance.random() * 1400)
        is_waiting = number < 20
        events.append(
            Event(
                program=program,
                name="order.opened",
                dedupe_key=str(number),
                state=EventState.WAITING if is_waiting else EventState.DONE,
                payload=b"{}",
                received_at=received_at,
                due_at=received_at if is_waiting else None,
                done_at=None if is_waiting else received_at + timedelta(minutes=chance.random() * 90),
            )
        )
    events[-1].state = EventState.DEAD
    Event.objects.bulk_create(events)
    Alarm.objects.create(program=program, kind=AlarmKind.STREAM, raised_at=now, last_at=now)
    for number in range(100):
        outcome = "ok" if number % 20 else "Unavailable"
        latency.remember(
            Observation(
                vendor="yotpo",
                program=program.slug,
                operation="get_member",
                kind="read",
                outcome=outcome,
                seconds=chance.random(),
            )
        )


def open_tables(page: Page) -> None:
    for summary in page.locator("#overview summary").all():
        summary.click()


@pytest.mark.parametrize("size", SIZES)
def test_a_busy_front_page_is_accessible_and_fits(open_front_page: Open, busy: None, size: str) -> None:
    page = open_front_page(size)
    assert page.evaluate(SHIFT) <= 0.02
    open_tables(page)
    expect(page.locator("#overview svg.plot")).to_have_count(5)
    for _theme in in_both_themes(page):
        found = Axe().run(page, options=AA)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate(OVERFLOW) <= 0
        assert page.evaluate(SMALL_TARGETS) == []


def test_an_empty_front_page_is_accessible_and_fits(open_front_page: Open) -> None:
    page = open_front_page("small")
    for _theme in in_both_themes(page):
        found = Axe().run(page, options=AA)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate(OVERFLOW) <= 0
    expect(page.locator("#overview .empty")).to_have_count(4)


def test_text_at_200_percent_fits_a_phone(open_front_page: Open, busy: None) -> None:
    page = open_front_page("phone")
    open_tables(page)
    client = page.context.new_cdp_session(page)
    client.send("Page.setFontSizes", {"fontSizes": {"standard": 32, "fixed": 26}})
    page.wait_for_function("parseFloat(getComputedStyle(document.documentElement).fontSize) >= 32")
    sideways = "e => e.scrollWidth - e.clientWidth"
    assert page.locator("#overview").evaluate(sideways) <= 0


def test_without_javascript_a_warning_leads_to_its_list(open_front_page: Open, busy: None) -> None:
    page = open_front_page("phone", java_script_enabled=False)
    open_tables(page)
    expect(page.get_by_role("columnheader", name="Saved, EUR")).to_be_visible()
    page.get_by_role("link", name="1 event is dead").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(1)


def test_a_chart_has_a_name_and_a_description_for_screen_readers(open_front_page: Open, busy: None) -> None:
    page = open_front_page()
    plot = page.get_by_role("img", name="Events waiting: Events", exact=True)
    expect(plot).to_be_visible()
    expect(plot.locator("desc")).to_contain_text("The table below has the numbers.")
    expect(page.get_by_role("table").filter(has_text="Refused: Not enough points")).to_be_visible()


def test_a_programs_stores_fit_its_form(open_front_page: Open, program: Program, live_server: Any) -> None:
    page = open_front_page()
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"{live_server.url}/admin/programs/program/{program.pk}/change/")
    expect(page.locator("#stores-group [name=stores-0-time_zone]")).to_be_visible()
    assert page.locator("#stores-group").evaluate("e => e.scrollWidth - e.clientWidth") <= 0


def test_the_two_answers_about_a_stuck_redemption_are_large_and_apart(
    open_front_page: Open, busy: None, live_server: Any
) -> None:
    page = open_front_page("phone")
    stuck = Redemption.objects.get(state=State.STUCK)
    page.goto(f"{live_server.url}/admin/redemptions/redemption/{stuck.pk}/change/")
    first, second = (
        page.get_by_role("button", name=name, exact=True).bounding_box()
        for name in ("It happened", "It did not")
    )
    assert first is not None
    assert second is not None
    assert min(first["height"], second["height"]) >= 32
    gap = max(second["x"] - first["x"] - first["width"], second["y"] - first["y"] - first["height"])
    assert gap >= 8
