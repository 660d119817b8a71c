"""Deliveries that were dead for a wrong tenant of the program, and are handled once it is corrected."""

import pytest
from django.test import Client
from django.urls import reverse

from loyaltyview.events.models import Event, EventState, ReturnRecord, ReturnState
from loyaltyview.events.stored_events import replay
from loyaltyview.programs.models import Program

from .conftest import Deliver, Work
from .deliveries import completed, order, returned
from .vendor import Books

SALE = (("order.opened", order()), ("order.completed", completed()))


def set_tenant(program: Program, tenant: str) -> None:
    program.newstore_tenant = tenant
    program.save()  # other processes read the program again


@pytest.fixture
def deliver_to_wrong_tenant(program: Program, deliver: Deliver) -> Deliver:
    """Events arrive with another tenant than that of the program; it is corrected, and they are replayed."""

    def send(*events: tuple[str, object]) -> int:
        set_tenant(program, "acme")
        for event in events:
            deliver(*event)
        assert set(Event.objects.values_list("state", flat=True)) == {EventState.DEAD}
        set_tenant(program, "acme-staging")
        return replay(Event.objects.all())

    return send


def test_the_sale_earns_for_the_customer_that_it_names(
    deliver_to_wrong_tenant: Deliver, work: Work, books: Books
) -> None:
    deliver_to_wrong_tenant(*SALE)
    work(2)
    assert books.points("mia") == 90


def test_a_blind_return_can_be_given_its_order(
    deliver_to_wrong_tenant: Deliver, work: Work, books: Books, admin_client: Client
) -> None:
    deliver_to_wrong_tenant(*SALE, ("return.processed", returned(45.0, order_id=None)))
    work(2)
    record = ReturnRecord.objects.get()
    address = reverse("admin:events_returnrecord_change", args=[record.pk])
    fields = {"order_id": "ACM000123", "parts-TOTAL_FORMS": 0, "parts-INITIAL_FORMS": 0}
    assert "no longer kept" not in admin_client.post(address, fields, follow=True).content.decode()
    work()
    record.refresh_from_db()
    assert (record.state, books.points("mia")) == (ReturnState.DONE, 45)


def test_a_repetition_is_known_as_one(
    deliver_to_wrong_tenant: Deliver, deliver: Deliver, work: Work, books: Books
) -> None:
    deliver_to_wrong_tenant(*SALE)
    work(2)
    for event in SALE:
        deliver(*event)
    assert Event.objects.count() == len(SALE)


def test_what_came_again_before_the_replay_stays_beside_it(
    deliver: Deliver, work: Work, books: Books, program: Program
) -> None:
    set_tenant(program, "acme")
    deliver("order.opened", order())
    set_tenant(program, "acme-staging")
    for event in SALE:
        deliver(*event)
    replay(Event.objects.all())
    work(2)
    assert set(Event.objects.values_list("state", flat=True)) == {EventState.DONE}
    assert books.points("mia") == 90
