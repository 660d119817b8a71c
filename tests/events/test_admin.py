"""What administrators see of events: personal data only on request, and replays leave a trace."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from loyaltyview.events.alarms import raise_dead
from loyaltyview.events.inbox import store_unreadable
from loyaltyview.events.models import Alarm, AlarmKind, Event, EventState, Order, ReturnRecord
from loyaltyview.programs.models import Program

from .conftest import Deliver, post
from .deliveries import order, returned


@pytest.fixture
def clerk(db: None, client: Client) -> User:
    """May look at and replay events, but not see personal data."""
    user = User.objects.create_user("clerk", is_staff=True)
    codenames = [
        f"{verb}_{name}" for verb in ("view", "change") for name in ("event", "order", "returnrecord")
    ]
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)
    return user


def page_of(client: Client, event: Event, query: str = "") -> str:
    response = client.get(reverse("admin:events_event_change", args=[event.pk]) + query)
    assert response.status_code == 200
    return response.content.decode()


def test_personal_data_in_a_payload_is_masked(deliver: Deliver, client: Client, clerk: User) -> None:
    extra = [{"name": "birthday", "value": "1990-01-01"}]
    unknown = {"firstName": "Mia-Lou", "lastName": "Stone", "birthdate": "1990-02-02", "mobile": "555-0199"}
    deliver("order.opened", order(customer_phone="+16175550100", extended_attributes=extra, **unknown))
    page = page_of(client, Event.objects.get())
    assert "ACM000123" in page
    for personal in (
        *unknown.values(),
        "mia@example.test",
        "kim@acme.test",
        "+16175550100",
        "1990-01-01",
        "1 Main St",
    ):
        assert personal not in page


def test_asking_for_the_full_payload_needs_a_permission(
    deliver: Deliver, client: Client, clerk: User
) -> None:
    deliver("order.opened", order())
    assert "mia@example.test" not in page_of(client, Event.objects.get(), "?reveal=1")
    clerk.user_permissions.add(Permission.objects.get(codename="reveal_payload"))
    assert "mia@example.test" not in page_of(client, Event.objects.get())
    assert LogEntry.objects.count() == 0
    assert "mia@example.test" in page_of(client, Event.objects.get(), "?reveal=1")
    assert LogEntry.objects.get().user == clerk


def test_a_payload_that_is_not_json_is_not_shown(deliver: Deliver, client: Client, clerk: User) -> None:
    post(client, b"mia@example.test <script>")
    page = page_of(client, Event.objects.get())
    assert "mia@example.test" not in page
    assert "Not JSON: 25 bytes" in page


def test_a_payload_in_full_is_escaped(deliver: Deliver, client: Client, clerk: User) -> None:
    clerk.user_permissions.add(Permission.objects.get(codename="reveal_payload"))
    post(client, b"<script>alert(1)</script>\xff")
    page = page_of(client, Event.objects.get(), "?reveal=1")
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page


def test_dead_events_can_be_replayed(deliver: Deliver, client: Client, clerk: User) -> None:
    deliver("order.opened", order())
    Event.objects.update(state=EventState.DEAD, due_at=None)
    event = Event.objects.get()
    raise_dead(event.program, event.name, "Rejected: no")
    response = client.post(
        reverse("admin:events_event_changelist"),
        {"action": "replay_events", "_selected_action": [event.pk]},
        follow=True,
    )
    assert "1 event will be handled again." in response.content.decode()
    event.refresh_from_db()
    assert (event.state, event.due_at is not None) == (EventState.WAITING, True)
    assert LogEntry.objects.get().user == clerk
    assert Alarm.objects.get(kind=AlarmKind.DEAD).closed_at is not None


def test_orders_and_returns_are_listed_and_nothing_can_be_added(
    deliver: Deliver, client: Client, clerk: User, books: object, work: object
) -> None:
    deliver("order.opened", order())
    deliver("return.processed", returned(order_id=None))
    work()  # type: ignore[operator]
    pages = {
        "order": (Order.objects.get().pk, "ACM000123"),
        "returnrecord": (ReturnRecord.objects.get().pk, "return-1"),
        "event": (Event.objects.first().pk, "return.processed"),  # type: ignore[union-attr]
    }
    for name, (pk, text) in pages.items():
        for address in (
            reverse(f"admin:events_{name}_changelist"),
            reverse(f"admin:events_{name}_change", args=[pk]),
        ):
            assert text in client.get(address).content.decode()
        assert client.get(reverse(f"admin:events_{name}_add")).status_code == 403


def test_a_vendors_body_that_the_adapter_did_not_understand_is_not_shown(
    program: Program, client: Client, clerk: User
) -> None:
    store_unreadable(program, b'{"customer": {"firstName": "Mia", "zip": "02110"}}', "no event id")
    event = Event.objects.get()
    for state in (EventState.DEAD, EventState.WAITING):  # as it was stored, and when it was replayed
        Event.objects.update(state=state)
        page = page_of(client, event)
        assert "Not understood: 50 bytes" in page
        assert "02110" not in page
    clerk.user_permissions.add(Permission.objects.get(codename="reveal_payload"))
    assert "02110" in page_of(client, event, "?reveal=1")


def test_a_stream_of_no_program_is_not_found(admin_client: Client, program: Program) -> None:
    for name in ("x", "", "999", "9" * 30, "9" * 5000, "²"):
        answer = {"program": name, "action": "start"}
        assert admin_client.post(reverse("admin:events_stream"), answer).status_code == 404
