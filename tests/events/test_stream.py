"""Our registration with the event stream: command, hourly watch and admin, against the strict sandbox."""

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.util import module_from_spec
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings
from structlog.testing import capture_logs

from loyaltyview.events import stream
from loyaltyview.events.models import Alarm, AlarmKind
from loyaltyview.programs.models import Program
from loyaltyview.sandbox.app import Sandbox, SandboxConfig
from loyaltyview.sandbox.serve import serve_in_thread
from loyaltyview.work.registry import periodics

ID = "loyaltyview-acme"
ADDRESS = "https://loyalty.test/events/acme/newstore/"


@pytest.fixture(autouse=True)
def _fresh_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_warned", set())


@pytest.fixture
def sandbox(settings: Settings) -> Iterator[Sandbox]:
    settings.PUBLIC_URL = "https://loyalty.test/"
    running = serve_in_thread(Sandbox(SandboxConfig(client_secret="s3cret")))
    yield running.sandbox
    running.stop()


@pytest.fixture
def acme(program: Program, sandbox: Sandbox) -> Program:
    program.newstore_api_url = sandbox.base_url
    program.newstore_identity_url = sandbox.idp.issuer
    program.save()
    return program


def alarms() -> list[str]:
    return list(Alarm.objects.filter(kind=AlarmKind.STREAM, closed_at=None).values_list("detail", flat=True))


def test_registering_creates_a_running_integration(acme: Program, sandbox: Sandbox, capsys: Any) -> None:
    call_command("newstore_events", "register", "--program", "acme")
    made = sandbox.stream.integrations[ID]
    assert (made.callback_url, made.api_key, made.status) == (ADDRESS, "event-key", "running")
    assert {"order.opened", "return.processed", "refund_request.issued"} <= set(made.event_filter)
    assert capsys.readouterr().out == f"acme: {ID} is running, delivers to {ADDRESS}\n"


def test_registering_again_brings_address_and_key_up_to_date(
    acme: Program, sandbox: Sandbox, settings: Settings
) -> None:
    call_command("newstore_events", "register")
    acme.newstore_event_key = "new-key"
    acme.save()
    settings.PUBLIC_URL = "https://other.test"
    call_command("newstore_events", "register")
    made = sandbox.stream.integrations[ID]
    assert (made.callback_url, made.api_key) == ("https://other.test/events/acme/newstore/", "new-key")


def test_state_and_start_by_command(acme: Program, sandbox: Sandbox, capsys: Any) -> None:
    call_command("newstore_events", "status")
    call_command("newstore_events", "register")
    sandbox.stream.set_running(ID, running=False)
    call_command("newstore_events", "status")
    call_command("newstore_events", "start")
    call_command("newstore_events", "status")
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(",")[0] for line in lines] == [
        "acme: not registered", f"acme: {ID} is running", f"acme: {ID} is stopped", "acme: started",
        f"acme: {ID} is running",
    ]  # fmt: skip


def test_a_replay_ends_no_sooner_than_it_was_asked_to(acme: Program, sandbox: Sandbox) -> None:
    stream.replay(acme, datetime(2026, 3, 4, 15, tzinfo=UTC), datetime(2026, 3, 4, 16, 0, 0, 1, tzinfo=UTC))
    (made,) = sandbox.stream.integrations.values()
    assert (made.starts_at, made.ends_at) == ("2026-03-04T15:00:00Z", "2026-03-04T16:00:01Z")


def test_a_replay_is_an_integration_for_that_time(acme: Program, sandbox: Sandbox) -> None:
    for _ in range(2):
        call_command("newstore_events", "replay", "--from", "2026-03-04T15:00Z", "--to", "2026-03-04T16:00Z")
    (made,) = sandbox.stream.integrations.values()
    assert (made.integration_type, made.starts_at, made.ends_at, made.callback_url) == (
        "temporary", "2026-03-04T15:00:00Z", "2026-03-04T16:00:00Z", ADDRESS,
    )  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ["replay"],
        ["replay", "--from", "2026-03-04T15:00Z", "--to", "2026-03-04T14:00Z"],
        ["replay", "--from", "noon", "--to", "2026-03-04T14:00Z"],
        ["status", "--program", "nobody"],
    ],
)
def test_the_command_wants_to_know_what(arguments: list[str], acme: Program) -> None:
    with pytest.raises(CommandError):
        call_command("newstore_events", *arguments)


def test_without_a_public_address_nothing_is_registered(
    acme: Program, settings: Settings, capsys: Any
) -> None:
    settings.PUBLIC_URL = ""
    with pytest.raises(CommandError, match="acme"):
        call_command("newstore_events", "register")
    assert "PUBLIC_URL is not set" in capsys.readouterr().err


# --- The watch --------------------------------------------------------------------------------------


def test_the_watch_runs_every_hour() -> None:
    periodic = periodics["event stream watch"]
    assert (periodic.interval_s, periodic.run) == (3600, stream.watch)


