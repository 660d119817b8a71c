"""The JSON of orders: four events and two REST answers.

Source: docs/contracts/newstore.md 6.6 to 6.9, 8.1 and 8.2. Amounts are JSON numbers in major units. Events
call the kind of a discount `action`; the REST API calls it `type`.
"""

import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from loyaltyview.sandbox.answers import Json, timestamp
from loyaltyview.sandbox.sample import TAX_RATE

if TYPE_CHECKING:
    from loyaltyview.sandbox.orders import Order, OrderItem

REWARD_ATTRIBUTE = "loyalty_reward"


def order_payload(order: "Order") -> Json:
    """`order.created` and `order.opened`."""
    customer, totals, placed = order.customer, order.totals, timestamp(order.placed_at)
    return {
        "id": order.order_id,
        "external_id": order.external_id,
        "created_at": placed,
        "placed_at": placed,
        "associate_id": order.associate.associate_id,
        "associate_email": order.associate.email,
        "channel_type": "store",
        "channel": order.store_id,
        "demand_location_id": order.store_id,
        "is_exchange": False,
        "exchanges": None,
        "is_historical": False,
        "customer_email": customer.email if customer else "",
        "customer_id": customer.profile_id if customer else None,
        "customer_first_name": customer.first_name if customer else None,
        "customer_last_name": customer.last_name if customer else None,
        "customer_phone": customer.phone if customer else None,
        "billing_address": None,
        "shipping_address": None,
        "price_method": "tax_included" if totals.is_tax_included else "tax_excluded",
        "subtotal": totals.subtotal,
        "discount_total": totals.discount,
        "shipping_total": 0,
        "shipping_tax": 0,
        "tax_total": totals.tax,
        "grand_total": totals.to_pay,
        "currency": order.currency,
        "tax_strategy": "standard",
        "tax_exempt": False,
        "extended_attributes": _attributes(order),
        "discounts": [{"coupon_code": code} for code in _discount_codes(order) if code],
        "items": [_event_item(item, order) for item in order.items],
    }


def _discount_codes(order: "Order") -> list[str | None]:
    """Return the code of each discount, None where the order names its codes elsewhere."""
    return [None if order.codes_in == "attribute" else code.code for code in order.totals.applied]


def _attributes(order: "Order") -> list[Json]:
    """Return the order's extended attributes: with the switch, one that names the codes."""
    codes = [code.code for code in order.totals.applied]
    if order.codes_in == "discounts" or not codes:
        return []
    return [{"name": REWARD_ATTRIBUTE, "value": ", ".join(codes)}]


def _event_item(item: "OrderItem", order: "Order") -> Json:
    product = item.product
    return {
        "id": item.item_id,
        "item_type": "product",
        "product_id": product.product_id,
        "pricebook_id": "default",
        "pricebook_price": product.price,
        "list_price": product.price,
        "item_discounts": 0,
        "order_discounts": item.order_discount,
        "tax": item.tax,
        "tax_provider_details": [{"name": "MA STATE TAX", "amount": item.tax, "rate": TAX_RATE}],
        "quantity": 1,
        "status": "opened",
        "extended_attributes": [],
        "external_identifiers": {"sku": product.product_id, "ean13": None, "upc": None},
        "shipping_service_level": "IN_STORE_HANDOVER",
        "is_preorder": False,
        "discounts": [
            {
                "coupon_code": coupon_code,
                "price_adjustment": share,
                "value": code.value,
                "action": code.kind,
                "level": "order",
            }
            for coupon_code, (code, share) in zip(_discount_codes(order), item.discounts, strict=True)
        ],
    }


def items_payload(order: "Order") -> Json:
    """`order.completed` and `order.cancelled`: no amounts, no customer."""
    return {
        "id": order.order_id,
        "items": [
            {
                "id": item.item_id,
                "product_id": item.product.product_id,
                "quantity": 1,
                "status": item.status,
            }
            for item in order.items
        ],
    }


