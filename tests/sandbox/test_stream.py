"""Events over real HTTP, with a clock that the test sets."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from loyaltyview.sandbox.app import Sandbox, SandboxConfig
from loyaltyview.sandbox.integrations import Integration
from loyaltyview.sandbox.serve import serve_in_thread
from loyaltyview.sandbox.stream import EventStream
from tests.sandbox.conftest import Api, Listener

PATH = "/api/v1/org/integrations/eventstream"


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stream(clock: Clock, listener: Listener) -> EventStream:
    """A stream without a thread, whose only listener is `listener`."""
    stream = EventStream(SandboxConfig(), clock)
    stream.register(listener.url, "key", integration_id="ours")
    return stream


def test_event_arrives_once_in_its_envelope_with_the_key(stream: EventStream, listener: Listener) -> None:
    [delivery] = stream.emit("order.opened", {"id": "o-1"})
    assert stream.deliver_due() is None
    [body] = listener.bodies
    assert set(body) == {"tenant", "name", "published_at", "payload"}
    assert (body["tenant"], body["name"], body["payload"]) == ("acme-staging", "order.opened", {"id": "o-1"})
    assert listener.keys == ["Bearer key"]
    assert (delivery.status, delivery.attempts) == ("delivered", ["HTTP 200"])


def test_listener_without_key_gets_no_authorization(listener: Listener) -> None:
    stream = EventStream(SandboxConfig())
    stream.register(listener.url, None)
    stream.emit("order.opened", {})
    stream.flush()
    assert listener.keys == [""]


def test_server_errors_are_tried_again_on_schedule_until_the_stream_stops(
    stream: EventStream, listener: Listener, clock: Clock
) -> None:
    listener.answers = [500] * 6
    [delivery] = stream.emit("order.opened", {})
    waits = []
    while (wait_s := stream.deliver_due()) is not None:
        waits.append(wait_s)
        clock.now += wait_s
    assert waits == [1, 5, 30, 120, 600]
    assert (delivery.status, len(listener.bodies)) == ("failed", 6)
    assert stream.integrations["ours"].status == "stopped"


def test_stream_delivers_waiting_events_after_a_new_start(stream: EventStream, listener: Listener) -> None:
    listener.answers = [410]
    stream.emit("order.created", {})
    stream.emit("order.opened", {})
    stream.deliver_due()
    assert stream.integrations["ours"].status == "stopped"
    assert listener.names == ["order.created"]
    stream.set_running("ours", running=True)
    stream.deliver_due()
    assert listener.names == ["order.created", "order.created", "order.opened"]
    assert {delivery.status for delivery in stream.deliveries} == {"delivered"}


@pytest.mark.parametrize("status", [302, 400, 401, 413])
def test_other_refusals_reject_the_event_for_good(
    stream: EventStream, listener: Listener, status: int
) -> None:
    listener.answers = [status]
    [delivery] = stream.emit("order.opened", {})
    assert stream.deliver_due() is None
    assert (delivery.status, delivery.http_status) == ("rejected", status)
    assert stream.integrations["ours"].status == "running"


def test_silent_listener_is_tried_again(clock: Clock) -> None:
    stream = EventStream(SandboxConfig(), clock)
    stream.register("http://127.0.0.1:1/", "key")
    [delivery] = stream.emit("order.opened", {})
    assert stream.deliver_due() == 1
    assert (delivery.status, delivery.attempts) == ("pending", ["ConnectionError"])


def test_one_failing_event_does_not_hold_up_the_next(stream: EventStream, listener: Listener) -> None:
    listener.answers = [500, 200]
    stream.emit("order.created", {})
    stream.emit("order.opened", {})
    stream.deliver_due()
    assert [delivery.status for delivery in stream.deliveries] == ["pending", "delivered"]


def test_flush_sends_deliveries_that_are_not_due_yet(stream: EventStream, listener: Listener) -> None:
    listener.answers = [503]
    [delivery] = stream.emit("order.opened", {})
    stream.deliver_due()
    stream.flush()
    assert delivery.attempts == ["HTTP 503", "HTTP 200"]


def test_repeated_event_has_the_same_bytes(stream: EventStream, listener: Listener) -> None:
    [delivery] = stream.emit("order.opened", {"id": "o-1"})
    stream.send_again(delivery.number)
    stream.flush()
    assert listener.bodies[0] == listener.bodies[1]
    with pytest.raises(LookupError):
        stream.send_again(7)


def test_filter_and_missing_listeners_leave_an_event_unsent(stream: EventStream) -> None:
    stream.integrations["ours"].event_filter = ("order.opened",)
    [delivery] = stream.emit("order.created", {})
    assert delivery.status == "unsent"


def test_duplicates_can_be_switched_on(listener: Listener) -> None:
    stream = EventStream(SandboxConfig(duplicate_events=True))
    stream.register(listener.url, "key")
    stream.emit("order.opened", {})
    stream.flush()
    assert listener.names == ["order.opened"] * 2


NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.fixture
def day() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def replay(stream: EventStream, listener: Listener, **changes: Any) -> Integration:
    """Ask for events that were published between noon and one o'clock."""
    fields: dict[str, Any] = {
        "integration_id": "again",
        "integration_type": "temporary",
        "event_filter": ("order.opened", "order.completed"),
        "starts_at": "2026-03-04T12:00:00Z",
        "ends_at": "2026-03-04T13:00:00Z",
    }
    return stream.register(listener.url, "other-key", **fields | changes)


