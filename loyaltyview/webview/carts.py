"""The cart of a launch: as the host sent it, as JSON in the row, and as the vendors' dataclass."""

from decimal import Decimal
from typing import Any

from loyaltyview.newstore.context import LaunchContext
from loyaltyview.programs.models import Store
from loyaltyview.programs.remembered import store_by_id
from loyaltyview.webview.models import Launch
from providers.types import Cart, CartItem, Money


def cart_json(context: LaunchContext) -> dict[str, object]:
    """Return what `Launch.cart` keeps: `currency` is "" and `total` None where the host named none."""
    return {
        "currency": context.currency,
        "total": None if context.cart_total is None else str(context.cart_total),
        "items": [
            {"item_id": item.item_id, "product_id": item.product_id, "price": str(item.price)}
            for item in context.items
        ],
    }


def cart_of(launch: Launch, store: Store | None, data: dict[str, Any] | None = None) -> Cart:
    """Return the launch's cart (or `data`, an earlier one of it) with the vendor's store id; one without id
    and total where there is none to redeem in. A host that names no currency means the program's."""
    data = data or launch.cart
    currency = data["currency"] or launch.program.currency
    return Cart(
        cart_id=launch.cart_id if launch.has_cart else "",
        total=Money(amount=Decimal(data["total"] or 0), currency=currency),
        items=tuple(
            CartItem(item_id=item["item_id"], product_id=item["product_id"], price=Decimal(item["price"]))
            for item in data["items"]
        ),
        store=store.provider_store if store else "",
    )


def store_of(launch: Launch) -> Store | None:
    """Return the launch's store, None for one that the program does not list."""
    return store_by_id(launch.program_id, launch.store_id)
