"""The sandbox is as strict as its contract: what the adapter must not do is refused there."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from loyaltyview.sandbox.app import Sandbox
from loyaltyview.sandbox.config import SandboxConfig
from loyaltyview.sandbox.switches import read_switches, set_switch, take_vendor_step
from loyaltyview.sandbox.vendors.yotpo.server import Yotpo
from tests.providers.yotpo.build import MIA
from tests.providers.yotpo.conftest import SECRET

Call = Callable[..., requests.Response]


@pytest.fixture
def call(address: str) -> Call:
    def send(method: str, path: str, **fields: Any) -> requests.Response:
        headers = {"x-guid": SECRET, "x-api-key": SECRET, **fields.pop("headers", {})}
        with requests.Session() as session:
            return session.request(method, address + path, headers=headers, timeout=5, **fields)

    return send


def test_no_credentials_no_answer(call: Call) -> None:
    answer = call("GET", f"/customers?customer_email={MIA}", headers={"x-api-key": "guess"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/customers", None),
        ("GET", "/customers?customer_phone=%2B16175550100", None),
        ("GET", "/redemption_codes", None),
        ("GET", "/vip_tiers?page=2", None),
        ("POST", "/redemptions", {"redemption_option_id": 90210}),
        ("POST", "/redemptions", {"redemption_option_id": "90210", "customer_email": MIA}),
        ("POST", "/redemptions", {"redemption_option_id": 90210, "customer_email": MIA, "amount": 5}),
        ("POST", "/redemptions", {"redemption_option_id": 90210, "customer_email": MIA, "currency": "EUR"}),
        ("POST", "/redemptions", {"redemption_option_id": 90215, "customer_email": MIA}),
        ("POST", "/orders", {"order_id": "1", "customer_email": MIA, "total_amount_cents": 1}),
        ("POST", "/refunds", {"order_id": "1", "total_amount_cents": "1"}),
        ("POST", "/customers", {"first_name": "Noor"}),
        ("POST", "/customers", {"email": "noor@example.test", "opt_in": True}),
        ("POST", "/points/adjust", {"customer_email": MIA}),
        ("POST", "/redemption_codes", {"redemption_option_id": 90211, "codes": ["A"]}),
    ],
)
def test_what_yotpo_would_refuse_is_refused(
    call: Call, method: str, path: str, body: dict[str, Any] | None
) -> None:
    answer = call(method, path, json=body) if body else call(method, path)
    assert answer.status_code == 422


def test_more_than_ten_calls_a_second_are_throttled(yotpo: Yotpo, call: Call) -> None:
    yotpo.rate.rate_limit_per_s = 1
    answers = [call("GET", "/vip_tiers") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[0].headers["ratelimit-limit"] == "1"
    assert answers[1].headers["ratelimit-remaining"] == "0"


def test_an_order_with_a_cancelled_code_is_flagged(yotpo: Yotpo, call: Call) -> None:
    redeem = {"redemption_option_id": 90210, "customer_email": MIA, "delay_points_deduction": True}
    first, second = (call("POST", "/redemptions", json=redeem).json() for _ in range(2))
    call(
        "POST",
        "/orders",
        json={
            "order_id": "1", "customer_email": MIA, "total_amount_cents": 1000, "currency_code": "USD",
            "ip_address": "0.0.0.0", "user_agent": "test", "ignore_ip_ua": True,
            "coupon_code": f"{first['reward_text']},{second['reward_text']}",
        },
    )  # fmt: skip

    assert yotpo.books.orders["1"].flags == [f"cancelled code {first['reward_text']}"]
    assert yotpo.books.customers[0].points_balance == 720


def test_the_panel_switches_what_yotpo_does_not_document() -> None:
    sandbox = Sandbox(SandboxConfig(vendor="yotpo", vendor_secret=SECRET))
    yotpo = sandbox.vendor
    assert isinstance(yotpo, Yotpo)

    assert read_switches(sandbox)["vendor_choices"] == [
        {"name": "repeated_orders", "value": "dropped", "choices": ("dropped", "updated", "counted")},
        {"name": "order_processing", "value": "at once", "choices": ("at once", "later")},
    ]
    assert set_switch(sandbox, "repeated_orders", "counted")
    assert set_switch(sandbox, "order_processing", "later")
    assert not set_switch(sandbox, "repeated_orders", "lost")
    assert (yotpo.orders.repeats, yotpo.orders.is_delayed) == ("counted", True)
    assert take_vendor_step(sandbox, "redeem_in_the_web_shop", MIA)
    assert not take_vendor_step(sandbox, "redeem_in_the_web_shop", "")
    assert not take_vendor_step(sandbox, "act_late", MIA)
