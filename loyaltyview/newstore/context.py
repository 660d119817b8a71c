"""The normalised launch context, the same for NewStore's three shapes."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchItem:
    """One unit in the cart."""

    item_id: str
    product_id: str
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class HostTheme:
    """How the host app looks, as far as it says. Colours are "#rrggbb" or empty; insets are CSS pixels of
    the screen that the app keeps for itself."""

    accent: str = ""
    good: str = ""
    warn: str = ""
    bad: str = ""
    inset_top: int = 0
    inset_bottom: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchContext:
    """What the host app says when it opens our page. Nothing in it is proof except `external_identity`.

    `cart_total` is in major units of `currency`, None when the host did not say; `currency` is empty then.
    Opened from a customer's profile there is no token, and a cart id only while a cart is open beside it.
    """

    token: str = ""
    external_identity: str = ""
    cart_id: str = ""
    customer_email: str = ""
    profile_id: str = ""
    loyalty_id: str = ""
    store_id: str = ""
    associate_id: str = ""
    currency: str = ""
    cart_total: Decimal | None = None
    items: tuple[LaunchItem, ...] = ()
    selected_coupons: tuple[str, ...] = ()
    theme: HostTheme = HostTheme()
    # Units of each product that NewStore's cart held when it was read; None where it was not, or did not say.
    host_units: dict[str, int] | None = None

    @property
    def names_cart(self) -> bool:
        """Whether there is a cart that codes can be handed over to, with or without a total."""
        return bool(self.cart_id and self.token)

    @property
    def has_cart(self) -> bool:
        """Whether rewards can be judged against a cart and handed over to it."""
        return self.names_cart and self.cart_total is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Associate:
    """The associate at the till, as our own signed identity names them. `associate_id` is NewStore's id of
    the associate where it was looked up (`is_staff_id`), else the subject of the login."""

    associate_id: str
    device_id: str
    is_staff_id: bool = False