def test_temporary_integration_is_sent_the_past_once_more_and_stops(
    stream: EventStream, listener: Listener, day: time_machine.Traveller
) -> None:
    day.shift(-1)
    stream.emit("order.opened", {"id": "too-early"})
    day.shift(1)
    stream.emit("order.opened", {"id": "o-1"})
    stream.emit("order.cancelled", {"id": "not-asked-for"})
    day.shift(3600)
    stream.emit("order.completed", {"id": "o-1"})
    day.shift(1)
    stream.emit("order.opened", {"id": "too-late"})
    stream.flush()
    first = list(listener.bodies)

    again = replay(stream, listener)
    assert again.status == "running"
    stream.deliver_due()
    assert listener.bodies[len(first) :] == [first[1], first[3]]
    assert listener.keys[len(first) :] == ["Bearer other-key"] * 2
    assert [delivery.is_replay for delivery in stream.deliveries] == [False] * 5 + [True] * 2
    assert (again.status, stream.integrations["ours"].status) == ("stopped", "running")


def test_ended_replay_that_is_started_sends_again(
    stream: EventStream, listener: Listener, day: time_machine.Traveller
) -> None:
    stream.emit("order.opened", {})
    day.shift(7200)
    again = replay(stream, listener)
    stream.flush()
    stream.emit("order.opened", {})
    stream.set_running("again", running=True)
    stream.set_running("again", running=True)
    stream.flush()
    assert (len(listener.bodies), again.status) == (4, "stopped")


def test_interrupted_replay_goes_on_where_it_stopped(
    stream: EventStream, listener: Listener, day: time_machine.Traveller
) -> None:
    stream.emit("order.opened", {})
    stream.emit("order.completed", {})
    stream.flush()
    day.shift(7200)
    listener.answers = [410]
    again = replay(stream, listener)
    stream.deliver_due()
    assert again.status == "stopped"
    stream.set_running("again", running=True)
    stream.deliver_due()
    assert listener.names[2:] == ["order.opened", "order.opened", "order.completed"]
    assert again.status == "stopped"


def test_replay_of_a_time_without_events_ends_at_once(stream: EventStream, listener: Listener) -> None:
    assert replay(stream, listener).status == "stopped"


def test_temporary_integration_listens_until_its_end(
    stream: EventStream, listener: Listener, day: time_machine.Traveller
) -> None:
    stream.emit("order.opened", {"id": "before"})
    again = replay(stream, listener)
    stream.emit("order.opened", {"id": "now"})
    day.shift(600)
    assert stream.deliver_due() == 3000
    assert (again.status, len(listener.bodies)) == ("running", 4)
    day.shift(3001)
    assert stream.deliver_due() is None
    assert again.status == "stopped"


