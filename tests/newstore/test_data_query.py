"""GraphQL's orders and returns of a period: what is asked, and which answers are refused."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import responses

from loyaltyview.newstore import client
from loyaltyview.newstore.data_query import Refund, orders_of, returns_of
from loyaltyview.newstore.errors import NewStoreRejected, NewStoreUnexpected
from loyaltyview.newstore.http import Answer, send
from loyaltyview.programs.models import Program

from .conftest import API

PATH = "/api/v1/org/data/query"
SINCE, UNTIL = datetime(2026, 3, 4, 15, tzinfo=UTC), datetime(2026, 3, 4, 16, tzinfo=UTC)
ORDER = {"id": "order-1", "placedAt": "2026-03-04T15:20:00.000", "isExchange": False, "isHistorical": False}
ITEM = {
    "id": "item-1",
    "productId": "100045",
    "quantity": 1,
    "refundAmount": "94.50",
    "refundExclTax": 90.0,
    "refundTax": "4.50",
}
RETURN = {
    "id": "return-1",
    "returnedAt": "2026-03-04T15:40:00Z",
    "returnLocationId": "US_BOSTON_01",
    "totalRefundAmount": "94.50",
    "totalRefundExclTax": "90.00",
    "totalRefundTax": "4.50",
    "order": {"id": "order-1", "currency": "usd", "isHistorical": False},
    "items": {"nodes": [ITEM], "pageInfo": {"hasNextPage": False}},
}

pytestmark = pytest.mark.usefixtures("with_token")


def connection(name: str, node: object, **info: object) -> dict[str, Any]:
    page = {"nodes": [node], "pageInfo": {"hasNextPage": False, "endCursor": None} | info}
    return {"data": {name: page}}


def test_the_orders_of_a_period_are_read(tenant: Program, newstore: responses.RequestsMock) -> None:
    sent = newstore.post(API + PATH, json=connection("orders", ORDER, hasNextPage=True, endCursor="abc"))
    page = orders_of(tenant, SINCE, UNTIL, 'a"b')
    query = json.loads(sent.calls[0].request.body or "")["query"]
    assert 'greaterThanOrEqualTo: "2026-03-04T15:00:00.000000Z"' in query
    assert 'lessThan: "2026-03-04T16:00:00.000000Z"' in query
    assert 'after: "a\\"b"' in query
    assert page.cursor == "abc"
    (found,) = page.found
    assert (found.order_id, found.placed_at) == ("order-1", datetime(2026, 3, 4, 15, 20, tzinfo=UTC))


def test_a_return_has_exact_amounts(tenant: Program, newstore: responses.RequestsMock) -> None:
    newstore.post(API + PATH, json=connection("returns", RETURN))
    page = returns_of(tenant, SINCE, UNTIL)
    (found,) = page.found
    assert (found.order_id, found.currency, found.store_id) == ("order-1", "USD", "US_BOSTON_01")
    money = Refund(amount=Decimal("94.50"), excl_tax=Decimal("90"), tax=Decimal("4.50"))
    assert (found.total, found.items[0].refund) == (money, money)
    assert (found.items[0].item_id, found.items[0].quantity, page.cursor) == ("item-1", 1, "")


def test_a_page_may_take_longer_than_what_a_till_asks_for(
    tenant: Program, newstore: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def send_later(*args: Any, timeout_s: float) -> Answer:
        waits.append(timeout_s)
        return send(*args, timeout_s=timeout_s)

    monkeypatch.setattr(client, "send", send_later)
    newstore.post(API + PATH, json=connection("returns", RETURN))
    returns_of(tenant, SINCE, UNTIL)
    (wait,) = waits
    assert client.BUDGET_S < wait <= 7


def test_a_program_renames_what_is_assumed(tenant: Program, newstore: responses.RequestsMock) -> None:
    tenant.newstore_data_query = {"path": "/data", "orders": "allOrders", "placed_at": "createdAt"}
    renamed = {"id": "order-1", "createdAt": "2026-03-04T15:20:00Z"}
    newstore.post(f"{API}/data", json=connection("allOrders", renamed))
    assert [each.order_id for each in orders_of(tenant, SINCE, UNTIL).found] == ["order-1"]


@pytest.mark.parametrize(
    "answer",
    [
        {"errors": [{"message": "Cannot query field"}], "data": None},
        {"data": None},
        {"data": {"orders": None}},
        {"data": {"orders": {"nodes": []}}},
        connection("orders", {**ORDER, "placedAt": "2026-03-04T14:59:58Z"}),
        connection("orders", {**ORDER, "placedAt": "2026-03-04T16:00:02Z"}),
        {"data": {"orders": {"nodes": [{**ORDER, "id": None}] * 2, "pageInfo": {}}}},
        connection("orders", ORDER, hasNextPage=True, endCursor=None),
        connection("orders", ORDER, hasNextPage=True, endCursor="same"),
    ],
)
def test_an_unknown_answer_about_orders_is_refused(
    tenant: Program, newstore: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    newstore.post(API + PATH, json=answer)
    with pytest.raises(NewStoreUnexpected):
        orders_of(tenant, SINCE, UNTIL, "same")


@pytest.mark.parametrize(
    "changes",
    [{"id": None}, {"placedAt": "yesterday"}, {"placedAt": "0001-01-01T00:00:00+14:00"}, {"id": "x" * 101}],
)
def test_an_order_that_cannot_be_read_does_not_hide_the_others(
    tenant: Program, newstore: responses.RequestsMock, changes: dict[str, Any]
) -> None:
    nodes = [ORDER | changes, ORDER]
    newstore.post(API + PATH, json={"data": {"orders": {"nodes": nodes, "pageInfo": {}}}})
    page = orders_of(tenant, SINCE, UNTIL)
    assert [each.order_id for each in page.found] == ["order-1"]
    (unreadable,) = page.unreadable
    assert next(iter(changes)) in unreadable


@pytest.mark.parametrize(
    "changes",
    [
        {"totalRefundAmount": None},
        {"totalRefundTax": "NaN"},
        {"order": {"id": "order-1"}},
        {"items": {"nodes": [ITEM], "pageInfo": {"hasNextPage": True}}},
        {"items": {"nodes": [{**ITEM, "quantity": "0.5"}], "pageInfo": {}}},
        {"items": {"nodes": [{**ITEM, "refundExclTax": None}], "pageInfo": {}}},
    ],
)
def test_no_amount_of_a_return_is_guessed(
    tenant: Program, newstore: responses.RequestsMock, changes: dict[str, Any]
) -> None:
    newstore.post(API + PATH, json=connection("returns", RETURN | changes))
    page = returns_of(tenant, SINCE, UNTIL)
    assert page.found == ()
    assert page.unreadable[0].startswith("return-1: ")


def test_an_amount_with_many_decimals_is_rounded_as_in_events(
    tenant: Program, newstore: responses.RequestsMock
) -> None:
    item = ITEM | {"refundExclTax": "33.33333333333333333333"}
    newstore.post(
        API + PATH, json=connection("returns", RETURN | {"items": {"nodes": [item], "pageInfo": {}}})
    )
    (found,) = returns_of(tenant, SINCE, UNTIL).found
    assert str(found.items[0].refund.excl_tax) == "33.3333"


def test_a_refused_query_names_the_field(tenant: Program, newstore: responses.RequestsMock) -> None:
    newstore.post(API + PATH, status=400, json={"errors": [{"message": 'Cannot query field "orders"'}]})
    with pytest.raises(NewStoreRejected, match="Cannot query field"):
        orders_of(tenant, SINCE, UNTIL)
