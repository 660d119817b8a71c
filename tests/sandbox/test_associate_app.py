"""The app: login, launch, callback, sale, return, cancellation."""

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from pytest_httpserver import HTTPServer
from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.app import Sandbox
from loyaltyview.sandbox.associate_app import AppError
from loyaltyview.sandbox.serve import Running
from tests.sandbox.conftest import Api

Voucher = Callable[..., dict[str, Any]]


@pytest.fixture
def app(sandbox: Sandbox) -> Sandbox:
    """A sandbox with Kim at the till and Mia's jacket and tote (153.00) in the cart."""
    sandbox.app.log_in("a-17")
    sandbox.app.new_cart("mia", "jacket")
    return sandbox


def deeplink(sandbox: Sandbox, *codes: str, **changes: str) -> str:
    """The address that a page would open to return from the open launch."""
    cart = sandbox.app.cart
    assert cart
    parts = {
        "start": "com.newstore.associate-one://cart.more.loyaltyProgram/applyCoupons?",
        "name": "coupons[]",
        "cart": cart.cart_id,
        "token": sandbox.app.token,
        **changes,
    }
    coupons = "&".join(f"{parts['name']}={code}" for code in codes)
    return f"{parts['start']}{coupons}&cartId={parts['cart']}&token={parts['token']}"


def events(sandbox: Sandbox) -> list[str]:
    return [delivery.event.name for delivery in sandbox.stream.deliveries]


def payload(sandbox: Sandbox, name: str) -> dict[str, Any]:
    [delivery] = [delivery for delivery in sandbox.stream.deliveries if delivery.event.name == name]
    whole = json.loads(delivery.event.body, parse_float=Decimal)
    found: dict[str, Any] = whole["payload"]
    return found


def test_login_calls_the_identity_callback_with_a_token_that_verifies(
    running: Running, httpserver: HTTPServer
) -> None:
    seen: list[dict[str, Any]] = []

    def answer(request: Request) -> Response:
        seen.append(request.get_json())
        return Response('{"external_identity": "signed"}', mimetype="application/json")

    httpserver.expect_request("/identity/", method="POST").respond_with_handler(answer)
    running.sandbox.config.identity_callback_url = httpserver.url_for("/identity/")
    running.sandbox.app.log_in("a-17")
    assert running.sandbox.app.external_identity == "signed"
    assert set(seen[0]) == {"device_id", "identity"}
    assert seen[0]["identity"].startswith("Bearer ey")


@pytest.mark.parametrize(
    ("status", "body"), [(500, "{}"), (200, "{}"), (200, "oops"), (403, '{"external_identity": "x"}')]
)
def test_failing_identity_callback_does_not_stop_the_login(
    sandbox: Sandbox, httpserver: HTTPServer, status: int, body: str
) -> None:
    httpserver.expect_request("/identity/").respond_with_data(body, status)
    sandbox.config.identity_callback_url = httpserver.url_for("/identity/")
    note = sandbox.app.log_in("a-17")
    assert note == f"Logged in, but the identity callback answered {status}."
    assert (sandbox.app.external_identity, sandbox.app.screen) == ("", "cart")


def test_launch_carries_the_documented_query(app: Sandbox) -> None:
    app.app.external_identity = "signed by us/+="
    url = urlsplit(app.app.launch_url())
    query = parse_qs(url.query, keep_blank_values=True)
    assert url._replace(query="").geturl() == "http://loyalty.test/launch/acme/"
    assert set(query) == {"token", "externalIdentity", "store", "cart"}
    assert len(query["token"][0]) == 32
    assert query["externalIdentity"] == ["signed by us/+="]
    assert query["store"] == ["US_BOSTON_01"]
    cart = json.loads(query["cart"][0])
    assert cart["customerEmail"] == "mia@example.test"
    assert (cart["cartTotal"], cart["currency"], cart["selectedCoupons"]) == (153.0, "USD", [])
    assert [(item["productId"], item["price"]) for item in cart["items"]] == [
        ("JACKET-01", 129.0),
        ("TOTE-01", 24.0),
    ]


def test_launch_without_customer_has_no_email(app: Sandbox) -> None:
    app.app.new_cart("none", "small")
    cart = json.loads(parse_qs(urlsplit(app.app.launch_url()).query)["cart"][0])
    assert "customerEmail" not in cart


def test_callback_applies_its_codes_and_closes_the_webview(app: Sandbox, voucher: Voucher) -> None:
    code = app.coupons.add(voucher()).code
    app.app.launch_url()
    link = deeplink(app, code)
    assert app.app.apply(link).codes == (code,)
    assert app.app.totals().total == Decimal("143.00")
    assert app.app.screen == "cart"
    assert app.app.apply(link).ignored


