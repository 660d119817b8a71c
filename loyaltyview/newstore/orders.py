"""Orders as NewStore's REST API has them, read when their events were lost.
Source: docs/contracts/newstore.md 8.1, 8.2.

REST uses other words: `id` is the receipt number and `origin_id` the UUID that events call `id`; a
discount's kind is `type`; each item is one unit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.utils.dateparse import parse_datetime

from loyaltyview.newstore.answers import list_in, object_of
from loyaltyview.newstore.client import NewStoreClient, segment
from loyaltyview.newstore.errors import NewStoreRejected, NewStoreUnexpected
from loyaltyview.newstore.reward_attribute import reward_texts
from loyaltyview.programs.earn_base import (
    EarnOn,
    PricedLine,
    earns_with_tax,
    needs_tax,
    sale_line_base,
)
from loyaltyview.programs.models import Program
from providers.texts import plain_of

LARGEST_AMOUNT = Decimal(10) ** 9
# The final status of an order and of an item.
CLOSED, ITEM_CANCELLED = "closed", "cancelled"
OPEN, FAILED = "open", "failed"
NO_PRODUCT = "unknown"  # of a line that names none
# Pages come with this media type only.
PAGED = "application/x.newstore.orders+json;version=2"
PER_PAGE = 50
MOST_PAGES = 10
# The list of a customer's orders is documented, the fields of its short orders are not: assumed to be named
# as in the whole order.
SHORT_ORDER: Mapping[str, str] = {"order_id": "origin_id", "placed_at": "placed_at"}


@dataclass(frozen=True, slots=True, kw_only=True)
class HostOrderItem:
    """One unit. `net` is what it earns on, in the order's currency: after discounts, tax by the program's
    rule."""

    item_id: str
    product_id: str
    status: str
    net: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class HostOrder:
    """An order as NewStore has it now. `codes` are its coupon codes, without repeats, and `reward_texts` may
    be further codes. `customer_email` is personal data: never to be stored or logged."""

    order_id: str
    external_id: str
    status: str
    channel_type: str
    store_id: str
    currency: str
    placed_at: datetime
    customer_id: str
    customer_email: str
    codes: tuple[str, ...]
    items: tuple[HostOrderItem, ...]
    earns_with_tax: bool = False
    reward_texts: tuple[str, ...] = ()

    @property
    def is_off(self) -> bool:
        """Whether nothing was or will be sold: it failed, or every item is cancelled."""
        is_sale = any(item.status != ITEM_CANCELLED for item in self.items)
        return self.status == FAILED or (self.status == CLOSED and not is_sale)


def read_order(program: Program, order_id: str) -> HostOrder:
    """Return the order with this UUID. Raises NewStoreError: Rejected with status 404 when there is none
    (yet: reads lag behind the events), or with 410."""
    answer = NewStoreClient(program).call(
        "GET", f"/v0/orders/{segment(order_id)}", params={"id_type": "internal"}
    )
    order = order_from(object_of(answer), program.earn_on, program.newstore_reward_attribute)
    if order.order_id != order_id:
        raise NewStoreUnexpected("another order than the one asked for", answer.request_id)
    return order


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedOrder:
    """One order of a customer's list."""

    order_id: str
    placed_at: datetime


def list_orders(program: Program, customer_id: str) -> tuple[ListedOrder, ...]:
    """Return all orders of the customer with this profile id, none for one that NewStore does not have.
    Raises NewStoreError, also for more than 500 orders: which of them come first is not known."""
    client, found = NewStoreClient(program), list[ListedOrder]()
    for page in range(MOST_PAGES):
        params = {"customer_id": customer_id, "offset": str(page * PER_PAGE), "count": str(PER_PAGE)}
        try:
            answer = client.call("GET", "/v0/orders", params=params, headers={"Accept": PAGED})
        except NewStoreRejected as error:
            if error.status != 404:
                raise
            return tuple(found)
        orders = list_in(object_of(answer), "orders")
        found += [
            ListedOrder(
                order_id=_text(order, SHORT_ORDER["order_id"], required=True),
                placed_at=time_in(order, SHORT_ORDER["placed_at"]),
            )
            for order in orders
        ]
        if len(orders) < PER_PAGE:
            return tuple(found)
    raise NewStoreUnexpected(f"a customer with more than {MOST_PAGES * PER_PAGE} orders")


