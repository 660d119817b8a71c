"""A vendor's webhooks: who may send them, what is kept, and what they do."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from loyaltyview.events.models import Alarm, AlarmKind, Event, EventSource, EventState
from loyaltyview.newstore.models import UsedCode
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.commands import Actor
from loyaltyview.redemptions.models import IssuedCode, Redemption, State
from loyaltyview.redemptions.release import undo
from providers.errors import AuthFailed, UnexpectedAnswer, Unsupported
from providers.types import WebhookEvent, WebhookRequest

from .conftest import Work
from .deliveries import ORDER
from .vendor import Books, MemoryVendor

SECRET = "s3cret-path"


@pytest.fixture
def hooked(program: Program, books: Books, monkeypatch: pytest.MonkeyPatch) -> Program:
    """A program whose vendor's deliveries are "event_id name provider_ref" lines."""

    def parse(self: MemoryVendor, request: WebhookRequest) -> tuple[WebhookEvent, ...]:
        if request.headers.get("x-signature") != "good":
            raise AuthFailed("wrong signature")
        lines = [line.split() for line in request.body.decode().splitlines()]
        if not all(len(line) == 3 for line in lines):
            raise UnexpectedAnswer("not three words")
        return tuple(WebhookEvent(event_id=i, name=name, provider_ref=ref) for i, name, ref in lines)

    monkeypatch.setattr(MemoryVendor, "parse_webhook", parse)
    program.provider_webhook_secret = SECRET
    program.save()
    return program


def send(
    client: Client, body: str, secret: str = SECRET, signature: str = "good", program: str = "acme"
) -> int:
    return client.post(
        f"/events/{program}/provider/{secret}/",
        data=body.encode(),
        content_type="application/json",
        headers={"x-signature": signature},
    ).status_code


def test_a_delivery_is_stored_once_before_it_is_answered(client: Client, hooked: Program) -> None:
    assert [send(client, "e-1 member_changed mia") for _ in range(2)] == [200, 200]
    event = Event.objects.get()
    assert (event.source, event.name, event.dedupe_key) == (EventSource.PROVIDER, "member_changed", "e-1")
    assert (event.state, event.due_at is not None) == (EventState.WAITING, True)


def test_one_delivery_may_tell_of_many_things(client: Client, hooked: Program) -> None:
    assert send(client, "e-1 member_changed mia\ne-2 low_stock tote") == 200
    assert Event.objects.count() == 2


@pytest.mark.parametrize("secret", ["wrong", SECRET + "x", SECRET[:-1], "é", "%00"])
def test_a_wrong_secret_is_answered_404(secret: str, client: Client, hooked: Program) -> None:
    assert send(client, "e-1 low_stock tote", secret) == 404
    assert Event.objects.count() == 0


def test_without_a_secret_nothing_is_accepted(client: Client, hooked: Program) -> None:
    hooked.provider_webhook_secret = ""
    hooked.save()
    assert client.post("/events/acme/provider//").status_code == 404
    assert send(client, "e-1 low_stock tote", "none") == 404


def test_an_unknown_program_is_answered_404(client: Client, hooked: Program) -> None:
    assert send(client, "e-1 low_stock tote", program="nobody") == 404


def test_a_wrong_signature_is_answered_401(client: Client, hooked: Program) -> None:
    assert send(client, "e-1 low_stock tote", signature="bad") == 401
    assert Event.objects.count() == 0


def test_a_body_above_the_limit_is_answered_413(client: Client, hooked: Program) -> None:
    assert send(client, "x" * 1_048_577) == 413
    assert Alarm.objects.get().kind == AlarmKind.TOO_LARGE


def test_what_the_adapter_does_not_understand_is_kept_as_dead(
    client: Client, hooked: Program, work: Work
) -> None:
    assert send(client, "what?") == 200
    event = Event.objects.get()
    assert (event.state, event.last_error) == (EventState.DEAD, "not understood: not three words")
    Event.objects.update(state=EventState.WAITING, due_at=timezone.now())
    work()
    event.refresh_from_db()
    assert (event.state, bytes(event.payload)) == (EventState.DEAD, b"what?")


