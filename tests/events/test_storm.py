"""A storm: 2,000 events of 300 orders, each delivered twice, shuffled, handled by three workers at once."""

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections
from django.db.models import Sum
from django.utils import timezone

from loyaltyview.events.inbox import store_delivery
from loyaltyview.events.models import Earning, Event, EventState, Order, ReturnRecord
from loyaltyview.events.processing import _attempt, _free_events, run_one
from loyaltyview.programs.models import Program
from loyaltyview.work.claims import claim
from providers.house.models import EarnRule, Entry, EntryKind, Member
from providers.types import Consents, MemberProfile

from .deliveries import cancelled, completed, envelope, item, order, returned

ORDERS, EVENTS, WORKERS, MEMBERS = 300, 2000, 3, 12


def storm() -> list[bytes]:
    """Five events for each order, one more that is only kept, a cancellation for every third, and refunds."""
    made = []
    for number in range(ORDERS):
        order_id, email = f"order-{number}", f"member-{number % MEMBERS}@example.test"
        sold = order(id=order_id, customer_email=email, discounts=[], items=[item(discounts=[])])
        made += [
            envelope("order.created", sold),
            envelope("order.opened", sold),
            envelope("order.completed", completed(id=order_id)),
            envelope("return.processed", returned(30.0, id=f"a-{number}", order_id=order_id)),
            envelope("return.processed", returned(45.0, id=f"b-{number}", order_id=order_id)),
            envelope("payment_account.amount_refunded", {"id": order_id, "amount": 30}),
        ]
        if number % 3 == 0:
            made.append(envelope("order.cancelled", cancelled("item-1", id=order_id)))
    for number in range(EVENTS - len(made)):
        refund = {"id": f"refund-{number}", "order_id": f"order-{number}", "amount": 5, "currency": "USD"}
        made.append(envelope("refund_request.issued", refund))
    return made


def in_threads() -> None:
    """Three workers, each with a connection of its own."""

    def work(_: int) -> None:
        try:
            while run_one():
                pass
        finally:
            connections.close_all()

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(work, range(WORKERS)))


def interleaved() -> None:
    """Three workers on one connection: each holds an event before the first of them handles its own."""
    while held := [event for event in (claim(_free_events()) for _ in range(WORKERS)) if event]:
        subjects = [event.subject for event in held if event.subject]
        assert len(set(subjects)) == len(subjects), "two workers on one order"
        for event in random.sample(held, len(held)):
            _attempt(event)


@pytest.mark.django_db(transaction=True)
def test_in_a_storm_each_order_earns_once_and_nothing_is_lost(program: Program) -> None:
    EarnRule.objects.create(program=program.slug, points_per_unit=2)
    for number in range(MEMBERS):
        program.provider().enrol(MemberProfile(email=f"member-{number}@example.test"), Consents())
    made = storm()
    assert len(made) == len(set(made)) == EVENTS
    deliveries = [*made, *made]
    random.Random(4).shuffle(deliveries)
    for body in deliveries:
        store_delivery(program, body, {})
    assert Event.objects.count() == EVENTS

    # An in-memory database has one connection for all threads.
    is_shared: Any = getattr(connection, "is_in_memory_db", lambda: False)
    for _ in range(6):
        if not Event.objects.filter(state=EventState.WAITING).update(due_at=timezone.now()):
            break
        interleaved() if is_shared() else in_threads()

    assert set(Event.objects.values_list("state", flat=True)) == {EventState.DONE, EventState.IGNORED}
    assert not Event.objects.exclude(lease_until=None).exists()
    assert (
        Order.objects.filter(completed_seen_at__isnull=False, opened_seen_at__isnull=False).count() == ORDERS
    )
    assert Order.objects.filter(earning=Earning.EARNED).count() == ORDERS * 2 // 3
    assert ReturnRecord.objects.filter(kind="return").count() == 2 * ORDERS
    earned = Entry.objects.filter(kind=EntryKind.EARN)
    assert len(set(earned.values_list("order_id", flat=True))) == earned.count() >= ORDERS * 2 // 3
    # $90 earn 180 points, of which 150 went back with the goods; a cancelled order leaves none.
    by_order = dict(Entry.objects.exclude(order_id="").values_list("order_id").annotate(Sum("points")))
    left = {by_order.get(f"order-{number}", 0) for number in range(ORDERS) if number % 3}
    assert left == {30}
    assert {by_order.get(f"order-{number}", 0) for number in range(0, ORDERS, 3)} == {0}
    assert Member.objects.aggregate(sum=Sum("spendable"))["sum"] == 30 * ORDERS * 2 // 3
