"""One order read from NewStore's REST API (docs/contracts/newstore.md 8.1)."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import responses
from responses.matchers import query_param_matcher

from loyaltyview.newstore.errors import NewStoreRejected, NewStoreUnexpected
from loyaltyview.newstore.orders import HostOrderItem, ListedOrder, list_orders, read_order
from loyaltyview.programs.models import Program
from tests.newstore.conftest import API

UUID = "3b1e3f6c-7d2a-4a57-9d51-6a8c2f1b9e10"
ADDRESS = f"{API}/v0/orders/{UUID}"

pytestmark = pytest.mark.usefixtures("with_token")


def item(**changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": "item-1",
        "origin_id": "item-1",
        "product_id": "100045",
        "status": "complete",
        "price": {"base": 100.0, "discount": 10.0, "gross": 95.63, "net": 90.0, "tax": 5.63},
        "discounts": [
            {"coupon_code": "LOY-7QK2", "level": "order", "price_adjustment": 10.0, "type": "fixed"},
            {"coupon_code": None, "level": "item", "price_adjustment": 0, "type": "fixed"},
        ],
    }  # fmt: skip
    return fields | changes


def order(**changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": "ACM000123",
        "origin_id": UUID,
        "status": "closed",
        "channel_type": "store",
        "store_id": "US_BOSTON_01",
        "currency": "USD",
        "placed_at": "2026-03-04T15:19:58.000Z",
        "tax_method": "vat_excluded",
        "customer": {"id": "NS-1", "email": "mia@example.test", "name": "Mia Stone", "language": "en"},
        "items": [item()],
    }
    return fields | changes


def test_an_order_is_read_by_its_uuid(tenant: Program, newstore: responses.RequestsMock) -> None:
    newstore.get(ADDRESS, json=order(), match=[query_param_matcher({"id_type": "internal"})])
    read = read_order(tenant, UUID)
    assert (read.order_id, read.external_id, read.status, read.store_id) == (
        UUID, "ACM000123", "closed", "US_BOSTON_01",
    )  # fmt: skip
    assert read.placed_at == datetime(2026, 3, 4, 15, 19, 58, tzinfo=UTC)
    assert (read.customer_id, read.customer_email) == ("NS-1", "mia@example.test")
    assert read.codes == ("LOY-7QK2",)
    assert read.items == (
        HostOrderItem(item_id="item-1", product_id="100045", status="complete", net=Decimal(90)),
    )


@pytest.mark.parametrize(
    ("earn_on", "tax_method", "net", "with_tax"),
    [
        ("price", "vat_included", "100", True),
        ("price", "vat_excluded", "100", False),
        ("without_tax", "vat_included", "83.33", False),
        ("with_tax", "vat_excluded", "116.67", True),
    ],
)
def test_earning_base_of_an_order_follows_the_program(
    tenant: Program,
    newstore: responses.RequestsMock,
    earn_on: str,
    tax_method: str,
    net: str,
    with_tax: bool,
) -> None:
    tenant.earn_on = earn_on
    price = {"base": 100.1, "discount": 0.1, "tax": 16.67}
    newstore.get(ADDRESS, json=order(tax_method=tax_method, items=[item(price=price)]))
    read = read_order(tenant, UUID)
    assert (read.items[0].net, read.earns_with_tax) == (Decimal(net), with_tax)


def test_an_anonymous_order_without_codes_is_read(tenant: Program, newstore: responses.RequestsMock) -> None:
    newstore.get(ADDRESS, json=order(customer=None, items=[item(discounts=None)]))
    read = read_order(tenant, UUID)
    assert (read.customer_id, read.customer_email, read.codes) == ("", "", ())


@pytest.mark.parametrize("status", [404, 410])
def test_an_order_that_newstore_does_not_have_is_rejected(
    status: int, tenant: Program, newstore: responses.RequestsMock
) -> None:
    newstore.get(ADDRESS, status=status, json={"error_code": "resource_not_found"})
    with pytest.raises(NewStoreRejected) as caught:
        read_order(tenant, UUID)
    assert caught.value.status == status


@pytest.mark.parametrize(
    "changes",
    [
        {"origin_id": "another"},
        {"origin_id": None},
        {"currency": ""},
        {"placed_at": "yesterday"},
        {"placed_at": "2026-02-31T00:00:00Z"},
        {"customer": "mia"},
        {"items": "none"},
        {"items": [item(id=None)]},
        {"items": [item(price=None)]},
        {"items": [item(price={"base": "100", "discount": 0})]},
        {"items": [item(price={"base": True, "discount": 0})]},
        {"items": [item(price={"base": 1e300, "discount": 0})]},
        {"origin_id": ["a"]},
    ],
)
def test_an_order_with_missing_facts_is_unexpected(
    changes: dict[str, Any], tenant: Program, newstore: responses.RequestsMock
) -> None:
    newstore.get(ADDRESS, json=order(**changes))
    with pytest.raises(NewStoreUnexpected):
        read_order(tenant, UUID)


# --- A customer's list ------------------------------------------------------------------------------

LIST = f"{API}/v0/orders"


def short(number: int) -> dict[str, Any]:
    return {"id": f"ACM{number}", "origin_id": f"order-{number}", "placed_at": "2026-03-04T15:19:58Z"}


def page(offset: int) -> Any:
    return query_param_matcher({"customer_id": "NS-1", "offset": str(offset), "count": "50"})


def test_a_customers_orders_are_read_to_the_last_page(
    tenant: Program, newstore: responses.RequestsMock
) -> None:
    newstore.get(LIST, json={"orders": [short(n) for n in range(50)]}, match=[page(0)])
    newstore.get(LIST, json={"orders": [short(50)]}, match=[page(50)])
    listed = list_orders(tenant, "NS-1")
    assert len(listed) == 51
    assert listed[50] == ListedOrder(
        order_id="order-50", placed_at=datetime(2026, 3, 4, 15, 19, 58, tzinfo=UTC)
    )
    # Without this version NewStore has no pages.
    assert newstore.calls[-1].request.headers["Accept"] == "application/x.newstore.orders+json;version=2"


def test_a_customer_that_newstore_does_not_have_has_no_orders(
    tenant: Program, newstore: responses.RequestsMock
) -> None:
    newstore.get(LIST, status=404, json={"error_code": "resource_not_found"})
    assert list_orders(tenant, "NS-1") == ()


@pytest.mark.parametrize("orders", [[{"id": "ACM1"}], [short(n) for n in range(50)], "none"])
def test_an_unreadable_or_endless_list_is_unexpected(
    tenant: Program, newstore: responses.RequestsMock, orders: Any
) -> None:
    newstore.get(LIST, json={"orders": orders})
    with pytest.raises(NewStoreUnexpected):
        list_orders(tenant, "NS-1")


def test_a_refused_list_is_an_error(tenant: Program, newstore: responses.RequestsMock) -> None:
    newstore.get(LIST, status=400, json={"error_code": "bad_request"})
    with pytest.raises(NewStoreRejected):
        list_orders(tenant, "NS-1")
