"""What administrators decide about returns, and what they see of exchanges and alarms."""

from typing import Any

from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from loyaltyview.events.alarms import raise_alarm
from loyaltyview.events.models import Alarm, AlarmKind, Event, Order, ReturnRecord, ReturnState
from loyaltyview.programs.models import Program

from .conftest import Deliver, Work
from .deliveries import ORDER, completed, item, order, returned
from .vendor import Books


def blind(deliver: Deliver, work: Work) -> ReturnRecord:
    deliver("order.opened", order())
    deliver("order.completed", completed())
    deliver("return.processed", returned(45.0, order_id=None))
    work()
    return ReturnRecord.objects.get()


def assign(client: Client, record: ReturnRecord, order_id: str) -> str:
    fields: dict[str, Any] = {"order_id": order_id, "parts-TOTAL_FORMS": 0, "parts-INITIAL_FORMS": 0}
    address = reverse("admin:events_returnrecord_change", args=[record.pk])
    return client.post(address, fields, follow=True).content.decode()


def test_a_blind_return_is_given_its_order_by_the_number_on_the_receipt(
    deliver: Deliver, work: Work, books: Books, admin_client: Client
) -> None:
    record = blind(deliver, work)
    assert "There is no such order" in assign(admin_client, record, "ACM999999")
    assign(admin_client, record, "ACM000123")
    assert Event.objects.get(name="return.processed").subject == ORDER
    work()
    record.refresh_from_db()
    assert (record.state, record.order_id, record.points_taken) == (ReturnState.DONE, ORDER, -45)
    assert books.points("mia") == 45
    assert LogEntry.objects.exists()


def test_a_return_that_has_its_order_keeps_it(
    deliver: Deliver, work: Work, books: Books, admin_client: Client
) -> None:
    record = blind(deliver, work)
    assign(admin_client, record, ORDER)
    work()
    deliver("order.opened", order(id="order-2", external_id="ACM000124"))
    work()
    assign(admin_client, record, "order-2")
    record.refresh_from_db()
    assert record.order_id == ORDER


def test_a_return_whose_event_is_deleted_cannot_be_assigned(
    deliver: Deliver, work: Work, books: Books, admin_client: Client
) -> None:
    record = blind(deliver, work)
    Event.objects.filter(name="return.processed").delete()
    assert "no longer kept" in assign(admin_client, record, ORDER)
    record.refresh_from_db()
    assert record.state == ReturnState.PARKED


def test_a_blind_return_can_be_closed(
    deliver: Deliver, work: Work, books: Books, admin_client: Client
) -> None:
    record = blind(deliver, work)
    for _ in range(2):
        admin_client.post(
            reverse("admin:events_returnrecord_changelist"),
            {"action": "close", "_selected_action": [record.pk]},
        )
    record.refresh_from_db()
    assert record.state == ReturnState.NOTHING
    assert LogEntry.objects.count() == 1
    Event.objects.filter(name="return.processed").update(state="waiting", due_at="2026-01-01T00:00Z")
    work()
    assert books.points("mia") == 90


def test_both_orders_of_an_exchange_lead_to_each_other(
    deliver: Deliver, work: Work, books: Books, admin_client: Client
) -> None:
    links = [{"order_id": ORDER, "return_id": "return-1"}, {"order_id": "older", "return_id": None}]
    deliver("order.opened", order())
    deliver("order.completed", completed())
    deliver("return.processed", returned(90.0))
    new = order(id="order-2", external_id="ACM000124", is_exchange=True, exchanges=links)
    deliver("order.opened", new | {"items": [item("item-9", 70.0)]})
    work(2)
    first, second = Order.objects.get(order_id=ORDER), Order.objects.get(order_id="order-2")
    addresses = {row: reverse("admin:events_order_change", args=[row.pk]) for row in (first, second)}
    page = admin_client.get(addresses[second]).content.decode()
    assert f'<a href="{addresses[first]}">ACM000123</a>, older' in page
    page = admin_client.get(addresses[first]).content.decode()
    assert f'<a href="{addresses[second]}">ACM000124</a>' in page
    assert reverse("admin:events_returnrecord_change", args=[ReturnRecord.objects.get().pk]) in page


def test_an_alarm_is_closed_by_hand_and_opens_anew(program: Program, admin_client: Client) -> None:
    raise_alarm(program, AlarmKind.LOW_STOCK, "reported by the provider", "tote")
    raise_alarm(program, AlarmKind.LOW_STOCK, "reported by the provider again", "tote")
    address = reverse("admin:events_alarm_changelist")
    assert "reported by the provider again" in admin_client.get(address).content.decode()
    admin_client.post(address, {"action": "close", "_selected_action": [Alarm.objects.get().pk]})
    assert Alarm.objects.get().closed_at is not None
    raise_alarm(program, AlarmKind.LOW_STOCK, "reported by the provider", "tote")
    assert Alarm.objects.filter(closed_at=None).count() == 1
    assert LogEntry.objects.count() == 1
