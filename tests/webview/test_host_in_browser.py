"""What the host app injects, in a real browser: shown when it comes, never over the associate's work."""

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from loyaltyview.programs.models import Program
from loyaltyview.webview.models import Launch
from providers.types import Discount, DiscountKind, Reward

from .conftest import TOKEN, Browse, launch_params
from .fakes import REWARDS, Vendor
from .test_in_browser import apply, chosen, tap

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]

INJECTED = {
    "securityToken": TOKEN,
    "contextProps": {
        "cart": {
            "cartId": "5f0c1d3e-cart-1",
            "cartTotal": 129.9,
            "currency": "USD",
            "items": [{"productId": "CAP-02", "itemId": "i-2", "price": 40}],
            "selectedCoupons": [{"code": "SUMMER"}],
        }
    },
    "theme": {"color": {"blue500": "#2E5AD1"}},
}
FREE_CAP = Reward(
    reward_id="free-cap",
    title="A free cap",
    points=100,
    discount=Discount(kind=DiscountKind.PRODUCT, skus=("CAP-02",)),
)


def inject(page: Page, after_ms: int = 0, below: str = "/") -> None:
    """Put the object into each page `below` as the app does, which may be some time after it."""
    put = f"window.NEWSTORE = {json.dumps(INJECTED)}"
    if after_ms:
        put = f"setTimeout(() => {{ {put} }}, {after_ms})"
    page.add_init_script(f"if (location.pathname.startsWith('{below}')) {{ {put} }}")


def test_a_late_injected_object_is_shown_and_its_coupon_goes_back_with_the_code(
    open_in_browser: Browse, vendor: Vendor
) -> None:
    vendor.rewards = (*REWARDS, FREE_CAP)
    page = open_in_browser(lambda page: inject(page, after_ms=500), items=None)
    free = page.locator("[data-reward='free-cap']")
    expect(free).to_have_attribute("data-state", "available")
    expect(page.locator("link[href$='/theme.css']")).to_be_attached()
    apply(page, "free-cap")
    expect(page.locator("#handoff")).to_have_attribute("href", re.compile("=SUMMER&.*=LOY"))


def test_an_injected_object_is_shown_after_the_skeleton(open_in_browser: Browse, slow: Vendor) -> None:
    slow.rewards = (*REWARDS, FREE_CAP)
    page = open_in_browser(inject, wait_until="commit", items=None)
    slow.let_go()
    expect(page.locator("[data-reward='free-cap']")).to_have_attribute("data-state", "available")


def choose_a_card(page: Page) -> None:
    tap(page, "ten-off")


def type_a_code(page: Page) -> None:
    page.locator("#voucher-code").press_sequentially("SPR")


def reveal(page: Page) -> None:
    page.locator(".reveal").press("Enter")


@pytest.mark.parametrize("touch", [choose_a_card, type_a_code, reveal])
def test_content_is_not_swapped_while_the_associate_works_on_it(
    open_in_browser: Browse, touch: Callable[[Page], None]
) -> None:
    held: list[Route] = []
    asked: list[str] = []

    def prepare(page: Page) -> None:
        inject(page)
        page.route("**/host/", lambda route: held.append(route))
        page.on("request", lambda request: asked.append(request.url))

    page = open_in_browser(prepare, items=None)
    touch(page)
    with page.expect_response("**/host/") as told:
        held[0].continue_()
    assert told.value.json()["content"]
    expect(page.locator("link[href$='/theme.css']")).to_be_attached()
    page.wait_for_load_state("networkidle")
    assert not [url for url in asked if "/content/" in url]
    # All the same the server has it, and the next page shows it.
    assert Launch.objects.get().selected_coupons == ["SUMMER"]


def test_a_tap_while_new_content_is_loading_is_kept(open_in_browser: Browse) -> None:
    """The new content is loading when the associate taps."""
    held: list[Route] = []

    def prepare(page: Page) -> None:
        inject(page)
        page.route("**/content/", lambda route: held.append(route))

    page = open_in_browser(prepare, items=None)
    expect(page.locator("link[href$='/theme.css']")).to_be_attached()
    tap(page, "ten-off")
    with page.expect_response("**/content/"):
        held[0].continue_()
    page.wait_for_load_state("networkidle")
    assert chosen(page) == ["ten-off"]


def test_a_tap_before_the_scripts_have_loaded_is_kept(open_in_browser: Browse) -> None:
    held: list[Route] = []

    def prepare(page: Page) -> None:
        inject(page)
        page.route("**/js/host.js", lambda route: held.append(route))

    page = open_in_browser(prepare, wait_until="commit", items=None)
    tap(page, "ten-off")
    held[0].continue_()
    expect(page.locator("link[href$='/theme.css']")).to_be_attached()
    page.wait_for_load_state("networkidle")
    assert chosen(page) == ["ten-off"]
    assert Launch.objects.get().selected_coupons == ["SUMMER"]


def test_an_injected_object_that_could_not_be_sent_is_sent_by_the_next_page(
    open_in_browser: Browse,
) -> None:
    def prepare(page: Page) -> None:
        inject(page)
        page.route("**/host/", lambda route: route.abort(), times=1)

    page = open_in_browser(prepare, items=None)
    with page.expect_response("**/host/"):
        page.reload()
    assert Launch.objects.get().selected_coupons == ["SUMMER"]


def test_the_fragment_has_priority_and_the_injected_object_adds_the_rest(
    open_in_browser: Browse, live_server: Any, program: Program
) -> None:
    said = {
        "externalIdentity": launch_params(program)["externalIdentity"],
        "contextProps": {"formData": {"loyaltyId": "L-00042", "cartId": "5f0c1d3e-cart-1"}},
    }
    page = open_in_browser(inject)
    Launch.objects.all().delete()
    fragment = base64.b64encode(json.dumps(said).encode()).decode()
    page.goto("about:blank")
    page.goto(f"{live_server.url}/launch/acme/#{fragment}", wait_until="commit")  # the page goes on by itself
    expect(page.locator("[data-points='820']")).to_be_visible()
    launch = Launch.objects.get()
    assert (launch.loyalty_id, launch.cart["total"]) == ("L-00042", "129.9")
    assert launch.selected_coupons == ["SUMMER"]


def test_an_object_injected_after_the_fragment_was_read_counts_too(
    open_in_browser: Browse,
    live_server: Any,
    program: Program,
) -> None:
    params = launch_params(program)
    cart = {
        "cartId": "5f0c1d3e-cart-1",
        "cartTotal": 129.9,
        "currency": "USD",
        "customerEmail": "mia@example.test",
    }
    said = {
        "securityToken": params["token"],
        "externalIdentity": params["externalIdentity"],
        "contextProps": {"cart": cart},
    }
    # Not into the page that reads the fragment, however long that takes.
    page = open_in_browser(lambda page: inject(page, after_ms=400, below="/l/"))
    Launch.objects.all().delete()
    fragment = base64.b64encode(json.dumps(said).encode()).decode()
    page.goto("about:blank")
    with page.expect_response("**/host/"):
        page.goto(
            f"{live_server.url}/launch/acme/#{fragment}", wait_until="commit"
        )  # the page goes on by itself
    launch = Launch.objects.get()
    assert launch.selected_coupons == ["SUMMER"]
    assert launch.theme == {"accent": "#2e5ad1"}