def test_next_launch_has_the_remaining_total_and_the_selected_codes(app: Sandbox, voucher: Voucher) -> None:
    code = app.coupons.add(voucher()).code
    app.app.launch_url()
    app.app.apply(deeplink(app, code))
    cart = json.loads(parse_qs(urlsplit(app.app.launch_url()).query)["cart"][0])
    assert (cart["cartTotal"], cart["selectedCoupons"]) == (143.0, [code])


@pytest.mark.parametrize(
    "changes",
    [
        {"start": "com.newstore.associate-one://cart.more.loyaltyprogram/applyCoupons?"},
        {"start": "com.newstore.associate-one://cart.more.loyaltyProgram/removeCoupons?"},
        {"start": "com.newstore.associate-one://cart.more.loyaltyProgram/applyCoupons/?"},
        {"start": "https://cart.more.loyaltyProgram/applyCoupons?"},
        {"name": "coupons"},
        {"name": "coupons%5B%5D"},
        {"token": "0" * 32},
        {"token": ""},
        {"cart": "5f0c1d3e-0000-4000-8000-000000000000"},
        {"token": "x&token=y"},
    ],
)
def test_callback_with_anything_wrong_is_ignored(
    app: Sandbox, voucher: Voucher, changes: dict[str, str]
) -> None:
    code = app.coupons.add(voucher()).code
    app.app.launch_url()
    result = app.app.apply(deeplink(app, code, **changes))
    assert result.ignored
    assert app.app.screen == "webview"
    assert app.app.totals().applied == ()


@pytest.mark.parametrize("codes", [[], [""], [f"C{number}" for number in range(11)]])
def test_callback_without_codes_or_with_too_many_is_ignored(app: Sandbox, codes: Sequence[str]) -> None:
    app.app.launch_url()
    assert app.app.apply(deeplink(app, *codes)).ignored


def test_replacing_callback_drops_codes_that_it_does_not_name(app: Sandbox, voucher: Voucher) -> None:
    first, second = (app.coupons.add(voucher(voucherId=key, name=key)).code for key in ("a", "b"))
    app.app.launch_url()
    app.app.apply(deeplink(app, first))
    app.app.launch_url()
    app.app.apply(deeplink(app, second))
    assert [code.code for code in app.app.totals().applied] == [second]
    app.config.coupon_mode = "add"
    app.app.launch_url()
    app.app.apply(deeplink(app, first))
    assert [code.code for code in app.app.totals().applied] == [second, first]


def test_refused_codes_come_with_their_reasons(app: Sandbox, voucher: Voucher) -> None:
    costly = app.coupons.add(voucher(currencies=[{"code": "USD", "minimumCartValue": 500}])).code
    app.app.launch_url()
    assert app.app.apply(deeplink(app, "NOSUCHCODE", costly)).refused == (
        ("NOSUCHCODE", "This code does not exist."),
        (costly, "The cart must be at least 500.00 USD."),
    )


def test_sold_cart_reports_its_codes_at_both_levels(app: Sandbox, voucher: Voucher) -> None:
    fixed = app.coupons.add(voucher()).code
    tenth = app.coupons.add(voucher(voucherId="v2", name="t", type="Percentage", discount=10)).code
    app.app.launch_url()
    app.app.apply(deeplink(app, fixed, tenth))
    app.app.pay()
    assert events(app) == ["order.created", "order.opened", "order.completed"]
    opened = payload(app, "order.opened")
    assert opened["discounts"] == [{"coupon_code": fixed}, {"coupon_code": tenth}]
    assert opened["discount_total"] == Decimal("24.3")
    assert sum(item["order_discounts"] for item in opened["items"]) == opened["discount_total"]
    for item in opened["items"]:
        assert [discount["action"] for discount in item["discounts"]] == ["fixed", "percentage"]
        assert {discount["level"] for discount in item["discounts"]} == {"order"}
        assert sum(discount["price_adjustment"] for discount in item["discounts"]) == item["order_discounts"]
    assert opened["grand_total"] == opened["subtotal"] - opened["discount_total"] + opened["tax_total"]
    assert set(payload(app, "order.completed")) == {"id", "items"}


