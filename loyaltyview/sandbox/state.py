"""Everything that the panel shows, as one JSON object."""

from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from loyaltyview.sandbox.answers import Json, timestamp
from loyaltyview.sandbox.carts import Totals, cart_json
from loyaltyview.sandbox.coupons import Coupon
from loyaltyview.sandbox.orders import Order
from loyaltyview.sandbox.sample import ASSOCIATES, CARTS, CUSTOMERS, STORE, TAX_RATE, smallest_unit
from loyaltyview.sandbox.stream import Delivery
from loyaltyview.sandbox.switches import read_switches

if TYPE_CHECKING:
    from loyaltyview.sandbox.app import Sandbox

EVENTS_SHOWN = 100


def panel_state(sandbox: "Sandbox") -> Json:
    """Return the state. Amounts are texts with the decimals of their currency: the panel calculates
    nothing."""
    with sandbox.lock:
        app = sandbox.app
        return {
            "screen": app.screen,
            "store": STORE.name,
            "choices": {
                "associates": [[key, associate.name] for key, associate in ASSOCIATES.items()],
                "customers": [
                    *([key, customer.name] for key, customer in CUSTOMERS.items()),
                    ["none", "No customer"],
                ],
                "carts": [[key, cart.label] for key, cart in CARTS.items()],
            },
            "associate": app.associate.name if app.associate else "",
            "has_identity": bool(app.external_identity),
            "customer": app.customer_key,
            "ready_cart": app.ready_key,
            "cart": _cart(sandbox) if app.cart else None,
            "webview": _webview(sandbox) if app.screen == "webview" else None,
            "receipt": _order(app.order) if app.order else None,
            "rest_cart": cart_json(app.cart) if app.cart else None,
            "orders": [_order(order) for order in reversed(sandbox.orders.orders.values())],
            "coupons": [
                {
                    "code": coupon.code,
                    "name": coupon.name,
                    "state": _coupon_state(coupon),
                    "expires_at": timestamp(coupon.expires_at),
                }
                for coupon in reversed(sandbox.coupons.codes.values())
            ],
            "integrations": [
                {
                    "id": each.integration_id,
                    "url": each.callback_url,
                    "status": each.status,
                    "replays": [each.starts_at, each.ends_at] if each.is_temporary else None,
                }
                for each in sandbox.stream.integrations.values()
            ],
            "switches": read_switches(sandbox),
            "events": [_event(each) for each in reversed(sandbox.stream.deliveries[-EVENTS_SHOWN:])],
        }


def _coupon_state(coupon: Coupon) -> str:
    if coupon.order_id:
        return "used"
    if not coupon.is_active:
        return "off"
    return "expired" if coupon.is_expired() else "open"


def _cart(sandbox: "Sandbox") -> Json:
    cart = sandbox.app.cart
    assert cart is not None
    totals = sandbox.app.totals()
    return {
        "id": cart.cart_id,
        "items": [
            {
                "id": item.item_id,
                "name": item.product.name,
                "price": _money(item.product.price, cart.currency),
            }
            for item in cart.items
        ],
        **_totals(totals, cart.currency),
    }


def _totals(totals: Totals, currency: str) -> Json:
    return {
        "currency": currency,
        "subtotal": _money(totals.subtotal, currency),
        "codes": [
            {
                "code": code.code,
                "amount": _money(code.amount, currency),
                "label": f"{code.value.normalize():f} %" if code.kind == "percentage" else "",
            }
            for code in totals.applied
        ],
        "total": _money(totals.total, currency),
        "tax_label": f"Tax {'inside ' * totals.is_tax_included}{(TAX_RATE * 100).normalize():f} %",
        "tax": _money(totals.tax, currency),
        "to_pay": _money(totals.to_pay, currency),
    }


def _order(order: Order) -> Json:
    return {
        "id": order.order_id,
        "number": order.external_id,
        "state": order.state,
        "label": order.label,
        "customer": order.customer.name if order.customer else "No customer",
        "items": [
            {
                "id": item.item_id,
                "name": item.product.name,
                "price": _money(item.product.price, order.currency),
                "status": item.status,
            }
            for item in order.items
        ],
        **_totals(order.totals, order.currency),
    }


def _webview(sandbox: "Sandbox") -> Json:
    """Return the launch address, moved to the origin of the WebView proxy."""
    assert sandbox.app.opened is not None
    address = sandbox.app.opened.address
    launched = urlsplit(address)
    direct = f"{launched.scheme}://{launched.netloc}"
    return {
        "src": address.replace(direct, sandbox.webview_url or direct, 1),
        "origin": sandbox.webview_url or direct,
        "token": sandbox.app.token,
        "number": sandbox.app.openings,
    }


def _event(delivery: Delivery) -> Json:
    event = delivery.event
    return {
        "number": delivery.number,
        "name": event.name,
        "subject": str(event.payload.get("order_id") or event.payload.get("id") or ""),
        "status": "pending" if delivery.status == "sending" else delivery.status,
        "is_replay": delivery.is_replay,
        "attempts": list(delivery.attempts),
        "created_at": delivery.created_at,
        "body": event.body.decode(),
    }


def _money(amount: Decimal, currency: str) -> str:
    return format(amount.quantize(smallest_unit(currency)), "f")