def order_from(body: Mapping[str, Any], earn_on: str = EarnOn.PRICE, reward_attribute: str = "") -> HostOrder:
    """Return the order of `GET /v0/orders/{id}`; `earn_on` is the program's rule, and `reward_attribute` its
    name of the extended attribute. Raises NewStoreUnexpected where an id or an amount would have to be
    guessed."""
    items = list_in(body, "items")
    customer = body.get("customer") or {}
    if not isinstance(customer, dict):
        raise NewStoreUnexpected("customer is not an object")
    is_tax_included = _text(body, "tax_method") == "vat_included"
    return HostOrder(
        order_id=_text(body, "origin_id", required=True),
        external_id=_text(body, "id"),
        status=_text(body, "status", required=True),
        channel_type=_text(body, "channel_type", required=True, limit=20),
        store_id=_text(body, "store_id"),
        currency=_text(body, "currency", required=True, limit=3).upper(),
        placed_at=time_in(body, "placed_at"),
        customer_id=_text(customer, "id"),
        customer_email=_text(customer, "email", limit=254),
        codes=_codes(items),
        items=tuple(_item(item, earn_on, is_tax_included) for item in items),
        earns_with_tax=earns_with_tax(earn_on, is_tax_included=is_tax_included),
        reward_texts=reward_texts([body, *items], reward_attribute),
    )


def _item(item: Mapping[str, Any], earn_on: str, is_tax_included: bool) -> HostOrderItem:
    price = item.get("price")
    if not isinstance(price, dict):
        raise NewStoreUnexpected("an item has no price")
    priced = PricedLine(
        price=_amount(price, "base"),
        discount=_amount(price, "discount"),
        tax=_amount(price, "tax") if needs_tax(earn_on, is_tax_included=is_tax_included) else None,
    )
    return HostOrderItem(
        item_id=_text(item, "id", required=True),
        product_id=_text(item, "product_id") or NO_PRODUCT,
        status=_text(item, "status"),
        net=sale_line_base(priced, earn_on, is_tax_included=is_tax_included),
    )


def _codes(items: list[dict[str, Any]]) -> tuple[str, ...]:
    discounts = [discount for item in items for discount in list_in(item, "discounts")]
    codes = [_text(discount, "coupon_code") for discount in discounts]
    return tuple(dict.fromkeys(code for code in codes if code))


def _text(body: Mapping[str, Any], key: str, *, required: bool = False, limit: int = 100) -> str:
    """Return a text or number. A missing or unusable one is "", or raises NewStoreUnexpected where it is
    required."""
    text = plain_of(body.get(key), limit)
    if required and not text:
        raise NewStoreUnexpected(f"{key} is missing or no text")
    return text


def _amount(body: Mapping[str, Any], key: str) -> Decimal:
    value: object = body.get(key)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise NewStoreUnexpected(f"{key} is not an amount")
    amount = Decimal(value)
    if not abs(amount) < LARGEST_AMOUNT:
        raise NewStoreUnexpected(f"{key} is too large")
    return amount.quantize(Decimal("0.0001"))


def time_in(body: Mapping[str, Any], key: str) -> datetime:
    """Return the time under `key`. Raises NewStoreUnexpected."""
    try:
        moment = parse_datetime(_text(body, key, required=True))
        if moment is None:
            raise NewStoreUnexpected(f"{key} is not a time")
        # Without a zone NewStore means UTC: version 2 of the media type says so, and the page about GraphQL.
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise NewStoreUnexpected(f"{key} is not a time") from error