def test_wrong_credentials_are_an_alarm_at_once(acme: Program, sandbox: Sandbox) -> None:
    acme.newstore_client_secret = "wrong"
    acme.save()
    stream.watch()
    assert alarms()[0].startswith("cannot be read")


def test_a_missing_stream_is_created_with_an_alarm(acme: Program, sandbox: Sandbox) -> None:
    stream.watch()
    assert ID in sandbox.stream.integrations
    assert alarms() == ["was missing at NewStore and has been created"]
    stream.watch()
    assert alarms() == []


def test_a_stopped_stream_is_started_with_an_alarm(acme: Program, sandbox: Sandbox) -> None:
    stream.register(acme)
    sandbox.stream.set_running(ID, running=False)
    stream.watch()
    assert sandbox.stream.integrations[ID].status == "running"
    assert alarms() == ["was stopped by NewStore and has been started again"]
    assert Alarm.objects.count() == 1


def test_a_stream_that_delivers_elsewhere_is_not_changed_and_raises_an_alarm(
    acme: Program, sandbox: Sandbox, settings: Settings
) -> None:
    stream.register(acme)
    settings.PUBLIC_URL = "https://other.test"
    stream.watch()
    assert sandbox.stream.integrations[ID].callback_url == ADDRESS
    assert alarms() == ["delivers to another address than ours"]


def watch_in_another_process() -> None:
    """As `worker --once` from cron does, and any other worker: nothing is in its memory."""
    spec = stream.__spec__
    assert spec is not None
    assert spec.loader is not None
    other = module_from_spec(spec)
    spec.loader.exec_module(other)
    other.watch()


def test_a_newstore_that_is_down_at_two_checks_raises_an_alarm_in_any_process(
    program: Program, settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://loyalty.test"
    watch_in_another_process()
    assert alarms() == []
    watch_in_another_process()
    assert alarms()[0].startswith("cannot be read")


def test_a_newstore_that_answered_in_between_is_no_alarm(acme: Program, sandbox: Sandbox) -> None:
    stream.register(acme)
    api_url = acme.newstore_api_url
    for address in ("http://127.0.0.1:1", api_url, "http://127.0.0.1:1"):
        Program.objects.update(newstore_api_url=address)
        watch_in_another_process()
        assert alarms() == []


def test_without_a_public_address_the_watch_says_so_once(program: Program, settings: Settings) -> None:
    settings.PUBLIC_URL = ""
    with capture_logs() as logs:
        stream.watch()
        stream.watch()
    assert [line["event"] for line in logs] == ["event_stream_not_watched"]
    assert alarms() == []


# --- In admin ---------------------------------------------------------------------------------------


def press(client: Client, program: Program, action: str, **fields: str) -> str:
    address = reverse("admin:events_stream")
    response = client.post(address, {"program": program.pk, "action": action, **fields}, follow=True)
    return response.content.decode()


def test_an_administrator_registers_looks_and_starts(
    acme: Program, sandbox: Sandbox, admin_client: Client
) -> None:
    assert "NewStore does not know our endpoint" in press(admin_client, acme, "status")
    assert f"{ID} is running" in press(admin_client, acme, "register")
    sandbox.stream.set_running(ID, running=False)
    assert f"{ID} is stopped" in press(admin_client, acme, "status")
    assert "The stream was started" in press(admin_client, acme, "start")
    assert sandbox.stream.integrations[ID].status == "running"
    assert LogEntry.objects.count() == 4


def test_an_administrator_has_events_delivered_again(
    acme: Program, sandbox: Sandbox, admin_client: Client
) -> None:
    assert "Say which time" in press(admin_client, acme, "replay", since="x", until="y")
    page = press(admin_client, acme, "replay", since="2026-03-04T15:00", until="2026-03-04T16:00")
    assert "delivers the events of that time again" in page
    (made,) = sandbox.stream.integrations.values()
    assert made.starts_at == "2026-03-04T15:00:00Z"


def test_the_former_key_is_forgotten_when_it_is_no_longer_needed(
    acme: Program, sandbox: Sandbox, admin_client: Client
) -> None:
    acme.newstore_event_key_previous = "old"
    acme.save()
    assert "Forget the former event key" in press(admin_client, acme, "register")
    assert "no longer accepted" in press(admin_client, acme, "forget_key")
    acme.refresh_from_db()
    assert acme.newstore_event_key_previous == ""


def test_trouble_and_alarms_are_shown(program: Program, settings: Settings, admin_client: Client) -> None:
    settings.PUBLIC_URL = "https://loyalty.test"
    stream.watch()
    stream.watch()
    assert "cannot be read" in admin_client.get(reverse("admin:events_stream")).content.decode()
    settings.PUBLIC_URL = ""
    assert "PUBLIC_URL is not set" in press(admin_client, program, "register")


def test_the_page_needs_the_right_to_change_programs(
    client: Client, program: Program, django_user_model: Any
) -> None:
    user = django_user_model.objects.create_user("clerk", is_staff=True)
    client.force_login(user)
    assert client.get(reverse("admin:events_stream")).status_code == 403
