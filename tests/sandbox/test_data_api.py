"""The sandbox's GraphQL: what it answers, how late, and what it refuses."""

from typing import Any

import pytest

from loyaltyview.sandbox.graphql import Enum, GraphqlError, parse_query
from loyaltyview.sandbox.serve import Running

from .conftest import Api

PATH = "/api/v1/org/data/query"
ORDERS = """{ orders(filter: {placedAt: {greaterThanOrEqualTo: "2000-01-01T00:00:00Z",
    lessThan: "2100-01-01T00:00:00Z"}}, orderBy: PLACED_AT_ASC, first: 1, after: %s)
    { nodes { id placedAt isHistorical } pageInfo { hasNextPage endCursor } } }"""


def sell(running: Running) -> str:
    app = running.sandbox.app
    app.log_in("a-17")
    app.new_cart(customer="mia", cart="jacket")
    return app.pay().order_id


def ask(api: Api, query: str) -> dict[str, Any]:
    found: dict[str, Any] = api.call("POST", PATH, {"query": query}).json()
    return found


def test_orders_come_page_by_page(running: Running, api: Api) -> None:
    running.sandbox.config.data_lag_s = 0
    sold = [sell(running), sell(running)]
    first = ask(api, ORDERS % "null")["data"]["orders"]
    assert first["pageInfo"]["hasNextPage"] is True
    second = ask(api, ORDERS % f'"{first["pageInfo"]["endCursor"]}"')["data"]["orders"]
    assert second["pageInfo"]["hasNextPage"] is False
    nodes = [*first["nodes"], *second["nodes"]]
    assert [node["id"] for node in nodes] == sold
    assert not nodes[0]["placedAt"].endswith("Z"), "times come without their zone"


def test_it_is_behind_the_events(running: Running, api: Api) -> None:
    running.sandbox.config.data_lag_s = 600
    sell(running)
    assert ask(api, ORDERS % "null")["data"]["orders"]["nodes"] == []


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
def test_what_is_unknown_is_refused(running: Running, api: Api, wrong: tuple[str, str], message: str) -> None:
    running.sandbox.config.data_lag_s = 0
    sell(running)
    answer = api.call("POST", PATH, {"query": (ORDERS % "null").replace(*wrong)})
    assert answer.status_code == 400
    assert message in answer.json()["errors"][0]["message"]


def test_a_call_without_a_token_is_refused(running: Running, api: Api) -> None:
    api.headers.clear()
    assert api.call("POST", PATH, {"query": ORDERS % "null"}).status_code == 401


def test_names_texts_numbers_and_lists_are_read() -> None:
    (field,) = parse_query('query Q { a(b: [1, -2], c: {d: "x\\"y", e: UP}, f: null, g: true) }')
    assert field.arguments == {"b": [1, -2], "c": {"d": 'x"y', "e": Enum("UP")}, "f": None, "g": True}


@pytest.mark.parametrize("text", ["", "{", "{ }", "{ a(b: ) }", "{ a(b: $c) }", "mutation { a }", "{ a } x"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(GraphqlError):
        parse_query(text)
