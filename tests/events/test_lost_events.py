"""A sale whose events are lost on the way, and their repair: the sandbox publishes, our server listens."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from loyaltyview.events import stream
from loyaltyview.events.models import Event, EventState, Order
from loyaltyview.newstore.coupons import CouponRequest, mint_code
from loyaltyview.newstore.deeplink import handoff_url
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import IssuedCode, Redemption, State
from loyaltyview.sandbox.app import Sandbox, SandboxConfig
from loyaltyview.sandbox.sample import CUSTOMERS
from loyaltyview.sandbox.serve import serve_in_thread
from loyaltyview.work.worker import drain

from .house import COST, OPENING, balance, build_house, spend

TEN_OFF = CouponRequest(
    reference="r-10", label="10 off", amount=Decimal(10), percent=None, currency="USD", minimum=None
)


@pytest.fixture
def sandbox(live_server: Any, settings: Settings, program: Program) -> Iterator[Sandbox]:
    """A tenant that delivers to our own server; its panel shows Mia's cart."""
    settings.PUBLIC_URL = live_server.url
    config = SandboxConfig(client_secret="s3cret", loyalty_url="http://127.0.0.1:1/launch/acme/")
    running = serve_in_thread(Sandbox(config))
    program.newstore_api_url = running.url
    program.newstore_identity_url = running.sandbox.idp.issuer
    program.save()
    stream.register(program)
    running.sandbox.app.log_in("a-17")
    running.sandbox.app.new_cart(customer="mia", cart="jacket")
    yield running.sandbox
    running.stop()


@pytest.fixture
def shown(sandbox: Sandbox, program: Program, redemption: Redemption) -> Redemption:
    """Mia has spent her points on the reward, and its code is in her cart."""
    code = mint_code(program, TEN_OFF).code
    Redemption.objects.update(code=code, profile_id=CUSTOMERS["mia"].profile_id)
    IssuedCode.objects.update(code=code)
    redemption.refresh_from_db()
    spend(redemption, build_house(program))
    cart = sandbox.app.cart
    assert cart
    sandbox.app.launch_url()
    sandbox.app.apply(handoff_url(codes=[code], cart_id=cart.cart_id, token=sandbox.app.token))
    return redemption


def sell(sandbox: Sandbox) -> str:
    order = sandbox.app.pay()
    assert sandbox.stream.wait_idle()
    return order.order_id


def replay_time() -> list[str]:
    now = datetime.now(UTC)
    since, until = now - timedelta(hours=1), now + timedelta(seconds=2)
    return ["--from", since.isoformat(), "--to", until.isoformat()]


def assert_sold(redemption: Redemption) -> None:
    """The order has earned, once, and the reward is used up."""
    redemption.refresh_from_db()
    order = Order.objects.get()
    assert (redemption.state, redemption.order_id) == (State.SETTLED, order.order_id)
    assert order.codes == [redemption.code]
    assert order.earned_points == 286  # two a dollar of 153 - 10
    assert balance() == OPENING - COST + 286


def test_lost_events_come_by_a_replay_and_the_order_earns_once(
    sandbox: Sandbox, program: Program, shown: Redemption
) -> None:
    sandbox.config.lose_events = True
    sell(sandbox)
    drain()
    assert not Event.objects.exists()

    sandbox.config.lose_events = False
    for _ in range(2):
        call_command("newstore_events", "replay", *replay_time())
        assert sandbox.stream.wait_idle()
        drain()
        assert_sold(shown)
    assert set(Event.objects.values_list("state", flat=True)) == {EventState.DONE}


def test_an_event_that_was_received_is_not_handled_twice(
    sandbox: Sandbox, program: Program, shown: Redemption, admin_client: Client
) -> None:
    sell(sandbox)
    drain()
    assert_sold(shown)
    before = list(Event.objects.order_by("pk").values_list("pk", "name", "attempts", "done_at"))
    assert len(before) == 3
    since = f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%dT%H:%M}"
    until = f"{datetime.now(UTC) + timedelta(minutes=1):%Y-%m-%dT%H:%M}"
    fields = {"program": program.pk, "action": "replay", "since": since, "until": until}
    admin_client.post(reverse("admin:events_stream"), fields)
    assert sandbox.stream.wait_idle()
    assert [each.status for each in sandbox.stream.deliveries if each.is_replay] == ["delivered"] * 3
    drain()
    assert list(Event.objects.order_by("pk").values_list("pk", "name", "attempts", "done_at")) == before
    assert_sold(shown)