def return_payload(order: "Order", items: Sequence["OrderItem"]) -> Json:
    """`return.processed` for these items of the order, with an id of its own."""
    customer = order.customer
    net = sum((item.without_tax for item in items), Decimal("0.00"))
    tax = sum((item.tax for item in items), Decimal("0.00"))
    return {
        "id": str(uuid.uuid4()),
        "order_id": order.order_id,
        "returned_at": timestamp(),
        "total_refund_amount": net + tax,
        "total_refund_amount_adjusted": net + tax,
        "total_refund_excl_tax": net,
        "total_refund_tax": tax,
        "return_fee": 0,
        "currency": order.currency,
        "return_location_id": order.store_id,
        "customer_id": customer.profile_id if customer else None,
        "customer_email": customer.email if customer else None,
        "associate_id": order.associate.associate_id,
        "associate_email": order.associate.email,
        "items": [
            {
                "id": item.item_id,
                "product_id": item.product.product_id,
                "quantity": 1,
                "refund_amount": item.paid,
                "refund_amount_adjusted": item.paid,
                "refund_excl_tax": item.without_tax,
                "refund_tax": item.tax,
                "item_condition": "sellable",
                "condition_code": 1,
                "return_reason": "changed mind",
                "return_code": 1,
            }
            for item in items
        ],
    }


_REST_STATUS = {"opened": "in_fulfillment", "completed": "complete"}


def rest_order(order: "Order") -> Json:
    """The answer of `GET /v0/orders/{id}`: here `id` is the readable number and `origin_id` the UUID."""
    customer, totals = order.customer, order.totals
    return {
        "id": order.external_id,
        "origin_id": order.order_id,
        "origin": "newstore",
        "status": "open" if order.state == "open" else "closed",
        "channel_type": "store",
        "store_id": order.store_id,
        "catalog": "storefront-catalog-en",
        "currency": order.currency,
        "placed_at": timestamp(order.placed_at),
        "fulfillment_type": "in_store_purchase",
        "fulfillments": [],
        "customer": {
            "id": customer.profile_id if customer else None,
            "email": customer.email if customer else None,
            "name": customer.name if customer else None,
            "language": "en",
        },
        "extended_attributes": _attributes(order),
        "is_offline": False,
        "tax_method": "vat_included" if totals.is_tax_included else "vat_excluded",
        "tax_exempt": False,
        "payment_history": [],
        "shipments": [],
        "totals": {
            "gross": totals.subtotal + (0 if totals.is_tax_included else totals.tax),
            "net": totals.subtotal - (totals.tax if totals.is_tax_included else 0),
            "tax": totals.tax,
            "discount": totals.discount,
            "shipping": 0,
            "gift_wrapping": 0,
            "total": totals.to_pay,
        },
        "items": [_rest_item(item, order) for item in order.items],
    }


def short_order(order: "Order") -> Json:
    """One entry of `GET /v0/orders`. Its fields are not documented; some fields of an order are assumed."""
    whole = rest_order(order)
    return {
        name: whole[name] for name in ("id", "origin_id", "status", "channel_type", "store_id", "placed_at")
    }


def _rest_item(item: "OrderItem", order: "Order") -> Json:
    return {
        "id": item.item_id,
        "origin_id": item.item_id,
        "product_id": item.product.product_id,
        "status": _REST_STATUS.get(item.status, item.status),
        "price": {
            "base": item.product.price,
            "discount": item.order_discount,
            "gross": item.paid,
            "net": item.without_tax,
            "tax": item.tax,
        },
        "discounts": [
            {
                "coupon_code": coupon_code,
                "level": "order",
                "price_adjustment": share,
                "promotion_uuid": None,
                "reason": None,
                "type": code.kind,
                "value": code.value,
            }
            for coupon_code, (code, share) in zip(_discount_codes(order), item.discounts, strict=True)
        ],
        "extended_attributes": [],
        "fulfillment_group_type": "IN_STORE_HANDOVER",
        "product_attributes": {"name": item.product.name},
        "tax_lines": [{"amount": item.tax, "rate": TAX_RATE, "name": "MA STATE TAX", "country_code": "US"}],
    }
