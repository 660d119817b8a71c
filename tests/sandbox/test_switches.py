"""The panel's switches: launch shapes, lost and late events, NewStore and a vendor in trouble, the clock."""

import base64
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from pytest_httpserver import HTTPServer

from loyaltyview.sandbox import switches
from loyaltyview.sandbox.app import Sandbox, SandboxConfig
from loyaltyview.sandbox.associate_app import AppError
from loyaltyview.sandbox.sample import CUSTOMERS, STORE
from loyaltyview.sandbox.serve import Running, serve_in_thread
from loyaltyview.sandbox.stream import EventStream

from .conftest import Api, Listener

APPLY = "com.newstore.associate-one://cart.more.loyaltyProgram/applyCoupons?coupons[]={}&cartId={}&token={}"


@pytest.fixture
def app(sandbox: Sandbox) -> Sandbox:
    sandbox.app.log_in("a-17")
    sandbox.app.external_identity = "signed-by-us"
    return sandbox


def fragment_of(address: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(base64.b64decode(urlsplit(address).fragment))
    return parsed


def test_fragment_carries_the_cart_and_the_identity_and_the_query_nothing(app: Sandbox) -> None:
    app.config.launch_shape = "fragment"
    cart = app.app.new_cart(customer="mia", cart="jacket")
    address = app.app.launch_url()
    assert urlsplit(address).query == ""
    context = fragment_of(address)
    assert context["contextProps"]["cart"]["cartId"] == cart.cart_id
    assert context["contextProps"]["cart"]["cartTotal"] == 153.0
    assert (context["securityToken"], context["externalIdentity"]) == (app.app.token, "signed-by-us")


def test_injected_object_is_there_while_the_page_is_open_and_the_address_is_bare(app: Sandbox) -> None:
    app.config.launch_shape = "injected"
    app.app.new_cart(customer="mia")
    assert app.app.launch_url() == app.config.loyalty_url
    found = app.app.injected()
    assert found["contextProps"]["cart"]["customerEmail"] == CUSTOMERS["mia"].email
    assert found["dimensions"]["safeAreaInsetTop"] == 48
    app.app.close_webview()
    assert app.app.injected() == {}


def test_profile_launch_names_the_customer_and_applies_nothing(
    app: Sandbox, voucher: Callable[..., dict[str, Any]]
) -> None:
    cart = app.app.new_cart(customer="mia")
    form = fragment_of(app.app.launch_from_profile())["contextProps"]["formData"]
    assert form == {
        "profileId": CUSTOMERS["mia"].profile_id,
        "associateId": "a-17",
        "storeId": STORE.store_id,
        "cartId": cart.cart_id,
    }
    code = app.coupons.add(voucher()).code
    assert app.app.apply(APPLY.format(code, cart.cart_id, "")).ignored
    app.app.new_cart(customer="none")
    with pytest.raises(AppError):
        app.app.launch_from_profile()


def test_webview_puts_the_object_into_the_page_while_it_is_opened_that_way(httpserver: HTTPServer) -> None:
    page = "<!doctype html><html><head><title>x</title></head><body></body></html>"
    httpserver.expect_request("/launch/").respond_with_data(page, content_type="text/html")
    config = SandboxConfig(loyalty_url=httpserver.url_for("/launch/"), launch_shape="injected")
    running = serve_in_thread(Sandbox(config))
    try:
        address = f"{running.webview_url}/launch/"
        assert "newstore.js" not in requests.get(address, timeout=5).text
        running.sandbox.app.log_in("a-17")
        running.sandbox.app.launch_url()
        html = requests.get(address, timeout=5).text
        assert html.index("newstore.js") < html.index("<title>")
        script = requests.get(f"{running.webview_url}/__associate_app__/newstore.js", timeout=5).text
        found = json.loads(script.removeprefix("window.NEWSTORE = ").rstrip(";\n"))
        assert found["securityToken"] == running.sandbox.app.token
    finally:
        running.stop()


def test_lost_events_are_never_sent_but_can_be_sent_by_hand(listener: Listener) -> None:
    config = SandboxConfig(lose_events=True)
    stream = EventStream(config)
    stream.register(listener.url, None, integration_id="ours")
    (lost,) = stream.emit("order.created", {"id": "o-1"})
    stream.deliver_due()
    assert (lost.status, listener.names) == ("lost", [])
    stream.send_again(lost.number)
    stream.deliver_due()
    assert listener.names == ["order.created"]


def test_late_events_wait_their_time(listener: Listener) -> None:
    now = [0.0]
    stream = EventStream(SandboxConfig(delay_events_s=5), clock=lambda: now[0])
    stream.register(listener.url, None, integration_id="ours")
    stream.emit("order.created", {"id": "o-1"})
    assert stream.deliver_due() == 5
    now[0] = 5
    stream.deliver_due()
    assert listener.names == ["order.created"]


@pytest.mark.parametrize(
    ("fault", "status"), [("failing", 500), ("throttled", 429), ("timing out", 504), ("slow", 404)]
)
def test_newstore_fails_as_the_switch_says(
    running: Running, api: Api, monkeypatch: pytest.MonkeyPatch, fault: Any, status: int
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(switches.time, "sleep", waited.append)
    running.sandbox.config.newstore_fault = fault
    answer = api.call("GET", "/customer/profiles/NS-unknown")
    assert answer.status_code == status
    assert answer.headers["X-Newstore-Request-Id"]
    assert ("Retry-After" in answer.headers) == (fault == "throttled")
    assert bool(waited) == (fault in ("timing out", "slow"))


def test_clock_makes_codes_older_and_no_others(app: Sandbox, voucher: Callable[..., dict[str, Any]]) -> None:
    old = app.coupons.add(voucher())
    app.clock.forward(15)
    assert old.is_expired()
    assert not app.coupons.add(voucher()).is_expired()


def test_code_that_is_switched_off_in_the_list_is_refused(
    running: Running, api: Api, voucher: Callable[..., dict[str, Any]]
) -> None:
    coupon = running.sandbox.coupons.add(voucher(name="10 off"))
    listed = api.call("GET", "/v0/promotions/coupon?page=1&count=100&name=10 off").json()
    (item,) = listed["items"]
    (code,) = item["coupon"]["codes"]
    assert code["name"] == coupon.code
    path = f"/v0/promotions/coupon/{item['coupon']['id']}/code/{code['id']}"
    assert api.call("PATCH", path, {**code, "active": False}).status_code == 200
    fits = {"cart_id": "c", "remaining": Decimal(50), "currency": "USD", "profile_id": ""}
    assert coupon.refusal(**fits) == "This code was switched off."  # type: ignore[arg-type]
    assert api.call("PATCH", path, {"active": False}).status_code == 400
    assert api.call("PATCH", path.replace("k-", "x-"), {**code, "active": False}).status_code == 404


def act(running: Running, action: str, **fields: Any) -> requests.Response:
    return requests.post(f"{running.url}/app/{action}", json=fields, timeout=5)


def test_switches_are_set_over_http_and_shown_in_the_state(running: Running) -> None:
    for name, value in (("launch_shape", "fragment"), ("lose_events", True), ("delay_events_s", 30)):
        assert act(running, "switch", name=name, value=value).status_code == 200
    state = act(running, "clock", minutes=40).json()["state"]["switches"]
    assert (state["launch_shape"], state["lose_events"], state["delay_events_s"]) == ("fragment", True, 30)
    assert (state["minutes_ahead"], state["vendor"]) == (40, "")


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "client_secret", "value": "x"},
        {"name": "launch_shape", "value": "pigeon"},
        {"name": "lose_events", "value": 1},
        {"name": "delay_events_s", "value": False},
        {"name": "vendor_fault", "value": "down"},
    ],
)
def test_unknown_switch_changes_nothing(running: Running, wrong: dict[str, Any]) -> None:
    assert act(running, "switch", **wrong).status_code == 409
    assert act(running, "clock", minutes=7).status_code == 409
    assert running.sandbox.config == SandboxConfig(client_secret="only-for-tests")


def test_vendor_of_the_sandbox_can_be_made_to_fail() -> None:
    sandbox = Sandbox(SandboxConfig(vendor="yotpo", vendor_secret="s3cret"))
    assert sandbox.vendor is not None
    assert switches.set_switch(sandbox, "vendor_fault", "answer withheld")
    assert (sandbox.vendor.faults.withholds_answers, sandbox.vendor.faults.writes_only) == (True, True)
    assert switches.read_switches(sandbox)["vendor_fault"] == "answer withheld"
    assert switches.set_switch(sandbox, "vendor_fault", "none")
    assert not sandbox.vendor.faults.withholds_answers
