"""The sandbox's GraphQL: what it answers, how late, and what it refuses."""

import json
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from loyaltyview.sandbox.answers import ApiError
from loyaltyview.sandbox.app import Sandbox
from loyaltyview.sandbox.data_api import DataApi
from loyaltyview.sandbox.graphql import Enum, GraphqlError, parse_query

from .conftest import Api

PATH = "/api/v1/org/data/query"
ORDERS = """{ orders(filter: {placedAt: {greaterThanOrEqualTo: "2000-01-01T00:00:00Z",
    lessThan: "2100-01-01T00:00:00Z"}}, orderBy: PLACED_AT_ASC, first: 1, after: %s)
    { nodes { id placedAt isHistorical } pageInfo { hasNextPage endCursor } } }"""


def sell(sandbox: Sandbox) -> str:
    sandbox.app.log_in("a-17")
    sandbox.app.new_cart(customer="mia", cart="jacket")
    return sandbox.app.pay().order_id


def ask(sandbox: Sandbox, query: str) -> dict[str, Any]:
    """Return the list of orders. Raises ApiError."""
    environ = EnvironBuilder(method="POST", json={"query": query}).get_environ()
    api = DataApi(sandbox.config, sandbox.lock, sandbox.orders)
    found: dict[str, Any] = json.loads(api.query(Request(environ)).get_data())["data"]["orders"]
    return found


def test_orders_come_page_by_page(sandbox: Sandbox) -> None:
    sandbox.config.data_lag_s = 0
    sold = [sell(sandbox), sell(sandbox)]
    first = ask(sandbox, ORDERS % "null")
    assert first["pageInfo"]["hasNextPage"] is True
    second = ask(sandbox, ORDERS % f'"{first["pageInfo"]["endCursor"]}"')
    assert second["pageInfo"]["hasNextPage"] is False
    nodes = [*first["nodes"], *second["nodes"]]
    assert [node["id"] for node in nodes] == sold
    assert not nodes[0]["placedAt"].endswith("Z"), "times come without their zone"


def test_it_is_behind_the_events(sandbox: Sandbox) -> None:
    sandbox.config.data_lag_s = 600
    sell(sandbox)
    assert ask(sandbox, ORDERS % "null")["nodes"] == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (("isHistorical", "secret"), 'Cannot query field "secret" on type "Order".'),
        (("orders(", "customers("), 'Cannot query field "customers" on type "Query".'),
        (("first: 1", "first: 1, where: 1"), 'Unknown argument "where" on field "Query.orders".'),
        (("first: 1", "first: 0"), "first must be between 1 and 500"),
        (("PLACED_AT_ASC", "NEWEST"), 'Value NEWEST does not exist in "OrdersOrderBy".'),
        (("lessThan", "before"), "DatetimeFilter"),
        (("{placedAt", "{total"), 'filters orders by "placedAt" only'),
        (("null", '"???"'), "Invalid cursor."),
        (("2100-01-01T00:00:00Z", "soon"), "Datetime cannot represent"),
        (("} } }", "} }"), "Syntax Error"),
    ],
)
def test_what_is_unknown_is_refused(sandbox: Sandbox, wrong: tuple[str, str], message: str) -> None:
    sandbox.config.data_lag_s = 0
    sell(sandbox)
    with pytest.raises(ApiError) as refused:
        ask(sandbox, (ORDERS % "null").replace(*wrong))
    assert refused.value.status == 400
    assert message in refused.value.body["errors"][0]["message"]


def test_a_call_without_a_token_is_refused(api: Api) -> None:
    assert api.call("POST", PATH, {"query": "{ orders }"}).status_code == 400
    api.headers.clear()
    assert api.call("POST", PATH, {"query": "{ orders }"}).status_code == 401


def test_names_texts_numbers_and_lists_are_read() -> None:
    (field,) = parse_query('query Q { a(b: [1, -2], c: {d: "x\\"y", e: UP}, f: null, g: true) }')
    assert field.arguments == {"b": [1, -2], "c": {"d": 'x"y', "e": Enum("UP")}, "f": None, "g": True}


@pytest.mark.parametrize("text", ["", "{", "{ }", "{ a(b: ) }", "{ a(b: $c) }", "mutation { a }", "{ a } x"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(GraphqlError):
        parse_query(text)