def test_used_code_is_refused_in_the_next_cart(app: Sandbox, voucher: Voucher) -> None:
    code = app.coupons.add(voucher()).code
    app.app.launch_url()
    app.app.apply(deeplink(app, code))
    app.app.pay()
    app.app.new_cart()
    app.app.launch_url()
    assert app.app.apply(deeplink(app, code)).refused == ((code, "This code was already used."),)


def test_code_that_expires_in_the_cart_is_removed_before_the_sale(app: Sandbox, voucher: Voucher) -> None:
    with time_machine.travel("2026-03-04 10:00:00+00:00", tick=False) as clock:
        code = app.coupons.add(voucher()).code
        app.app.launch_url()
        app.app.apply(deeplink(app, code))
        clock.shift(16 * 60)
        with pytest.raises(AppError, match="expired"):
            app.app.pay()
        assert app.app.totals().applied == ()
        assert events(app) == []


def test_returns_in_two_parts_refund_exactly_what_was_paid(app: Sandbox, voucher: Voucher) -> None:
    code = app.coupons.add(voucher(discount=Decimal("9.99"))).code
    app.app.launch_url()
    app.app.apply(deeplink(app, code))
    order = app.app.pay()
    app.app.return_items([order.items[0].item_id])
    app.app.return_items()
    first, second = (
        json.loads(delivery.event.body, parse_float=Decimal)["payload"]
        for delivery in app.stream.deliveries
        if delivery.event.name == "return.processed"
    )
    assert first["id"] != second["id"]
    assert {first["order_id"], second["order_id"]} == {order.order_id}
    refunded = first["total_refund_amount"] + second["total_refund_amount"]
    assert refunded == order.totals.to_pay
    with pytest.raises(AppError):
        app.app.return_items()


def test_order_can_wait_for_its_handover_and_be_cancelled(app: Sandbox) -> None:
    app.app.pay(hand_over=False)
    with pytest.raises(AppError):
        app.app.return_items()
    app.app.cancel()
    assert events(app) == ["order.created", "order.opened", "order.cancelled"]
    assert {item["status"] for item in payload(app, "order.cancelled")["items"]} == {"cancelled"}
    with pytest.raises(AppError):
        app.app.hand_over()


def test_steps_out_of_turn_are_refused(sandbox: Sandbox) -> None:
    for step in (sandbox.app.launch_url, sandbox.app.pay, sandbox.app.new_cart, sandbox.app.cancel):
        with pytest.raises(AppError):
            step()


def test_order_is_read_by_either_number(running: Running, api: Api) -> None:
    running.sandbox.app.log_in("a-17")
    order = running.sandbox.app.pay()
    external = api.call("GET", f"/v0/orders/{order.external_id}?id_type=external").json()
    internal = api.call("GET", f"/v0/orders/{order.order_id}?id_type=internal").json()
    assert external == internal
    assert (external["id"], external["origin_id"]) == (order.external_id, order.order_id)
    assert external["status"] == "closed"
    assert api.call("GET", f"/v0/orders/{order.order_id}?id_type=external").status_code == 404
    assert api.call("GET", f"/v0/orders/{order.order_id}?id_type=both").status_code == 400


def test_panel_api_refuses_wrong_fields_and_shows_the_apps_message(api: Api) -> None:
    assert api.call("POST", "/app/fly", {}).status_code == 404
    assert api.call("POST", "/app/log-in", {}).status_code == 400
    assert api.call("POST", "/app/pay", {}).json()["message"] == "Log in first."


def test_a_customers_orders_are_listed_newest_first_and_in_pages(running: Running, api: Api) -> None:
    app = running.sandbox.app
    app.log_in("a-17")
    made = []
    for customer in ("mia", "leo", "mia", "none"):
        app.new_cart(customer=customer, cart="small")
        made.append(app.pay())
    mia = made[0].customer
    assert mia
    path, version = f"/v0/orders?customer_id={mia.profile_id}", "application/x.newstore.orders+json;version=2"
    orders = api.call("GET", path).json()["orders"]
    assert [order["origin_id"] for order in orders] == [made[2].order_id, made[0].order_id]
    assert set(orders[0]) == {"id", "origin_id", "status", "channel_type", "store_id", "placed_at"}
    assert api.call("GET", f"{path}&offset=1&count=1").status_code == 400
    api.headers["Accept"] = version
    assert api.call("GET", f"{path}&offset=1&count=1").json()["orders"] == orders[1:]
    for wrong in ("/v0/orders", f"{path}&offset=0&count=51", f"{path}&offset=-1"):
        assert api.call("GET", wrong).status_code == 400
    assert api.call("GET", "/v0/orders?customer_id=NS-nobody").json() == {"orders": []}
