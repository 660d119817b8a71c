"""The settings of a program, `[provider.pongo]`, and the names that Pongo's reference does not show.

Each name is an assumption (docs/contracts/pongo.md 10) that a program may correct by its setting `names`, for
example `names = { "path.buy" = "/v1/rewards/{reward}/buy" }`. Names that the reference does show are written
where they are used.
"""

import re
from dataclasses import dataclass

from providers.errors import SettingsError
from providers.names import Names
from providers.settings import VendorSettings, names_setting, setting

NAMES = {
    # Paths; {...} is filled in. Documented are only /v1/oauth/form, /v1/oauth/me, /v1/rewards, /v1/webhooks.
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
    "customer.has_pin": "has_pin",
    # A reward, in the catalogue or won
    "reward.price": "points,price,points_cost",
    "reward.type_amount": "voucher_amount",
    "reward.type_percentage": "voucher_percentage",
    # Buying and using one
    "buy.customer": "customer",
    "buy.store": "store_slug",
    "buy.is_used": "is_used",
    "buy.pin": "pin",
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(VendorSettings):
    base_url: str = setting(
        default="https://api.heypongo.com",
        help="Pongo's address; its sandbox is https://sandbox-api.heypongo.com.",
    )
    client_id: str = setting(help="Of the partner account, to connect merchants from admin.")
    client_secret: str = setting(is_secret=True, help="Of the partner account.")
    access_token: str = setting(
        is_secret=True, help="A token that Pongo handed out, for merchants who are not connected from admin."
    )
    enrol_store: str = setting(help="Slug of the store to enrol at when the till's is not mapped.")
    enrol_with_order: bool = setting(
        default=False,
        help="Enrol a customer of NewStore with the order that they pay: a cart that is left enrols nobody.",
    )
    skus: str = setting(help="This retailer's SKUs, comma-separated: others are no free products.")
    sku_pattern: str = setting(help="A regular expression that this retailer's SKUs match.")
    email_lookup: bool = setting(
        default=True, help="Off where Pongo ignores the filter by e-mail: then it only costs time."
    )
    requests_per_minute: int = setting(default=60, minimum=1, help="Our share of Pongo's limit.")
    catalogue_cache_s: int = setting(
        default=86400,
        minimum=0,
        help="How long pages keep which rewards a customer may have, at most a day; 0: not.",
    )
    settle_s: int = setting(
        default=60, minimum=1, help="After how many seconds a purchase that left no trace did not happen."
    )
    signing_secret: str = setting(
        is_secret=True, help="Of webhooks that were set up by hand; those subscribed from admin need none."
    )
    names: Names = names_setting(NAMES, help="Corrections of names in Pongo's API.")

    def check(self) -> None:
        try:
            re.compile(self.sku_pattern)
        except re.error as error:
            raise SettingsError("sku_pattern", f"must be a regular expression ({error})") from error
