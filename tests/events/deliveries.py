"""NewStore's deliveries as docs/contracts/newstore.md 6.3 to 6.9 show them; all values are made up."""

import json
from typing import Any

ORDER = "3b1e3f6c-7d2a-4a57-9d51-6a8c2f1b9e10"
CODE = "LOY-7QK2"


def item(item_id: str = "item-1", price: float = 100.0, **changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": item_id,
        "item_type": "product",
        "product_id": "100045",
        "pricebook_id": "default",
        "pricebook_price": price,
        "list_price": price,
        "item_discounts": 0,
        "order_discounts": 10.0,
        "tax": 5.63,
        "quantity": 1,
        "status": "opened",
        "extended_attributes": [],
        "external_identifiers": {"sku": "100045", "ean13": None},
        "shipping_service_level": "IN_STORE_HANDOVER",
        "is_preorder": False,
        "discounts": [
            {
                "coupon_code": CODE,
                "price_adjustment": 10.0,
                "value": 10.0,
                "action": "fixed",
                "level": "order",
            }
        ],
    }
    return fields | changes


def order(**changes: Any) -> dict[str, Any]:
    """The payload of order.created and order.opened: one item of $100, $10 off by CODE."""
    fields: dict[str, Any] = {
        "id": ORDER,
        "external_id": "ACM000123",
        "created_at": "2026-03-04T15:20:01.000Z",
        "placed_at": "2026-03-04T15:19:58.000Z",
        "associate_id": "a-17",
        "associate_email": "kim@acme.test",
        "channel_type": "store",
        "channel": "US_BOSTON_01",
        "demand_location_id": "US_BOSTON_01",
        "is_exchange": False,
        "exchanges": None,
        "customer_email": "mia@example.test",
        "customer_id": "NS-US-01",
        "is_historical": False,
        "billing_address": None,
        "shipping_address": {"first_name": "Mia", "address_line_1": "1 Main St", "phone": None},
        "price_method": "tax_excluded",
        "subtotal": 100.0,
        "discount_total": 10.0,
        "tax_total": 5.63,
        "grand_total": 95.63,
        "currency": "USD",
        "tax_exempt": False,
        "extended_attributes": [],
        "discounts": [{"coupon_code": CODE}],
        "items": [item()],
    }
    return fields | changes


def completed(**changes: Any) -> dict[str, Any]:
    items = [{"id": "item-1", "product_id": "100045", "quantity": 1, "status": "completed"}]
    return {"id": ORDER, "items": items} | changes


def cancelled(*item_ids: str, **changes: Any) -> dict[str, Any]:
    items = [{"id": i, "product_id": "100045", "quantity": 1, "status": "cancelled"} for i in item_ids]
    return {"id": ORDER, "items": items} | changes


def returned(net: float = 45.0, **changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": "return-1",
        "order_id": ORDER,
        "returned_at": "2026-03-06T10:00:00Z",
        "total_refund_amount": net + 3,
        "total_refund_amount_adjusted": net + 3,
        "total_refund_excl_tax": net,
        "total_refund_tax": 3.0,
        "return_fee": 0,
        "currency": "USD",
        "return_location_id": "US_BOSTON_01",
        "customer_email": "mia@example.test",
        "items": [
            {
                "id": "item-1",
                "product_id": "100045",
                "quantity": 1,
                "refund_amount": net + 3,
                "refund_amount_adjusted": net + 3,
                "refund_excl_tax": net,
                "refund_tax": 3.0,
            }
        ],
    }
    return fields | changes


def envelope(name: str, payload: Any, **changes: Any) -> bytes:
    fields = {
        "tenant": "acme-staging",
        "name": name,
        "published_at": "2026-03-04T15:22:07.318Z",
        "payload": payload,
    }
    return json.dumps(fields | changes).encode()
