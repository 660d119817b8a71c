"""How Associate App opens our page: three shapes from the cart, and one from a customer's profile.

Source: docs/contracts/newstore.md 1.2 to 1.4. Which of them the cart's menu uses today is not
documented. Neither is the place of our identity in the injected object: here it is at the top, as in the
fragment.
"""

import base64
import json
from dataclasses import dataclass, field
from decimal import Decimal
from urllib.parse import quote, urlencode

from loyaltyview.sandbox.answers import Json
from loyaltyview.sandbox.carts import Cart

# The size of an iPhone 11 in points, and the colours of NewStore's sample (docs/contracts/newstore.md 1.3).
DIMENSIONS: Json = {
    "normalizedDeviceName": "iphone11",
    "hasNotch": True,
    "safeAreaInsetTop": 48,
    "safeAreaInsetBottom": 34,
    "fullHeight": 896,
    "height": 814,
    "width": 414,
    "navigationBarHeight": 44,
    "keyboardVerticalOffset": 92,
}
THEME: Json = {
    "color": {
        "gray100": "#F3F4F6",
        "gray900": "#111827",
        "pink500": "#D2386E",
        "green500": "#02A372",
        "blue500": "#2E5AD1",
        "red500": "#B5002B",
        "white": "#FFFFFF",
        "black": "#000000",
    },
    "fontWeight": {"normal": "normal", "bold": "bold", "semiBold": "600"},
    "borderRadius": "8px",
    "buttonRadius": "12px",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """One opening of the WebView: its address, and the `window.NEWSTORE` that the app puts into the page."""

    address: str
    injected: Json = field(default_factory=dict)


def from_cart(
    shape: str, page: str, cart: Cart, total: Decimal, *, token: str, external_identity: str
) -> Opened:
    """Open `page` for the cart. `shape` is "query", "injected" or "fragment"; or "both": a query string of
    the documented values, and the rest injected."""
    blob = _cart_blob(cart, total)
    context = {
        "securityToken": token,
        "contextProps": {"cart": blob},
        "externalIdentity": external_identity,
    }
    injected = {**context, "dimensions": DIMENSIONS, "theme": THEME}
    if shape == "fragment":
        return Opened(address=f"{page}#{_fragment(context)}")
    if shape == "injected":
        return Opened(address=page, injected=injected)
    short: Json = {name: blob[name] for name in ("customerEmail", "cartId", "cartTotal") if name in blob}
    query = {
        "token": token,
        "externalIdentity": external_identity,
        "store": cart.store_id,
        "cart": _compact(short if shape == "both" else blob),
    }
    address = f"{page}?{urlencode(query, quote_via=quote, safe='')}"
    return Opened(address=address, injected=injected if shape == "both" else {})


def from_profile(page: str, cart: Cart, *, external_identity: str) -> Opened:
    """Open `page` from the profile of the cart's customer: no token, no amounts."""
    form = {
        "profileId": cart.profile_id,
        "associateId": cart.associate_id,
        "storeId": cart.store_id,
        "cartId": cart.cart_id,
    }
    context = {"contextProps": {"formData": form}, "externalIdentity": external_identity}
    return Opened(address=f"{page}#{_fragment(context)}")


def _cart_blob(cart: Cart, total: Decimal) -> Json:
    email = {"customerEmail": cart.customer.email} if cart.customer else {}
    return {
        **email,
        "cartId": cart.cart_id,
        "cartTotal": float(total),
        "currency": cart.currency,
        "items": [
            {
                "productId": item.product.product_id,
                "itemId": item.item_id,
                "price": float(item.product.price),
            }
            for item in cart.items
        ],
        "selectedCoupons": cart.codes,
    }


def _compact(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _fragment(value: Json) -> str:
    return base64.b64encode(_compact(value).encode()).decode()