def test_a_vendor_without_webhooks_has_no_such_address(
    client: Client, hooked: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parse(self: MemoryVendor, request: WebhookRequest) -> Any:
        raise Unsupported("parse_webhook")

    monkeypatch.setattr(MemoryVendor, "parse_webhook", parse)
    assert send(client, "e-1 low_stock tote") == 404


def test_without_a_database_the_vendor_is_asked_to_come_again(
    client: Client, hooked: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(Event.objects, "bulk_create", away)
    assert send(client, "e-1 low_stock tote") == 503


def test_an_event_of_an_unhandled_name_is_stored_as_ignored(
    client: Client, hooked: Program, work: Work
) -> None:
    send(client, "e-1 birthday mia")
    assert (Event.objects.get().state, work()) == (EventState.IGNORED, 0)


def test_a_changed_member_needs_nothing(client: Client, hooked: Program, work: Work) -> None:
    send(client, "e-1 member_changed mia")
    work()
    assert Event.objects.get().state == EventState.DONE


def test_low_stock_is_one_open_alarm_a_reward(client: Client, hooked: Program, work: Work) -> None:
    send(client, "e-1 low_stock tote\ne-2 low_stock tote\ne-3 low_stock mug")
    work()
    assert set(Alarm.objects.values_list("kind", "subject", "closed_at")) == {
        (AlarmKind.LOW_STOCK, "tote", None),
        (AlarmKind.LOW_STOCK, "mug", None),
    }


def test_a_spend_that_the_program_cancelled_is_released(
    client: Client, hooked: Program, work: Work, redemption: Redemption
) -> None:
    send(client, "e-1 spend_cancelled ref-1")
    work()
    redemption.refresh_from_db()
    assert redemption.state == State.RELEASED
    line = redemption.transitions.first()
    assert line is not None
    assert (line.actor, line.reason) == ("provider", "cancelled by the program")


@pytest.mark.parametrize(
    ("disables", "effect"),
    [(True, "its code is switched off at NewStore"), (False, "NewStore takes its code until 12:15 UTC")],
)
def test_a_spend_that_the_program_cancelled_is_an_alarm_and_its_code_is_switched_off(
    disables: bool, effect: str, client: Client, hooked: Program, work: Work, redemption: Redemption
) -> None:
    Program.objects.update(newstore_disable_codes=disables)
    with time_machine.travel(datetime(2026, 11, 30, 12, tzinfo=UTC), tick=False):
        now = timezone.now()
        Redemption.objects.update(code_expires_at=now + timedelta(minutes=15))
        IssuedCode.objects.filter(redemption=redemption).delete()
        IssuedCode.objects.create(program=hooked, redemption=redemption, code=redemption.code, issued_at=now)
        for number in (1, 2):
            send(client, f"e-{number} spend_cancelled ref-1")
            work()
    alarm = Alarm.objects.get(kind=AlarmKind.CANCELLED)
    assert (alarm.subject, alarm.closed_at) == (str(redemption.pk), None)
    assert effect in alarm.detail
    assert redemption.code not in alarm.detail
    assert UsedCode.objects.filter(code=redemption.code).exists() == disables


def test_a_code_that_was_given_back_before_raises_no_alarm(
    client: Client, hooked: Program, work: Work, redemption: Redemption
) -> None:
    undo(redemption.pk, Actor(name="a-17"))
    send(client, "e-1 spend_cancelled ref-1")
    work()
    assert (Event.objects.get().state, Alarm.objects.count()) == (EventState.DONE, 0)


@pytest.mark.parametrize("state", [State.USED, State.SETTLED])
def test_a_cancelled_spend_that_an_order_used_is_for_a_person(
    state: State, client: Client, hooked: Program, work: Work, redemption: Redemption
) -> None:
    Redemption.objects.update(state=state, order_id=ORDER)
    send(client, "e-1 spend_cancelled ref-1")
    work()
    redemption.refresh_from_db()
    assert redemption.state == State.STUCK
    assert ORDER in redemption.last_error
    assert "an order had used it" in Alarm.objects.get(kind=AlarmKind.CANCELLED).detail


@pytest.mark.parametrize("state", [State.RELEASED, State.STUCK])
def test_a_cancelled_spend_that_is_over_changes_nothing(
    state: State, client: Client, hooked: Program, work: Work, redemption: Redemption
) -> None:
    Redemption.objects.update(state=state)
    send(client, "e-1 spend_cancelled ref-1")
    work()
    redemption.refresh_from_db()
    assert (redemption.state, Event.objects.get().state) == (state, EventState.DONE)


def test_a_cancelled_spend_waits_a_minute_for_its_redemption(
    client: Client, hooked: Program, work: Work
) -> None:
    send(client, "e-1 spend_cancelled ref-of-the-web-shop")
    work()
    assert Event.objects.get().state == EventState.WAITING
    Event.objects.update(received_at=timezone.now() - timedelta(minutes=2))
    work()
    assert Event.objects.get().state == EventState.DONE


def test_a_cancelled_spend_whose_outcome_is_unknown_waits(
    client: Client, hooked: Program, work: Work, redemption: Redemption
) -> None:
    Redemption.objects.update(state=State.UNCERTAIN)
    send(client, "e-1 spend_cancelled ref-1")
    work()
    assert Event.objects.get().state == EventState.WAITING
