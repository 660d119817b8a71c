"""Orders and returns of a period, read from NewStore's GraphQL API page by page.

The API is read only and behind the event stream. Its schema is not published as a whole: the shape of the
queries follows the fields and filters that are (docs/contracts/newstore.md 8.3). `NAMES` holds what is
assumed, and a program can change it (`newstore_data_query`).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, TypeVar

from loyaltyview.newstore.answers import list_in, object_of
from loyaltyview.newstore.client import NewStoreClient
from loyaltyview.newstore.errors import NewStoreUnexpected
from loyaltyview.newstore.orders import LARGEST_AMOUNT, time_in
from loyaltyview.programs.models import Program
from providers.texts import plain_of

Found = TypeVar("Found")

NAMES: Mapping[str, str] = {
    "path": "/api/v1/org/data/query",
    # The fields of a period, and what filters and sorts them.
    "orders": "orders",
    "returns": "returns",
    "placed_at": "placedAt",
    "returned_at": "returnedAt",
    "from": "greaterThanOrEqualTo",
    "until": "lessThan",
    "orders_sorted": "PLACED_AT_ASC",
    "returns_sorted": "RETURNED_AT_ASC",
    # Fields of a return and of its items.
    "return_location_id": "returnLocationId",
    "item_id": "id",
    "refund_excl_tax": "refundExclTax",
    "refund_tax": "refundTax",
}
PER_PAGE = 100
MOST_ITEMS = 250  # of one return
LONGEST_CURSOR = 1000
# No till waits for a page, and a page of returns with their items takes longer than what tills ask for.
BUDGET_S = 8.0
ATTEMPT_S = 7.0
SMALLEST_STEP = Decimal("0.0001")
# The end of a period may be compared with seconds only.
ROUNDING = timedelta(seconds=1)

ORDERS = """query LoyaltyViewOrders {
  %(orders)s(
    filter: {%(placed_at)s: {%(from)s: %(since_value)s, %(until)s: %(until_value)s}}
    orderBy: %(orders_sorted)s
    first: %(first)d
    after: %(after_value)s
  ) {
    nodes { id %(placed_at)s isExchange isHistorical }
    pageInfo { hasNextPage endCursor }
  }
}"""
RETURNS = """query LoyaltyViewReturns {
  %(returns)s(
    filter: {%(returned_at)s: {%(from)s: %(since_value)s, %(until)s: %(until_value)s}}
    orderBy: %(returns_sorted)s
    first: %(first)d
    after: %(after_value)s
  ) {
    nodes {
      id %(returned_at)s %(return_location_id)s
      totalRefundAmount totalRefundExclTax totalRefundTax
      order { id currency isHistorical }
      items(first: %(most_items)d) {
        nodes { %(item_id)s productId quantity refundAmount %(refund_excl_tax)s %(refund_tax)s }
        pageInfo { hasNextPage endCursor }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundOrder:
    """One order of a period. It has no amounts: those are read from the REST API."""

    order_id: str
    placed_at: datetime
    is_exchange: bool
    is_historical: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money in major units: the whole of it, and what of it is goods and tax."""

    amount: Decimal
    excl_tax: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundReturnItem:
    item_id: str
    product_id: str
    quantity: int
    refund: Refund


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundReturn:
    """One return of a period. `order_id` and `currency` are "" for one that names no order."""

    return_id: str
    order_id: str
    returned_at: datetime
    store_id: str
    currency: str
    is_historical: bool
    total: Refund
    items: tuple[FoundReturnItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Found]):
    """A part of a period, oldest first. `cursor` names the next page, "" after the last. `unreadable` says of
    each that was left out what is wrong with it."""

    found: tuple[Found, ...]
    cursor: str
    unreadable: tuple[str, ...] = ()


def orders_of(program: Program, since: datetime, until: datetime, cursor: str = "") -> Page[FoundOrder]:
    """Return a page of the orders placed from `since` to before `until`; one call. Raises NewStoreError."""
    names = _names(program)
    connection = _ask(program, ORDERS, names, names["orders"], (since, until), cursor)
    page = _page(connection, cursor, lambda node: _order(node, names))
    _check_period([each.placed_at for each in page.found], since, until)
    return page


def returns_of(program: Program, since: datetime, until: datetime, cursor: str = "") -> Page[FoundReturn]:
    """Return a page of the returns from `since` to before `until`; one call. Raises NewStoreError."""
    names = _names(program)
    connection = _ask(program, RETURNS, names, names["returns"], (since, until), cursor)
    page = _page(connection, cursor, lambda node: _return(node, names))
    _check_period([each.returned_at for each in page.found], since, until)
    return page


def _names(program: Program) -> Mapping[str, str]:
    return {**NAMES, **program.newstore_data_query}


def _ask(
    program: Program,
    query: str,
    names: Mapping[str, str],
    root: str,
    span: tuple[datetime, datetime],
    cursor: str,
) -> Mapping[str, Any]:
    """Return the connection under `root`. Values are literals: the names of their types are not public."""
    since, until = (_literal(f"{each.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}") for each in span)
    values = {"since_value": since, "until_value": until, "first": PER_PAGE, "most_items": MOST_ITEMS}
    values["after_value"] = _literal(cursor) if cursor else "null"
    body = {"query": query % {**names, **values}}
    answer = NewStoreClient(program).call(
        "POST", names["path"], body=body, budget_s=BUDGET_S, attempt_s=ATTEMPT_S
    )
    parsed = object_of(answer)
    if errors := list_in(parsed, "errors"):
        # It quotes our query at most, which names no person.
        raise NewStoreUnexpected(f"GraphQL: {plain_of(errors[0].get('message'), 200)}", answer.request_id)
    return _object(_object(parsed, "data"), root)


def _literal(text: str) -> str:
    # A JSON string is a GraphQL string.
    return json.dumps(text)


def _page(
    connection: Mapping[str, Any], cursor: str, read: Callable[[Mapping[str, Any]], Found]
) -> Page[Found]:
    """Return the page in `connection`. A node that cannot be read is left out, so that it does not hide those
    behind it; when there are several and none can be read, the query is wrong."""
    nodes, found, unreadable = list_in(connection, "nodes"), list[Found](), list[str]()
    for node in nodes:
        try:
            found.append(read(node))
        except NewStoreUnexpected as error:
            unreadable.append(f"{plain_of(node.get('id'), 100) or 'without an id'}: {error.detail}")
    if len(unreadable) == len(nodes) > 1:
        raise NewStoreUnexpected(f"none of {len(nodes)} can be read; {unreadable[0]}")
    return Page(found=tuple(found), cursor=_next(connection, cursor), unreadable=tuple(unreadable))


def _check_period(times: list[datetime], since: datetime, until: datetime) -> None:
    """Refuse what lies outside of the period: a filter that is ignored would give all orders there are."""
    if any(not since - ROUNDING <= each < until + ROUNDING for each in times):
        raise NewStoreUnexpected("GraphQL gave another time than was asked for")


def _next(connection: Mapping[str, Any], cursor: str) -> str:
    info = _object(connection, "pageInfo")
    if info.get("hasNextPage") is not True:
        return ""
    following = _text(info, "endCursor", LONGEST_CURSOR)
    if following == cursor:
        raise NewStoreUnexpected("GraphQL gave the same page again")
    return following


def _order(node: Mapping[str, Any], names: Mapping[str, str]) -> FoundOrder:
    return FoundOrder(
        order_id=_text(node, "id"),
        placed_at=time_in(node, names["placed_at"]),
        is_exchange=node.get("isExchange") is True,
        is_historical=node.get("isHistorical") is True,
    )


def _return(node: Mapping[str, Any], names: Mapping[str, str]) -> FoundReturn:
    order = _object(node, "order") if node.get("order") is not None else {}
    items = _object(node, "items")
    if _object(items, "pageInfo").get("hasNextPage") is True:
        raise NewStoreUnexpected(f"a return with more than {MOST_ITEMS} items")
    return FoundReturn(
        return_id=_text(node, "id"),
        order_id=_text(order, "id") if order else "",
        returned_at=time_in(node, names["returned_at"]),
        store_id=plain_of(node.get(names["return_location_id"]), 100),
        currency=_text(order, "currency").upper() if order else "",
        is_historical=order.get("isHistorical") is True,
        total=_refund(node, "totalRefundAmount", "totalRefundExclTax", "totalRefundTax"),
        items=tuple(_item(each, names) for each in list_in(items, "nodes")),
    )


def _item(node: Mapping[str, Any], names: Mapping[str, str]) -> FoundReturnItem:
    quantity = _number(node, "quantity")
    if quantity < 1 or quantity != int(quantity):
        raise NewStoreUnexpected("quantity is not a number of pieces")
    return FoundReturnItem(
        item_id=plain_of(node.get(names["item_id"]), 100),
        product_id=plain_of(node.get("productId"), 100),
        quantity=int(quantity),
        refund=_refund(node, "refundAmount", names["refund_excl_tax"], names["refund_tax"]),
    )


def _refund(node: Mapping[str, Any], whole: str, excl_tax: str, tax: str) -> Refund:
    return Refund(amount=_number(node, whole), excl_tax=_number(node, excl_tax), tax=_number(node, tax))


def _number(node: Mapping[str, Any], key: str) -> Decimal:
    """Return a number, rounded as those of events are; GraphQL gives decimals as numbers or texts."""
    value = node.get(key)
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise NewStoreUnexpected(f"{key} is not an amount")
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise NewStoreUnexpected(f"{key} is not an amount") from error
    if not number.is_finite() or abs(number) >= LARGEST_AMOUNT:
        raise NewStoreUnexpected(f"{key} is not an amount")
    return number.quantize(SMALLEST_STEP)


def _text(node: Mapping[str, Any], key: str, limit: int = 100) -> str:
    text = plain_of(node.get(key), limit)
    if not text:
        raise NewStoreUnexpected(f"{key} is missing or no text")
    return text


def _object(node: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = node.get(key)
    if not isinstance(value, dict):
        raise NewStoreUnexpected(f"{key} is not an object")
    return value
