"""A sale whose events are lost on the way, and their repair: the sandbox publishes, our server listens."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from loyaltyview.events import event_search, missed_orders, stream
from loyaltyview.events.event_search import search_missed
from loyaltyview.events.models import (
    Alarm,
    AlarmKind,
    Event,
    EventSearch,
    EventState,
    Order,
    ReturnRecord,
    ReturnState,
    Searched,
)
from loyaltyview.newstore.coupons import mint_code
from loyaltyview.newstore.deeplink import handoff_url
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.commands import Actor
from loyaltyview.redemptions.models import IssuedCode, Redemption, State
from loyaltyview.redemptions.release import undo
from loyaltyview.redemptions.serialization import coupon_of
from loyaltyview.sandbox.app import Sandbox, SandboxConfig
from loyaltyview.sandbox.sample import CUSTOMERS
from loyaltyview.sandbox.serve import serve_in_thread
from loyaltyview.work.worker import drain

from .house import COST, OPENING, balance, build_house, spend


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
    """Mia has spent points on the reward, and its code is in the cart."""
    spend(redemption, build_house(program))
    code = mint_code(program, coupon_of(redemption)).code
    due_at = datetime.now(UTC) + timedelta(hours=1)
    Redemption.objects.update(code=code, profile_id=CUSTOMERS["mia"].profile_id, due_at=due_at)
    IssuedCode.objects.update(code=code)
    redemption.refresh_from_db()
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


@pytest.mark.parametrize("codes_in", ["attribute", "both"])
def test_a_code_in_the_rewards_attribute_is_used_once(
    sandbox: Sandbox, program: Program, shown: Redemption, codes_in: Literal["attribute", "both"]
) -> None:
    Program.objects.update(newstore_reward_attribute="loyalty_reward")
    sandbox.config.codes_in = codes_in
    sell(sandbox)
    drain()
    assert_sold(shown)


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


# --- Found by the reconciliation --------------------------------------------------------------------


@pytest.fixture
def _is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is still on its way."""
    monkeypatch.setattr(missed_orders, "PATIENCE", timedelta(seconds=-1))


@pytest.fixture
def lost(sandbox: Sandbox, shown: Redemption, _is_late: None) -> str:
    """The id of the order of which nothing reached us."""
    sandbox.config.lose_events = True
    order_id = sell(sandbox)
    sandbox.config.lose_events = False
    return order_id


def reconcile(redemption: Redemption, capsys: Any, *options: str) -> str:
    with suppress(CommandError):
        call_command("reconcile", "--day", f"{redemption.requested_at:%Y-%m-%d}", *options)
    return str(capsys.readouterr().out)


def test_an_order_that_never_reached_us_is_found_and_taken_from_newstore(
    lost: str, shown: Redemption, capsys: Any
) -> None:
    output = reconcile(shown, capsys)
    assert "1 gaps" in output
    assert f"order with our code never reached us  {lost}  redemption {shown.id} is revealed" in output
    assert "with --repair" in output
    assert "done" in reconcile(shown, capsys, "--repair")
    assert_sold(shown)
    assert "0 gaps" in reconcile(shown, capsys)


def test_its_late_events_change_nothing(lost: str, sandbox: Sandbox, shown: Redemption, capsys: Any) -> None:
    reconcile(shown, capsys, "--repair")
    call_command("newstore_events", "replay", *replay_time())
    assert sandbox.stream.wait_idle()
    drain()
    assert set(Event.objects.values_list("state", flat=True)) == {EventState.DONE}
    assert_sold(shown)


def test_an_order_that_is_found_when_the_reward_was_given_back_is_spent_again(
    lost: str, shown: Redemption, capsys: Any
) -> None:
    assert undo(shown.pk, Actor(name="worker")).state == State.RELEASED
    assert balance() == OPENING
    assert f"redemption {shown.id} is released" in reconcile(shown, capsys, "--repair")
    assert_sold(shown)


