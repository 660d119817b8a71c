"""Paths, field names and values of Pongo's API that its stored reference does not show.

Each is an assumption (docs/contracts/pongo.md 10) that a program may correct by its setting `names`, for
example `names = { "path.buy" = "/v1/rewards/{reward}/buy" }`. What the reference does show is written where
it is used.
"""

from collections.abc import Mapping
from typing import Any

from providers.errors import SettingsError

NAMES: dict[str, str] = {
    # Paths; {…} is filled in. Only /v1/oauth/form, /v1/oauth/me, /v1/rewards and /v1/webhooks are documented.
    "path.token": "/v1/oauth/token",
    "path.stores": "/v1/stores",
    "path.customers": "/v1/customers",
    "path.customer": "/v1/customers/{customer}",
    "path.customer_by_phone": "/v1/customers/phone/{phone}",
    "path.won": "/v1/customers/{customer}/rewards",
    "path.buy": "/v1/rewards/{reward}",
    "path.use": "/v1/rewards/{reward}",
    "path.lock": "/v1/customers/{customer}/rewards/lock",
    "path.orders": "/v1/orders",
    "path.order": "/v1/orders/{order}",
    "path.webhook": "/v1/webhooks/{webhook}",
    # The reference says PUT for an update, the integration guide says PATCH.
    "verb.update_customer": "PUT",
    # The exchange of the code for a token
    "token.code": "code",
    # Filters
    "query.email": "email",
    # A customer. Several names: the first one present counts.
    "customer.points": "points,loyalty_points,points_balance",
    "customer.optin_sms": "has_optin_sms",
    "customer.optin_email": "has_optin_email",
    # A reward, in the catalogue or won
    "reward.price": "points,price,points_cost",
    "reward.type_amount": "voucher_amount",
    "reward.type_percentage": "voucher_percentage",
    # Buying and using one
    "buy.customer": "customer",
    "buy.store": "store_slug",
    "buy.is_used": "is_used",
    # An order
    "order.channel": "channel",
    "order.delivery_mode": "delivery_mode",
    "order.amount": "amount",
    "order.status": "status",
    "order.created_at": "created_at",
    "order.delivery_status": "delivery_status",
    "order.line_amount": "amount",
    "order.customer_id": "customer_public_id",
    # Values of its enumerations
    "value.channel": "pos",
    "value.delivery_mode": "on_site",
    "value.status": "closed",
    "value.status_cancelled": "cancelled",
    "value.status_refunded": "refunded",
    "value.delivery_status": "delivered",
    "value.delivery_status_cancelled": "cancelled",
    "value.payment_method": "other",
    # Subscribing to webhooks
    "webhook.event": "event",
    "webhook.url": "url",
    "webhook.secret": "secret",
}


def names_with(overrides: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the names in force; raise SettingsError for a key that is none or a value that is no text."""
    for key, value in (overrides or {}).items():
        if key not in NAMES:
            raise SettingsError("names", f"unknown name {key}")
        if not isinstance(value, str) or not value:
            raise SettingsError("names", f"{key} must be a text")
        if key.startswith("path.") and not value.startswith("/"):
            raise SettingsError("names", f"{key} must begin with a slash")
    return {**NAMES, **(overrides or {})}