def test_lost_events_can_be_sent_again_and_the_oldest_are_dropped(
    listener: Listener, day: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loyaltyview.sandbox.stream.MOST_PUBLICATIONS", 2)
    config = SandboxConfig(lose_events=True)
    stream = EventStream(config)
    stream.register(listener.url, "key")
    for number in range(3):
        stream.emit("order.opened", {"id": number})
    stream.flush()
    assert listener.bodies == []
    config.lose_events = False
    day.shift(7200)
    replay(stream, listener)
    stream.flush()
    assert [body["payload"]["id"] for body in listener.bodies] == [1, 2]


@pytest.fixture
def served(listener: Listener) -> Iterator[Sandbox]:
    running = serve_in_thread(Sandbox(SandboxConfig(events_url=listener.url, event_key="key")))
    yield running.sandbox
    running.stop()


def test_served_sandbox_delivers_by_itself(served: Sandbox, listener: Listener) -> None:
    served.app.log_in("a-17")
    served.app.pay()
    assert served.stream.wait_idle(5)
    assert listener.names == ["order.created", "order.opened", "order.completed"]


CREATE: dict[str, Any] = {
    "id": "acme-loyalty",
    "integration_type": "permanent",
    "starts_at": "2026-01-01T00:00:00Z",
    "ends_at": None,
    "callback_parameters": {"callback_url": "http://127.0.0.1:1/", "api_key": "long"},
    "filter_conditions": {"event_filter": ["order.opened"], "entity_filter": []},
}


def test_integration_is_created_running_and_its_key_stays_secret(api: Api) -> None:
    made = api.call("POST", PATH, CREATE)
    assert (made.status_code, made.json()["status"]) == (201, "running")
    assert "long" not in made.text
    assert api.call("GET", PATH).json()["integrations"] == [made.json()]
    assert api.call("GET", f"{PATH}/acme-loyalty").json() == made.json()


def test_integration_is_changed_stopped_and_started(api: Api) -> None:
    api.call("POST", PATH, CREATE)
    change = {"callback_parameters": {"callback_url": "http://127.0.0.1:2/"}}
    changed = api.call("PATCH", f"{PATH}/acme-loyalty", change).json()
    assert changed["callback_parameters"] == {"callback_url": "http://127.0.0.1:2/"}
    assert changed["filter_conditions"]["event_filter"] == ["order.opened"]
    assert api.call("POST", f"{PATH}/acme-loyalty/_stop", {}).json()["status"] == "stopped"
    assert api.call("POST", f"{PATH}/acme-loyalty/_start", {}).json()["status"] == "running"


TEMPORARY = {**CREATE, "integration_type": "temporary", "ends_at": "2026-01-02T00:00:00Z"}


def test_replay_is_created_and_its_time_changed(api: Api) -> None:
    made = api.call("POST", PATH, TEMPORARY)
    assert (made.status_code, made.json()["integration_type"]) == (201, "temporary")
    later = api.call("PATCH", f"{PATH}/acme-loyalty", {"ends_at": "2026-01-03T00:00:00Z"})
    assert later.json()["ends_at"] == "2026-01-03T00:00:00Z"
    assert api.call("PATCH", f"{PATH}/acme-loyalty", {"ends_at": None}).status_code == 400


@pytest.mark.parametrize(
    "time",
    [{"ends_at": None}, {"ends_at": "noon"}, {"ends_at": "2026-01-02"}, {"starts_at": "2026-02-01T00:00Z"}],
)
def test_replay_without_a_right_time_is_refused(api: Api, time: dict[str, Any]) -> None:
    assert api.call("POST", PATH, {**TEMPORARY, **time}).status_code == 400


def test_unknown_integration_is_not_found(api: Api) -> None:
    answer = api.call("GET", f"{PATH}/nobody")
    assert (answer.status_code, answer.json()["error_code"]) == (404, "resource_not_found")


@pytest.mark.parametrize(
    "change",
    [
        {"id": 1},
        {"integration_type": "forever"},
        {"callback_parameters": {}},
        {"callback_parameters": {"callback_url": "ftp://x/"}},
        {"callback_parameters": {"callback_url": "http://x/", "secret": "s"}},
        {"filter_conditions": {"event_filter": "order.opened"}},
        {"filter_conditions": {"event_filter": [1]}},
        {"name": "ours"},
    ],
)
def test_wrong_integration_is_refused(api: Api, change: dict[str, Any]) -> None:
    assert api.call("POST", PATH, {**CREATE, **change}).status_code == 400


def test_id_is_taken_once_and_there_are_at_most_25(api: Api) -> None:
    assert [api.call("POST", PATH, CREATE).status_code for _ in range(2)] == [201, 409]
    for number in range(24):
        api.call("POST", PATH, {**CREATE, "id": f"i-{number}"})
    assert api.call("POST", PATH, {**CREATE, "id": "one-more"}).status_code == 422
