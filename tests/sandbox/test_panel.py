"""The panel in a real browser: a fake loyalty page returns to the app in three ways."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from pytest_httpserver import HTTPServer
from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.app import Sandbox, SandboxConfig
from loyaltyview.sandbox.serve import Running, serve_in_thread

pytestmark = pytest.mark.browser

STRICT = "default-src 'none'; script-src 'self'; form-action 'self'"
DEEPLINK = (
    "com.newstore.associate-one://cart.more.loyaltyProgram/applyCoupons"
    "?coupons[]={code}&cartId={cart}&token={token}"
)


@pytest.fixture
def running(httpserver: HTTPServer) -> Iterator[Running]:
    httpserver.expect_request("/identity/", method="POST").respond_with_json(
        {"external_identity": "signed-by-us"}
    )
    httpserver.expect_request("/events/", method="POST").respond_with_data("", 200)
    config = SandboxConfig(
        loyalty_url=httpserver.url_for("/launch/"),
        identity_callback_url=httpserver.url_for("/identity/"),
        events_url=httpserver.url_for("/events/"),
        event_key="key",
    )
    running = serve_in_thread(Sandbox(config))
    yield running
    running.stop()


@pytest.fixture
def code(running: Running, voucher: Callable[..., dict[str, Any]]) -> str:
    return running.sandbox.coupons.add(voucher()).code


@pytest.fixture
def page(browser: Browser, running: Running) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda message: broken.append(message.text) if message.type == "error" else None)
    page.goto(running.url)
    yield page
    page.close()
    assert broken == []


def loyalty_page(server: HTTPServer, way: str, code: str) -> None:
    """Serve a page that knows only its own launch and returns to the app in this way."""

    def answer(request: Request) -> Response:
        cart = json.loads(request.args["cart"])["cartId"]
        target = DEEPLINK.format(code=code, cart=cart, token=request.args["token"])
        parts = {
            "link": ("", f'<a id="handoff" href="{target}">Return to cart</a>'),
            "script": ('<script src="/go.js" defer></script>', f'<p id="target" data-href="{target}"></p>'),
            "refresh": (f'<meta http-equiv="refresh" content="0; url={target}">', ""),
            "none": ("", "<p>Just looking</p>"),
        }[way]
        page = f"<!doctype html><html><head><title>x</title>{parts[0]}</head><body>{parts[1]}</body></html>"
        return Response(page, mimetype="text/html", headers={"Content-Security-Policy": STRICT})

    server.expect_request("/launch/").respond_with_handler(answer)
    server.expect_request("/go.js").respond_with_data(
        "location.href = document.getElementById('target').dataset.href", content_type="text/javascript"
    )


def open_cart(page: Page, customer: str = "mia", cart: str = "jacket") -> None:
    page.select_option("#associate", "a-17")
    page.click("#log-in")
    page.wait_for_selector("[data-app=cart]")
    page.select_option("#customer", customer)
    page.select_option("#cart", cart)


@pytest.mark.parametrize("way", ["link", "script", "refresh"])
def test_code_of_the_deeplink_lowers_the_total(
    page: Page, httpserver: HTTPServer, code: str, way: str
) -> None:
    loyalty_page(httpserver, way, code)
    open_cart(page)
    page.wait_for_selector('[data-total="153.00"]')
    page.click("#redeem")
    if way == "link":
        page.frame_locator("#webview").locator("#handoff").click()
    page.wait_for_selector(f'[data-app=cart] [data-applied-code="{code}"]')
    page.wait_for_selector('[data-total="143.00"]')
    expect(page.get_by_role("status")).to_have_text("1 code applied.")
    assert page.locator("#webview").count() == 0


def test_refused_code_is_shown_in_a_toast(page: Page, httpserver: HTTPServer) -> None:
    loyalty_page(httpserver, "link", "NOSUCHCODE")
    open_cart(page)
    page.click("#redeem")
    page.frame_locator("#webview").locator("#handoff").click()
    expect(page.get_by_role("status")).to_have_text("NOSUCHCODE: This code does not exist.")
    page.wait_for_selector("[data-app=cart]")


def test_sale_return_and_duplicate_show_in_the_event_log(page: Page, code: str) -> None:
    open_cart(page, cart="small")
    page.click("#pay")
    page.wait_for_selector("[data-app=receipt]")
    for name in ("order.created", "order.opened", "order.completed"):
        page.wait_for_selector(f'[data-event="{name}"][data-status="delivered"]')
    page.click("#return-all")
    page.wait_for_selector('[data-event="return.processed"][data-status="delivered"]')
    row = page.locator('[data-event="order.opened"]')
    row.locator("summary").click()
    expect(row.locator("pre")).to_contain_text('"customer_email": "mia@example.test"')
    row.get_by_role("button", name="Send again").click()
    expect(page.locator('[data-event="order.opened"][data-status="delivered"]')).to_have_count(2)
    page.click("#new-cart")
    page.wait_for_selector("[data-app=cart]")


def test_lost_events_and_their_replay_show_as_such(
    page: Page, running: Running, httpserver: HTTPServer
) -> None:
    running.sandbox.config.lose_events = True
    open_cart(page)
    page.click("#pay")
    lost = page.locator('[data-event="order.opened"][data-status="lost"]')
    expect(lost).to_contain_text("lost")
    running.sandbox.config.lose_events = False
    running.sandbox.stream.register(
        httpserver.url_for("/events/"),
        "key",
        integration_id="once-more",
        integration_type="temporary",
        starts_at="2026-01-01T00:00:00Z",
        ends_at="2999-01-01T00:00:00Z",
    )
    again = page.locator('[data-event="order.opened"][data-replay="true"][data-status="delivered"]')
    expect(again).to_contain_text("sent again by a replay")
    expect(page.get_by_role("list", name="Listeners")).to_contain_text("Sends again what was published from")
    expect(page.get_by_role("list", name="Listeners")).to_contain_text("running")


def test_open_order_can_be_cancelled(page: Page) -> None:
    open_cart(page, customer="none")
    page.uncheck("#hand-over-now")
    page.click("#pay")
    page.click("#cancel-order")
    page.wait_for_selector('[data-event="order.cancelled"][data-status="delivered"]')
    assert page.locator('[data-event="order.completed"]').count() == 0


def test_chosen_items_go_back_alone(page: Page) -> None:
    open_cart(page)
    page.click("#pay")
    page.get_by_label("Canvas tote").check()
    page.click("#return-chosen")
    expect(page.locator("#receipt-items")).to_contain_text("returned")
    expect(page.locator("#return-all")).to_be_enabled()


def test_back_control_closes_the_webview(page: Page, httpserver: HTTPServer) -> None:
    loyalty_page(httpserver, "none", "")
    open_cart(page)
    page.click("#redeem")
    page.frame_locator("#webview").get_by_text("Just looking").wait_for()
    page.click("#close-webview")
    page.wait_for_selector("[data-app=cart]")
    assert page.locator("#webview").count() == 0


@pytest.mark.parametrize("device", ["phone", "small", "tablet"])
def test_every_device_fits_a_laptop_screen(page: Page, device: str) -> None:
    open_cart(page)
    page.select_option("#device-size", device)
    box = page.locator("#device").bounding_box()
    pay = page.locator("#pay").bounding_box()
    assert box
    assert pay
    assert box["y"] + box["height"] <= 800
    assert box["x"] >= 0
    assert pay["y"] + pay["height"] <= box["y"] + box["height"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def faults(page: Page) -> list[Any]:
    """Return what axe says of the page in each theme."""
    results = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        results.append(Axe().run(page))
    return results


@pytest.mark.once
def test_panel_has_no_accessibility_faults(page: Page) -> None:
    results = faults(page)
    open_cart(page)
    results += faults(page)
    page.click("#pay")
    page.wait_for_selector('[data-event="order.completed"][data-status="delivered"]')
    results += faults(page)
    page.click("#tab-switches")
    results += faults(page)
    assert [
        re.sub(r"\s+", " ", result.generate_report()) for result in results if result.violations_count
    ] == []


def test_switches_are_turned_and_say_whose_clock_they_move(page: Page, running: Running) -> None:
    page.click("#tab-switches")
    page.select_option("[data-switch=launch_shape]", "fragment")
    page.check("[data-switch=lose_events]")
    page.get_by_role("button", name="15 minutes forward").click()
    expect(page.locator("#panel-switches")).to_contain_text(re.compile("It moves NewStore.s clock only"))
    expect(page.locator("#ahead")).to_have_text("It is 15 minutes ahead.")
    config = running.sandbox.config
    assert (config.launch_shape, config.lose_events) == ("fragment", True)
    expect(page.locator("#vendor-fault")).to_be_hidden()
