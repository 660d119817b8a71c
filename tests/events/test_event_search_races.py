"""Two searches, late events and several workers at the same moment: an order earns once."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from loyaltyview.events import event_search, order_backfill
from loyaltyview.events.event_search import search
from loyaltyview.events.inbox import store_delivery
from loyaltyview.events.missed_events import take_orders
from loyaltyview.events.models import Earning, Event, EventSearch, EventSource, Order, Searched
from loyaltyview.events.processing import run_one
from loyaltyview.newstore import orders as host_orders
from loyaltyview.newstore.data_query import FoundOrder, Page
from loyaltyview.newstore.orders import HostOrder, order_from
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import Redemption, State
from tests.races.at_once import at_once

from . import deliveries
from .deliveries import CODE, completed, order
from .vendor import Books

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

ORDERS = [f"order-{number}" for number in range(8)]


def host_order(program: Program, order_id: str) -> HostOrder:
    line = {
        "id": "item-1",
        "product_id": "100045",
        "status": "complete",
        "price": {"base": 100, "discount": 10, "tax": 5},
        "discounts": [{"coupon_code": CODE}] if order_id == ORDERS[0] else [],
    }
    return order_from(
        {
            "id": order_id.upper(),
            "origin_id": order_id,
            "status": "closed",
            "channel_type": "store",
            "currency": "USD",
            "placed_at": timezone.now().isoformat(),
            "customer": {"id": "NS-US-01", "email": "mia@example.test"},
            "items": [line],
        }
    )


def work() -> None:
    while run_one():
        pass


def deliver_late(program: Program, order_id: str) -> None:
    discounts: dict[str, Any] = {} if order_id == ORDERS[0] else {"discounts": []}
    items = [deliveries.item(**discounts)]
    opened = order(id=order_id, items=items, **discounts)
    store_delivery(program, deliveries.envelope("order.opened", opened), {})
    store_delivery(program, deliveries.envelope("order.completed", completed(id=order_id)), {})


def test_an_order_earns_once_and_its_code_is_used_once(
    program: Program, books: Books, redemption: Redemption, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    found = tuple(
        FoundOrder(order_id=each, placed_at=now, is_exchange=False, is_historical=False) for each in ORDERS
    )
    way = event_search.Way(read=lambda *_: Page(found=found, cursor=""), take=take_orders)
    monkeypatch.setattr(event_search, "WAYS", {Searched.ORDERS: way})
    for module in (order_backfill, host_orders):
        monkeypatch.setattr(module, "read_order", host_order)
    since = now - timedelta(hours=1)
    EventSearch.objects.create(program=program, kind=Searched.ORDERS, started_at=since, searched_until=since)

    searches = [partial(search, program, Searched.ORDERS)] * 2
    late = [partial(deliver_late, program, each) for each in ORDERS[:4]]
    at_once([*searches, *late, *[work] * 4])
    for _ in range(2):
        Event.objects.filter(due_at__isnull=False).update(due_at=now)  # those that waited for another
        work()

    assert books.calls["record_order"] == len(ORDERS)
    assert set(Order.objects.values_list("earning", flat=True)) == {Earning.EARNED}
    assert not Event.objects.filter(due_at__isnull=False).exists()
    assert Event.objects.filter(source=EventSource.FOUND).count() <= len(ORDERS)
    redemption.refresh_from_db()
    assert (redemption.state, redemption.order_id) == (State.SETTLED, ORDERS[0])
    assert books.calls["confirm"] == 1
