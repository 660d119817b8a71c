"""Unusual characters in an optional field: the order earns, and its reward is settled."""

from typing import Any

import pytest

from loyaltyview.events.models import Event, EventState
from loyaltyview.events.readers import read_order, read_return
from loyaltyview.events.stored_events import replay
from loyaltyview.newstore.orders import order_from
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.work.worker import drain
from tests.newstore.test_orders import item as host_item
from tests.newstore.test_orders import order as host_order

from . import house
from .conftest import Deliver, Work
from .deliveries import completed, envelope, item, order, returned
from .vendor import Books

ODD: list[dict[str, Any]] = [
    {"customer_email": "mia@example.test\u00a0"},
    {"customer_email": "\u2068mia@example.test\u2069"},
    {"external_id": 3409},
    {"external_id": "ACM\u200b1\t"},
    {"external_id": "x" * 101},
    {"external_id": ["a"]},
    {"associate_id": 17},
    {"associate_id": "a\u0000"},
    {"channel": "US\ud800"},
    {"demand_location_id": {"id": 1}},
    {"customer_id": "NS\u00a01"},
    {"items": [item(product_id="SHIRT\u00a001")]},
    {"items": [item(product_id=1110352)]},
    {"items": [item(product_id=None)]},
    {"discounts": [{"coupon_code": "SUMMER\u0000"}]},
]


@pytest.mark.parametrize("changes", ODD, ids=[str(changes)[:50] for changes in ODD])
def test_an_order_with_unusual_characters_earns(
    changes: dict[str, Any], deliver: Deliver, work: Work, books: Books
) -> None:
    deliver("order.opened", order(**changes))
    deliver("order.completed", completed())
    work()
    assert books.points("mia") == 90


def test_its_reward_is_settled_and_the_sale_earns(
    deliver: Deliver, program: Program, redemption: Redemption
) -> None:
    house.spend(redemption, house.build_house(program))
    deliver("order.opened", order(customer_email="mia@example.test\u00a0"))
    deliver("order.completed", completed())
    drain()
    redemption.refresh_from_db()
    assert redemption.state == State.SETTLED
    assert house.balance() == house.OPENING - house.COST + 180


def test_a_delivery_that_was_dead_for_unusual_characters_is_handled_when_it_is_replayed(
    deliver: Deliver, work: Work, books: Books
) -> None:
    deliver("order.opened", order(external_id=3409, items=[item(product_id="SHIRT\u00a001")]))
    deliver("order.completed", completed())
    Event.objects.update(state=EventState.DEAD, due_at=None, last_error="external_id: no usable text")
    replay(Event.objects.all())
    work()
    assert set(Event.objects.values_list("state", flat=True)) == {EventState.DONE}
    assert books.points("mia") == 90


def test_what_is_read_is_clean() -> None:
    read = read_order(
        envelope(
            "order.opened",
            order(customer_email=" mia@example.test\u00a0", external_id=3409, associate_id=True,
                  items=[item(product_id="SHIRT\u00a001")]),
        )
    )  # fmt: skip
    assert (read.customer_email, read.external_id, read.associate_id) == ("mia@example.test", "3409", "")
    assert read.lines[0].product_id == "SHIRT 01"


def test_a_return_with_unusual_characters_is_read() -> None:
    goods = {"id": 7, "product_id": "p\u00a01", "quantity": 1, "refund_excl_tax": 45.0}
    read = read_return(envelope("return.processed", returned(return_location_id="US\u200b_1", items=[goods])))
    assert (read.store_id, read.lines[0].item_id, read.lines[0].product_id) == ("US_1", "7", "p 1")


def test_a_return_whose_order_cannot_be_read_is_not_one_without_an_order(
    deliver: Deliver, work: Work, books: Books
) -> None:
    deliver("return.processed", returned(order_id=["a"]))
    work()
    assert Event.objects.get().state == EventState.DEAD


def test_a_raw_line_end_and_a_broken_byte_in_a_name_lose_no_order(
    deliver: Deliver, work: Work, books: Books, client: Any
) -> None:
    body = envelope("order.opened", order(shop_note="NOTE")).replace(b"NOTE", b"two\nlines \xe9")
    headers = {"authorization": "Bearer event-key"}
    client.post("/events/acme/newstore/", data=body, content_type="application/json", headers=headers)
    deliver("order.completed", completed())
    work()
    assert books.points("mia") == 90


@pytest.mark.parametrize(
    ("changes", "field", "expected"),
    [
        ({"store_id": "US\u00a01"}, "store_id", "US 1"),
        ({"id": 3409}, "external_id", "3409"),
        ({"id": "x" * 101}, "external_id", ""),
        ({"customer": {"id": 17, "email": "mia@example.test\u200b"}}, "customer_email", "mia@example.test"),
        ({"customer": {"id": 17, "email": ["mia"]}}, "customer_email", ""),
    ],
)
def test_an_order_that_is_read_from_newstore_is_as_forgiving(
    changes: dict[str, Any], field: str, expected: str
) -> None:
    price = {"base": 100, "discount": 10, "tax": 5}
    read = order_from(host_order(items=[host_item(product_id="SHIRT\u00a001", price=price)], **changes))
    assert getattr(read, field) == expected
    assert read.items[0].product_id == "SHIRT 01"
