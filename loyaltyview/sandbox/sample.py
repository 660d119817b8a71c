"""The sample shop: one store, two associates, four customers, a few products and three carts.

All of it is invented. Prices are in USD, before tax unless a switch says otherwise.
"""

from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import get_currency_precision

CURRENCY = "USD"
TAX_RATE = Decimal("0.0625")


def smallest_unit(currency: str) -> Decimal:
    """Return the smallest unit: 0.01 dollar, 1 yen, 0.001 Kuwaiti dinar."""
    return Decimal(1).scaleb(-get_currency_precision(currency))


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    store_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Associate:
    associate_id: str
    first_name: str
    last_name: str
    email: str

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """`key` names the customer in the sandbox; `profile_id` is NewStore's id. `phone` may be empty."""

    key: str
    profile_id: str
    display_id: str
    first_name: str
    last_name: str
    email: str
    phone: str = ""

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    product_id: str
    name: str
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyCart:
    key: str
    label: str
    product_ids: tuple[str, ...]


STORE = Store(store_id="US_BOSTON_01", name="Boston")

ASSOCIATES = {
    associate.associate_id: associate
    for associate in (
        Associate(associate_id="a-17", first_name="Kim", last_name="Doyle", email="kim@acme.test"),
        Associate(associate_id="a-23", first_name="Sam", last_name="Ortiz", email="sam@acme.test"),
    )
}

CUSTOMERS = {
    customer.key: customer
    for customer in (
        Customer(
            key="mia",
            profile_id="NS-US-01HX4R8E0V9G2Y6T5K3M1N7P0A-01HX4S0000000000000000MIA1",
            display_id="C-100231",
            first_name="Mia",
            last_name="Stone",
            email="mia@example.test",
            phone="+16175550100",
        ),
        Customer(
            key="leo",
            profile_id="NS-US-01HX4R8E0V9G2Y6T5K3M1N7P0A-01HX4S0000000000000000EE01",
            display_id="C-100232",
            first_name="Leo",
            last_name="Park",
            email="leo@example.test",
            phone="+16175550101",
        ),
        Customer(
            key="ana",
            profile_id="NS-US-01HX4R8E0V9G2Y6T5K3M1N7P0A-01HX4S0000000000000000ANA1",
            display_id="C-100233",
            first_name="Ana",
            last_name="Ruiz",
            email="ana@example.test",
        ),
        Customer(
            key="noor",
            profile_id="NS-US-01HX4R8E0V9G2Y6T5K3M1N7P0A-01HX4S000000000000000N00R1",
            display_id="C-100234",
            first_name="Noor",
            last_name="Haddad",
            email="noor@example.test",
            phone="+16175550103",
        ),
    )
}

PRODUCTS = {
    product.product_id: product
    for product in (
        Product(product_id="TOTE-01", name="Canvas tote", price=Decimal("24.00")),
        Product(product_id="SHIRT-01", name="Linen shirt", price=Decimal("79.90")),
        Product(product_id="JACKET-01", name="Denim jacket", price=Decimal("129.00")),
        Product(product_id="SOCKS-01", name="Ribbed socks", price=Decimal("12.50")),
        Product(product_id="SCARF-01", name="Silk scarf", price=Decimal("45.00")),
    )
}

CARTS = {
    cart.key: cart
    for cart in (
        ReadyCart(
            key="shirts", label="Two shirts and socks", product_ids=("SHIRT-01", "SHIRT-01", "SOCKS-01")
        ),
        ReadyCart(key="jacket", label="Jacket and tote", product_ids=("JACKET-01", "TOTE-01")),
        ReadyCart(key="scarf", label="Silk scarf", product_ids=("SCARF-01",)),
        ReadyCart(key="small", label="Small: socks", product_ids=("SOCKS-01",)),
    )
}