def test_a_used_code_without_a_known_customer_is_found_in_the_coupon_list(
    lost: str, sandbox: Sandbox, program: Program, shown: Redemption, capsys: Any
) -> None:
    Redemption.objects.update(profile_id="")
    assert "0 gaps" in reconcile(shown, capsys)
    program.newstore_disable_codes = True
    program.save()
    output = reconcile(shown, capsys, "--replay")
    assert f"code used, its order never reached us  redemption {shown.id}" in output
    assert "delivers the events of" in output
    assert sandbox.stream.wait_idle()
    drain()
    assert_sold(shown)
    assert "0 gaps" in reconcile(shown, capsys)


def test_a_day_that_cannot_be_replayed_is_reported(shown: Redemption, settings: Settings) -> None:
    settings.PUBLIC_URL = ""
    with pytest.raises(CommandError, match="PUBLIC_URL is not set"):
        call_command("reconcile", "--day", "2026-03-04", "--replay")


# --- Found by the search (GraphQL) ------------------------------------------------------------------


@pytest.fixture
def searched(
    sandbox: Sandbox, program: Program, shown: Redemption, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> Sandbox:
    """The program has missed events searched since an hour, and nothing is still on its way."""
    program.newstore_find_missed_events = True
    program.save()
    sandbox.config.data_lag_s = 0
    settings.EVENT_PROMISE_MINUTES = 0
    monkeypatch.setattr(event_search, "LAG", timedelta(minutes=-1))
    monkeypatch.setattr(missed_orders, "PATIENCE", timedelta(seconds=-1))
    since = datetime.now(UTC) - timedelta(hours=1)
    for kind in Searched:
        EventSearch.objects.create(program=program, kind=kind, started_at=since, searched_until=since)
    sandbox.config.lose_events = True
    return sandbox


def search() -> None:
    EventSearch.objects.update(searched_until=datetime.now(UTC) - timedelta(minutes=30))
    search_missed()
    drain()


def deliver_late(sandbox: Sandbox) -> None:
    sandbox.config.lose_events = False
    call_command("newstore_events", "replay", *replay_time())
    assert sandbox.stream.wait_idle()
    drain()


def test_a_sale_without_events_is_found_and_earns_once(searched: Sandbox, shown: Redemption) -> None:
    # The REST API names the code in the attribute, too.
    Program.objects.update(newstore_reward_attribute="loyalty_reward")
    searched.config.codes_in = "attribute"
    order_id = sell(searched)
    for _ in range(2):
        search()
        assert_sold(shown)
    alarm = Alarm.objects.get(kind=AlarmKind.MISSED)
    assert alarm.detail == f"orders without events, handled now: 1, of 1 so far: {order_id}"
    deliver_late(searched)
    assert_sold(shown)
    assert set(Event.objects.values_list("state", flat=True)) == {EventState.DONE}
    assert Order.objects.get().associate_id == "a-17", "only its late event names the associate"


def test_an_open_order_waits_for_its_completion(searched: Sandbox, shown: Redemption) -> None:
    order = searched.app.pay()
    order.state = "open"
    search()
    shown.refresh_from_db()
    assert (shown.state, Order.objects.get().earned_points) == (State.SETTLED, None)
    order.state = "closed"
    Event.objects.filter(state=EventState.WAITING).update(due_at=datetime.now(UTC))
    drain()
    assert_sold(shown)


def test_a_return_without_an_event_is_found_and_gives_back_once(searched: Sandbox, shown: Redemption) -> None:
    order = searched.app.pay()
    search()
    searched.orders.take_back(order)
    for _ in range(2):
        search()
        assert balance() == OPENING
    deliver_late(searched)
    assert balance() == OPENING
    assert ReturnRecord.objects.get().state == ReturnState.DONE
    assert Event.objects.filter(name="return.processed").count() == 1


def test_the_reconciliation_lists_orders_and_returns_of_the_day(
    searched: Sandbox, shown: Redemption, capsys: Any
) -> None:
    Redemption.objects.update(profile_id="")  # so the REST API lists nothing
    order = searched.app.pay()
    payload = searched.orders.take_back(order)
    output = reconcile(shown, capsys)
    assert f"order with our code never reached us  {order.order_id}" in output
    assert f"return never reached us               {payload['id']}" in output
    assert not Event.objects.exists(), "without --repair nothing changes"
    reconcile(shown, capsys, "--repair")
    drain()
    assert balance() == OPENING
    assert "0 gaps" in reconcile(shown, capsys)
