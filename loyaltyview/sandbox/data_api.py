"""NewStore's GraphQL API: orders and returns of a period, some seconds behind the event stream.

Source: docs/contracts/newstore.md 8.3. What is not published there is as the client assumes it, in the manner
of PostGraphile, whose shapes the published queries have. Unknown fields, arguments and filters are refused.
"""

import base64
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.answers import ApiError, Json, answer, faults, problem, read_json
from loyaltyview.sandbox.clock import vendor_now
from loyaltyview.sandbox.config import SandboxConfig
from loyaltyview.sandbox.graphql import Enum, Field, GraphqlError, parse_query
from loyaltyview.sandbox.orders import Order, OrderBook

MOST_PER_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """One list of the schema: its type's name, the field that filters and sorts, and that field's enum."""

    type: str
    time: str
    sorted_by: str
    rows: Callable[[], Iterable[tuple[datetime, Json]]]


@dataclass(slots=True)
class DataApi:
    """`data_lag_s` of the configuration says how far it is behind."""

    config: SandboxConfig
    lock: threading.RLock
    orders: OrderBook

    def query(self, request: Request) -> Response:
        """`POST /api/v1/org/data/query`."""
        body = read_json(request)
        if wrong := faults(body, {"query": "string*", "variables": "object|null"}):
            raise problem(400, "invalid request", wrong)
        try:
            fields = parse_query(body["query"])
            with self.lock:
                data = {each.name: self._list(each) for each in fields}
        except GraphqlError as error:
            raise ApiError(400, {"errors": [{"message": str(error)}]}) from error
        return answer({"data": data})

    def _list(self, asked: Field) -> Json:
        roots = {
            "orders": Root(type="Order", time="placedAt", sorted_by="PLACED_AT_ASC", rows=self._order_rows),
            "returns": Root(
                type="Return", time="returnedAt", sorted_by="RETURNED_AT_ASC", rows=self._return_rows
            ),
        }
        if asked.name not in roots:
            raise GraphqlError(f'Cannot query field "{asked.name}" on type "Query".')
        root = roots[asked.name]
        since, until = _period(asked, root)
        latest = vendor_now() - timedelta(seconds=self.config.data_lag_s)
        rows = [node for at, node in sorted(root.rows(), key=_time) if since <= at < min(until, latest)]
        return _connection(asked, rows, root.type)

    def _order_rows(self) -> list[tuple[datetime, Json]]:
        return [(order.placed_at, _order_node(order)) for order in self.orders.orders.values()]

    def _return_rows(self) -> list[tuple[datetime, Json]]:
        rows = []
        for payload in self.orders.returns:
            order = _order_node(self.orders.orders[payload["order_id"]])
            rows.append((datetime.fromisoformat(payload["returned_at"]), _return_node(payload, order)))
        return rows


def _time(row: tuple[datetime, Json]) -> datetime:
    return row[0]


def _period(asked: Field, root: Root) -> tuple[datetime, datetime]:
    known = {"filter", "orderBy", "first", "after"}
    for name in asked.arguments:
        if name not in known:
            raise GraphqlError(f'Unknown argument "{name}" on field "Query.{asked.name}".')
    if asked.arguments.get("orderBy") != Enum(root.sorted_by):
        raise GraphqlError(f'Value {asked.arguments.get("orderBy")} does not exist in "{root.type}sOrderBy".')
    chosen = asked.arguments.get("filter")
    if not isinstance(chosen, dict) or set(chosen) != {root.time} or not isinstance(chosen[root.time], dict):
        raise GraphqlError(f'The sandbox filters {asked.name} by "{root.time}" only.')
    limits = chosen[root.time]
    if set(limits) != {"greaterThanOrEqualTo", "lessThan"}:
        raise GraphqlError(f'"DatetimeFilter" has no such operators: {", ".join(sorted(limits))}.')
    return _moment(limits["greaterThanOrEqualTo"]), _moment(limits["lessThan"])


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise GraphqlError(f"Datetime cannot represent {value!r}.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _connection(asked: Field, rows: list[Json], type_name: str) -> Json:
    """Return one page of `rows`, with the fields that were asked for."""
    first, after = asked.arguments.get("first"), asked.arguments.get("after")
    if not isinstance(first, int) or not 1 <= first <= MOST_PER_PAGE:
        raise GraphqlError(f"first must be between 1 and {MOST_PER_PAGE}")
    start = 0
    if after is not None:
        try:
            start = int(base64.b64decode(str(after), validate=True))
        except ValueError as error:
            raise GraphqlError("Invalid cursor.") from error
    end = min(start + first, len(rows))
    cursor = base64.b64encode(str(end).encode()).decode() if end > start else None
    info = {"hasNextPage": end < len(rows), "endCursor": cursor}
    found: Json = {}
    for each in asked.selection:
        if each.name == "nodes":
            found["nodes"] = [_pick(row, each.selection, type_name) for row in rows[start:end]]
        elif each.name == "pageInfo":
            found["pageInfo"] = _pick(info, each.selection, "PageInfo")
        else:
            raise GraphqlError(f'Cannot query field "{each.name}" on type "{type_name}sConnection".')
    return found


def _pick(node: Mapping[str, Any], selection: tuple[Field, ...], type_name: str) -> Json:
    found: Json = {}
    for each in selection:
        if each.name not in node:
            raise GraphqlError(f'Cannot query field "{each.name}" on type "{type_name}".')
        value = node[each.name]
        if isinstance(value, list):
            found[each.name] = _connection(each, value, f"{type_name}Item")
        elif isinstance(value, dict):
            found[each.name] = _pick(value, each.selection, each.name.title())
        elif each.arguments or each.selection:
            raise GraphqlError(f'Field "{each.name}" must not have a selection.')
        else:
            found[each.name] = value
    return found


def _order_node(order: Order) -> Json:
    return {
        "id": order.order_id,
        "externalId": order.external_id,
        "placedAt": _without_zone(order.placed_at),
        "channelType": "store",
        "currency": order.currency,
        "isExchange": False,
        "isHistorical": False,
    }


def _return_node(payload: Json, order: Json) -> Json:
    """Return a return as GraphQL has it: amounts are texts there."""
    return {
        "id": payload["id"],
        "returnedAt": payload["returned_at"].removesuffix("Z"),
        "returnLocationId": payload["return_location_id"],
        "totalRefundAmount": _amount(payload["total_refund_amount"]),
        "totalRefundAmountAdjusted": _amount(payload["total_refund_amount_adjusted"]),
        "totalRefundExclTax": _amount(payload["total_refund_excl_tax"]),
        "totalRefundTax": _amount(payload["total_refund_tax"]),
        "order": order,
        "items": [
            {
                "id": item["id"],
                "productId": item["product_id"],
                "quantity": item["quantity"],
                "refundAmount": _amount(item["refund_amount"]),
                "refundExclTax": _amount(item["refund_excl_tax"]),
                "refundTax": _amount(item["refund_tax"]),
            }
            for item in payload["items"]
        ],
    }


def _without_zone(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")


def _amount(value: Decimal) -> str:
    return format(value, "f")
