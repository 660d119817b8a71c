"""The configuration of one sandbox. Plain values; a test may change them while it runs."""

from dataclasses import dataclass
from typing import Literal

SCOPES = (
    "customer:profile:read",
    "customer:profile:write",
    "checkout:carts:read",
    "iam:users:read",
)


@dataclass(slots=True, kw_only=True)
class SandboxConfig:
    """`loyalty_url` is our launch page; `identity_callback_url` and `events_url` are our hooks.

    An empty address leaves that part out. `coupon_mode` says whether the codes of a deeplink replace those
    in the cart or are added to them: NewStore documents neither. Every new cart has `currency`. `codes_in`
    says whether an order names its codes in its discounts or in the extended attribute `loyalty_reward`.
    `prices_with_tax` says whether the shop's prices contain tax. `data_lag_s` says how far GraphQL is
    behind the events. `vendor` is the kind of loyalty vendor to play beside NewStore, mounted at
    /vendor/<kind>. `switches` holds the faults.
    """

    tenant: str = "acme-staging"
    client_id: str = "loyaltyview"
    client_secret: str = ""
    scopes: tuple[str, ...] = SCOPES
    token_lifetime_s: int = 3600
    loyalty_url: str = ""
    identity_callback_url: str = ""
    events_url: str = ""
    event_key: str = ""
    coupon_mode: Literal["replace", "add"] = "replace"
    launch_shape: Literal["query", "injected", "fragment", "both"] = "query"
    currency: str = "USD"
    prices_with_tax: bool = False
    codes_in: Literal["discounts", "attribute", "both"] = "discounts"
    duplicate_events: bool = False
    shuffle_events: bool = False
    lose_events: bool = False
    delay_events_s: int = 0
    data_lag_s: int = 10
    newstore_fault: Literal["none", "slow", "failing", "timing out", "throttled"] = "none"
    rate_limit_per_s: int = 100
    vendor: str = ""
    vendor_secret: str = ""
    vendor_webhook_url: str = ""
    vendor_feed_folder: str = ""
