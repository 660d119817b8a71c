"""The one normalised launch context, whichever of NewStore's three shapes it came in."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchItem:
    """One unit in the cart."""

    item_id: str
    product_id: str
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchContext:
    """What the host app says when it opens our page. Nothing in it is proof except `external_identity`.

    `cart_total` is in major units of `currency`; `currency` is empty when the host did not say.
    """

    token: str
    external_identity: str = ""
    cart_id: str
    customer_email: str = ""
    profile_id: str = ""
    loyalty_id: str = ""
    store_id: str = ""
    associate_id: str = ""
    currency: str = ""
    cart_total: Decimal
    items: tuple[LaunchItem, ...] = ()
    selected_coupons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Associate:
    """Who works the till, as our own signed identity says."""

    associate_id: str
    device_id: str
