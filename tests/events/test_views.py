"""The endpoint as NewStore's event stream meets it: which status, and what is stored."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.db import OperationalError, connection
from django.test import Client, RequestFactory
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from loyaltyview.events.models import Alarm, AlarmKind, Event, EventState
from loyaltyview.events.views import newstore_event
from loyaltyview.programs import program_cache
from loyaltyview.programs.models import Program

from .conftest import Deliver, post
from .deliveries import ORDER, cancelled, envelope, order

OPENED = envelope("order.opened", order())


@pytest.fixture
def chunked(program: Program) -> Callable[..., int]:
    """Post a body without Content-Length, as gunicorn passes on a chunked one."""

    def send(body: bytes, *, is_terminated: bool = True) -> int:
        environ = RequestFactory().post("/events/acme/newstore/").environ
        environ.pop("CONTENT_LENGTH", None)
        environ["HTTP_AUTHORIZATION"] = "Bearer event-key"
        environ["wsgi.input"] = io.BytesIO(body)
        environ["wsgi.input_terminated"] = is_terminated
        return newstore_event(WSGIRequest(environ), "acme").status_code

    return send


def test_a_delivery_is_stored_and_answered_200(client: Client, program: Program) -> None:
    response = post(client, OPENED)
    assert (response.status_code, response.content) == (200, b"")
    event = Event.objects.get()
    assert (event.name, event.subject, event.state) == ("order.opened", ORDER, EventState.WAITING)
    assert event.due_at is not None
    assert event.published_at is not None
    assert event.published_at.isoformat() == "2026-03-04T15:22:07.318000+00:00"


def test_a_duplicate_is_answered_200_and_stored_once(client: Client, program: Program) -> None:
    assert [post(client, OPENED).status_code for _ in range(3)] == [200, 200, 200]
    assert Event.objects.count() == 1


@pytest.mark.parametrize("key", ["wrong", "", "event-key2", "event-ke", "évent-key", "Event-key"])
def test_a_wrong_key_is_answered_401_and_nothing_is_stored(
    key: str, client: Client, program: Program
) -> None:
    assert post(client, OPENED, key).status_code == 401
    assert Event.objects.count() == 0


@pytest.mark.parametrize("header", ["", "event-key", "Basic event-key", "Bearer", "Bearer "])
def test_a_malformed_authorization_is_answered_401(header: str, client: Client, program: Program) -> None:
    response = client.post(
        "/events/acme/newstore/",
        data=OPENED,
        content_type="application/json",
        headers={"authorization": header} if header else {},
    )
    assert response.status_code == 401


def test_while_keys_are_changed_both_are_accepted(client: Client, program: Program) -> None:
    Program.objects.update(newstore_event_key="new-key", newstore_event_key_previous="event-key")
    program.refresh_from_db()
    assert [post(client, OPENED, key).status_code for key in ("new-key", "event-key", "other", "")] == [
        200, 200, 401, 401,
    ]  # fmt: skip
    program.newstore_event_key_previous = ""
    program.save()
    assert post(client, OPENED, "event-key").status_code == 401


def test_a_key_that_another_process_changed_just_now_is_accepted(client: Client, program: Program) -> None:
    assert post(client, envelope("order.created", order())).status_code == 200
    program.newstore_event_key, program.newstore_event_key_previous = "new-key", "event-key"
    # Not `save`: that informs this process.
    Program.objects.bulk_update([program], ["newstore_event_key", "newstore_event_key_previous"])
    assert post(client, envelope("order.opened", order()), "new-key").status_code == 200


def test_an_empty_configured_key_matches_nothing(client: Client, program: Program) -> None:
    Program.objects.update(newstore_event_key="")
    assert post(client, OPENED, "").status_code == 401


@pytest.mark.parametrize("slug", ["nobody", "acm", "a b", "%00", "%C3%28", "x" * 300])
def test_an_unknown_program_looks_like_a_wrong_key(slug: str, client: Client, program: Program) -> None:
    assert post(client, OPENED, program=slug).status_code == 401


def test_the_address_without_its_slash_works_too(client: Client, program: Program) -> None:
    response = client.post(
        "/events/acme/newstore",
        data=OPENED,
        content_type="application/json",
        headers={"authorization": "bearer event-key"},
    )
    assert response.status_code == 200


def test_a_browser_is_answered_405(client: Client, program: Program) -> None:
    response = client.get("/events/acme/newstore/")
    assert (response.status_code, response["Allow"]) == (405, "POST")


def test_no_csrf_token_is_asked_for(program: Program) -> None:
    assert post(Client(enforce_csrf_checks=True), OPENED).status_code == 200


def test_a_body_above_the_limit_is_answered_413_without_reading_it(program: Program) -> None:
    request = RequestFactory().post(
        "/events/acme/newstore/", data=b"", content_type="application/json", CONTENT_LENGTH="1048577"
    )
    request.META["HTTP_AUTHORIZATION"] = "Bearer event-key"
    request.environ["wsgi.input"] = None
    assert newstore_event(request, "acme").status_code == 413


def test_a_body_at_the_limit_is_stored(client: Client, program: Program) -> None:
    body = OPENED + b" " * (1_048_576 - len(OPENED))
    assert post(client, body).status_code == 200
    assert not Alarm.objects.exists()


def test_a_body_above_the_limit_raises_one_alarm_and_is_not_stored(client: Client, program: Program) -> None:
    for _ in range(2):
        assert post(client, b" " * 1_048_577).status_code == 413
    alarm = Alarm.objects.get()
    assert (alarm.kind, alarm.subject, alarm.closed_at) == (AlarmKind.TOO_LARGE, "newstore", None)
    assert "EVENT_MAX_BYTES (1048576)" in alarm.detail
    assert not Event.objects.exists()


def test_a_stranger_raises_no_alarm_with_a_large_body(client: Client, program: Program) -> None:
    assert post(client, b" " * 1_048_577, key="wrong").status_code == 401
    assert not Alarm.objects.exists()


def test_a_chunked_body_is_read_within_bounds(chunked: Callable[..., int]) -> None:
    assert chunked(OPENED) == 200
    assert Event.objects.get().name == "order.opened"
    assert chunked(b"x" * 1_048_577) == 413
    assert Event.objects.count() == 1


def test_a_body_without_an_end_is_not_waited_for(chunked: Callable[..., int]) -> None:
    assert chunked(OPENED, is_terminated=False) == 200
    assert Event.objects.get().state == EventState.DEAD


def test_a_body_that_breaks_off_is_not_stored(program: Program) -> None:
    request = RequestFactory().post(
        "/events/acme/newstore/", data=OPENED, content_type="application/json", CONTENT_LENGTH="100000"
    )
    request.META["HTTP_AUTHORIZATION"] = "Bearer event-key"
    request._stream = io.BytesIO(OPENED)  # type: ignore[attr-defined]
    assert newstore_event(request, "acme").status_code == 503
    assert Event.objects.count() == 0


def test_without_a_database_the_answer_is_503(
    client: Client, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("connection refused")

    assert post(client, OPENED, "wrong").status_code == 401  # the program is known now
    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", away)
        assert post(client, OPENED).status_code == 503
        program_cache.forget()
        assert post(client, OPENED).status_code == 503
    assert Event.objects.count() == 0


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe{}", "not JSON"),
        (b'{"name": NaN}', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"name": "x", "payload": ' + b"[" * 2000 + b"]" * 2000 + b"}", "not JSON"),
        (b'{"name": "x", "payload": ' + b"9" * 5000 + b"}", "not JSON"),
        (b'{"name": "x", "payload": 1e99999999999999999999}', "not JSON"),
        (b"[]", "not an object"),
        (b"null", "not an object"),
        (b'{"payload": {"id": "1"}}', "no name"),
        (b'{"name": "", "payload": {}}', "no name"),
        (b'{"name": "a\\u0000b", "payload": {}}', "no name"),
        (b'{"name": "\\ud800", "payload": {}}', "no name"),
        (b'{"name": "' + b"x" * 101 + b'"}', "no name"),
        (b'{"name": "order.opened"}', "no payload.id"),
        (b'{"name": "order.opened", "payload": {"id": 7}}', "no payload.id"),
        (b'{"name": "order.opened", "payload": {"id": "\\u0000"}}', "no payload.id"),
        (envelope("order.opened", order(), tenant="other"), "of another tenant"),
    ],
)
def test_what_cannot_be_understood_is_kept_as_dead(
    body: bytes, problem: str, client: Client, program: Program
) -> None:
    assert post(client, body).status_code == 200
    event = Event.objects.get()
    assert (event.state, event.due_at) == (EventState.DEAD, None)
    assert event.last_error.startswith(problem)
    alarm = Alarm.objects.get()
    assert (alarm.kind, alarm.subject, alarm.closed_at) == (AlarmKind.DEAD, "", None)
    assert problem in alarm.detail


def test_a_dead_delivery_does_not_block_a_readable_one(client: Client, program: Program) -> None:
    post(client, envelope("order.opened", order(), tenant="other"))
    post(client, OPENED)
    assert set(Event.objects.values_list("state", flat=True)) == {EventState.DEAD, EventState.WAITING}


def test_an_unknown_name_is_kept_as_ignored(deliver: Deliver) -> None:
    assert deliver("invoice.created", {"id": "i-1"}) == 200
    assert deliver("some.day", None) == 200
    assert set(Event.objects.values_list("state", "due_at")) == {(EventState.IGNORED, None)}


def test_events_that_repeat_an_orders_id_are_compared_by_content(deliver: Deliver) -> None:
    for items in (["item-1"], ["item-2"], ["item-1"]):
        deliver("order.items_cancelled", cancelled(*items))
    assert Event.objects.count() == 2
    deliver("payment_account.amount_refunded", {"id": ORDER, "transactions": [{"id": "t1"}]})
    deliver("payment_account.amount_refunded", {"id": ORDER, "transactions": [{"id": "t2"}]})
    assert Event.objects.count() == 4


def test_the_same_id_under_another_name_is_another_event(deliver: Deliver) -> None:
    deliver("order.created", order())
    deliver("order.opened", order())
    assert Event.objects.count() == 2


def test_addresses_and_payments_are_not_stored(deliver: Deliver) -> None:
    payments = [{"instruments": [{"payment_method": "card"}]}]
    deliver("order.opened", order(payments=payments, total=12.50, exact=0.1))
    stored = bytes(Event.objects.get().payload)
    assert not [word for word in (b"address", b"Main St", b"payment", b"card") if word in stored]
    kept = json.loads(stored)
    assert kept["payload"]["customer_email"] == "mia@example.test"
    assert (kept["payload"]["total"], kept["payload"]["exact"]) == (12.5, 0.1)


def test_a_body_without_such_blocks_is_stored_byte_for_byte(client: Client, program: Program) -> None:
    body = b'{ "name":"invoice.created",\n "payload": {"amount": 10.00} }'
    post(client, body)
    assert bytes(Event.objects.get().payload) == body


def test_only_harmless_headers_are_stored(client: Client, program: Program) -> None:
    post(client, OPENED)
    assert Event.objects.get().headers == {"content-type": "application/json", "user-agent": "newstore"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
envelopes = st.fixed_dictionaries(
    {"name": st.sampled_from(["order.opened", "return.processed"]) | json_values, "payload": json_values},
    optional={"tenant": json_values, "published_at": json_values},
).map(lambda value: json.dumps(value).encode())
FUZZ = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(body=st.binary(max_size=300) | envelopes)
@example(
    body=b'{"name": "order.opened", "payload": {"id": "1"}, "published_at": "0001-01-01T00:00:00+23:59"}'
)
@example(body=b'{"name": "order.opened", "payload": {"id": "1"}, "published_at": "2026-02-31T00:00:00"}')
@example(body=b'{"name": "x", "payload": {"billing_address": 1, "a": 1e400, "b": "\\ud800\\u0000"}}')
def test_any_bytes_with_the_right_key_are_answered_200(body: bytes, client: Client, program: Program) -> None:
    assert post(client, body).status_code == 200


@FUZZ
@given(body=st.binary(max_size=300), key=st.text(st.characters(codec="latin-1", exclude_categories=["Cc"])))
def test_any_bytes_with_a_wrong_key_are_answered_401(
    body: bytes, key: str, client: Client, program: Program
) -> None:
    assert post(client, body, f"wrong {key}").status_code == 401
