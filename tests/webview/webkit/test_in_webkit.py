"""The associate's stories in WebKit, the engine of the real host."""

import json
from typing import Any

import pytest

from loyaltyview.redemptions.models import Redemption
from tests.webview.fakes import POINTS_AS_MONEY, REWARDS, Vendor
from tests.webview.test_host_in_browser import FREE_CAP, INJECTED

from .conftest import Launch
from .webview import WebView

pytestmark = [pytest.mark.once, pytest.mark.django_db(transaction=True)]

BAR = "#several .button"
BAR_TEXT = "document.querySelector('#several .resting').innerText"


def choose(view: WebView, reward: str) -> None:
    view.tap(f"[data-reward='{reward}'] label")


def test_a_reward_is_applied_and_its_code_goes_back_to_the_app(launched: Launch) -> None:
    view = launched()
    assert view.run("return document.querySelectorAll('[name=chosen]:checked').length") == 0
    choose(view, "ten-off")
    view.wait_for(f"{BAR_TEXT} === '' || document.querySelector('[data-reward=ten-off] .bar')")
    view.tap("[data-reward='ten-off'] .bar .button")
    handoff = view.wait_for_handoff()
    assert Redemption.objects.get().code in handoff


def test_two_rewards_and_points_as_money_are_applied_together(launched: Launch, vendor: Vendor) -> None:
    vendor.rewards = (*REWARDS, POINTS_AS_MONEY)
    view = launched()
    choose(view, "ten-off")
    choose(view, "points-as-money")
    view.wait_for("document.querySelector('#several .resting').innerText.startsWith('Apply 2 rewards')")
    field = "[data-reward='points-as-money'] input[type=number]"
    before = view.run(f'return document.querySelector("{field}").value')
    view.tap(
        "[data-reward='points-as-money'] [data-step='1'], [data-reward='points-as-money'] .step:last-of-type"
    )
    view.wait_for(f'document.querySelector("{field}").value > {before}')
    view.wait_for("!document.querySelector('[data-pending]')")
    view.tap(BAR)
    view.wait_for_text("2 rewards applied")
    assert Redemption.objects.count() == 2


def test_a_typed_voucher_has_the_main_button_and_its_error_is_in_sight(launched: Launch) -> None:
    view = launched()
    view.fill("#voucher-code", "NO-SUCH-CODE")
    assert not view.run("return document.querySelector('#several .bar').checkVisibility?.() ?? false")
    view.tap("#voucher-bar .button")
    view.wait_for("document.querySelector('[role=alert][data-error]')")
    view.wait_for(
        "(box => box.top >= 0 && box.bottom <= innerHeight)"
        "(document.querySelector('[role=alert][data-error]').getBoundingClientRect())"
    )


def test_what_was_applied_can_be_undone(launched: Launch) -> None:
    view = launched()
    choose(view, "ten-off")
    view.tap("[data-reward='ten-off'] .bar .button")
    view.wait_for_handoff()
    view.tap("form[data-undo] button")
    view.wait_for("!document.querySelector('form[data-undo]')")
    assert Redemption.objects.get().state == "released"


NO_CAMERA = "navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error('NotAllowedError'))"


def test_the_scanner_without_a_camera_takes_a_photo_and_fits_the_screen(launched: Launch) -> None:
    view = launched(lambda view: view.do("inject", NO_CAMERA))
    view.tap("[data-scan]")
    view.wait_for("document.querySelector('dialog[open]')")
    view.wait_for("!document.querySelector('dialog[open] .photo').hidden")
    height = view.run("return document.querySelector('dialog[open]').getBoundingClientRect().height")
    assert height < 420, "the dialog is no higher than what is in it"


def test_the_card_for_the_customer_and_the_curtain(launched: Launch) -> None:
    # WebKitGTK tells no position of the device.
    view = launched(lambda view: view.do("inject", "window.DeviceOrientationEvent = class extends Event {}"))
    view.tap("[data-card]")
    view.wait_for("document.querySelector('#card .customer-card')")
    assert "m•••" not in view.run("return document.querySelector('#card').innerText")
    view.tap("[data-card-close]")
    view.wait_for("!document.querySelector('#card .customer-card')")
    view.run(
        "const turned = Object.assign(new Event('deviceorientation'), {beta: 180, gamma: 0});"
        "window.dispatchEvent(turned)"
    )
    view.wait_for("!document.querySelector('#curtain').hidden")
    assert "Mia" not in view.text()
    view.tap("#curtain button")
    view.wait_for("document.querySelector('#curtain').hidden")


def test_a_tap_without_a_network_is_kept_and_sent_once(launched: Launch) -> None:
    view = launched()
    choose(view, "ten-off")
    view.do("offline", True)
    view.tap("[data-reward='ten-off'] .bar .button")
    view.wait_for("!document.querySelector('#offline').hidden")
    assert "never applied twice" in view.run("return document.querySelector('#offline').innerText")
    assert Redemption.objects.count() == 0
    view.do("offline", False)
    view.wait_for("document.querySelector('#handoff')")
    assert Redemption.objects.count() == 1


def test_what_the_app_injects_is_read(launched: Launch, vendor: Vendor) -> None:
    vendor.rewards = (*REWARDS, FREE_CAP)
    put = f"window.NEWSTORE = {json.dumps(INJECTED)}"
    view = launched(lambda view: view.do("inject", put), items=None)
    view.wait_for("document.querySelector('[data-reward=free-cap][data-state=available]')")
    view.wait_for("document.querySelector(\"link[href$='/theme.css']\")")


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_no_page_is_wider_than_the_screen(launched: Launch, vendor: Vendor, is_dark: bool) -> None:
    view = launched(lambda view: view.do("dark", is_dark))
    assert view.run("return matchMedia('(prefers-color-scheme: dark)').matches") is is_dark
    pages = view.run(
        "return [location.pathname, ...['shift/', 'history/', 'find/', 'consents/', 'card/']"
        ".map(name => location.pathname + name)]"
    )
    wide: list[Any] = []
    for page in pages:
        view.do("open", view.run(f"return new URL({page!r}, location.href).href"))
        view.wait_for(f"location.pathname === {page!r} && document.readyState === 'complete'")
        for width in (320, 390, 834, 1024):
            view.do("size", width, 844)
            view.wait_for(f"innerWidth === {width}")
            for direction in ("ltr", "rtl"):
                seen = view.run(
                    f"document.documentElement.dir = '{direction}';"
                    "await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));"
                    "return document.documentElement.scrollWidth - innerWidth"
                )
                wide += [(page, width, direction, seen)] if seen > 0 else []
    assert wide == []
