"""One sale as the simulated NewStore sends it: first the cart that opens the page, then its order. Prices,
discounts, tax method and currency are random."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import urlsplit

from django.http import QueryDict
from django.utils import timezone
from hypothesis import strategies as st

from loyaltyview.events.orders import note_opened, to_provider
from loyaltyview.events.readers import read_order, read_return
from loyaltyview.newstore.launch import read_query
from loyaltyview.programs.earn_base import earns_with_tax
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.offers import saving_in
from loyaltyview.redemptions.serialization import discount_to_json
from loyaltyview.sandbox import launches, order_events
from loyaltyview.sandbox.answers import to_json
from loyaltyview.sandbox.carts import Cart as HostCart
from loyaltyview.sandbox.carts import CartBook, Totals, price
from loyaltyview.sandbox.coupons import Coupon
from loyaltyview.sandbox.orders import OrderBook
from loyaltyview.sandbox.sample import CUSTOMERS, Product, smallest_unit
from loyaltyview.webview.applied_redemptions import cart_left
from loyaltyview.webview.carts import cart_of, earning_cart
from loyaltyview.webview.models import Launch
from loyaltyview.webview.sessions import cart_json
from providers.sales import Order
from providers.types import Cart, Discount, DiscountKind, Money

TOKEN = "0f3a9c5be1d24c7798aa6d20b4e1f7c3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """Amounts are in the smallest units of `currency`. The codes `before` are in the cart when the page
    opens, those `after` are applied on the page. Without items the app names only the cart's total."""

    currency: str = "USD"
    is_tax_included: bool = False
    prices: tuple[int, ...] = (10000,)
    before: tuple[tuple[str, int], ...] = ()
    after: tuple[tuple[str, int], ...] = ()
    has_items: bool = True
    host: HostCart = field(init=False)

    def __post_init__(self) -> None:
        book = CartBook(threading.RLock())
        products = [
            Product(product_id=f"P-{number}", name="Goods", price=self.money(units))
            for number, units in enumerate(self.prices)
        ]
        cart = book.add(
            associate_id="a-17", customer=CUSTOMERS["mia"], products=products, currency=self.currency
        )
        cart.codes = [coupon.code for coupon in self.coupons(self.before)]
        object.__setattr__(self, "host", cart)

    def money(self, units: int) -> Decimal:
        return units * smallest_unit(self.currency)

    def coupons(self, codes: tuple[tuple[str, int], ...]) -> list[Coupon]:
        return [
            Coupon(
                code=f"CODE{number}",
                voucher_id="v",
                name="n",
                kind=kind,
                discount=self.money(value) if kind == "fixed" else Decimal(value),
                minimums={},
                consumers=frozenset(),
                created_at=datetime.now(UTC),
            )
            for number, (kind, value) in enumerate(codes)
        ]

    def totals(self, codes: tuple[tuple[str, int], ...]) -> Totals:
        return price(
            [item.product.price for item in self.host.items],
            self.coupons(codes),
            currency=self.currency,
            is_tax_included=self.is_tax_included,
        )

    def promised(self, program: Program) -> Cart | None:
        """Return what the page asks the vendor's preview for."""
        shape = "query" if self.has_items else "both"
        opened = launches.from_cart(
            shape, "/", self.host, self.totals(self.before).total, token=TOKEN, external_identity=""
        )
        context = read_query(QueryDict(urlsplit(opened.address).query))
        launch = Launch(
            program=program,
            cart_id=context.cart_id,
            host_token=TOKEN,
            cart=cart_json(context),
            selected_coupons=list(context.selected_coupons),
            is_customer=True,
        )
        whole, rows = cart_of(launch, None), list[Redemption]()
        for kind, value in self.after:
            rows.append(self._redemption(kind, value, cart_left(launch, whole, rows)))
        return earning_cart(launch, whole, cart_left(launch, whole, rows), rows)

    def earned(self, program: Program, ref: str) -> Order:
        """Return the order as it is sent to the vendor."""
        orders = OrderBook(threading.RLock(), emit=lambda name, payload: None)
        order = orders.place(self.host, self.totals(self.before + self.after))
        body = to_json({"payload": order_events.order_payload(order)}).encode()
        return to_provider(note_opened(program, read_order(body, program.earn_on)), ref, ())

    def taken_back(self, program: Program) -> Decimal:
        """Return what counts of a return of everything."""
        orders = OrderBook(threading.RLock(), emit=lambda name, payload: None)
        order = orders.place(self.host, self.totals(self.before + self.after))
        orders.complete(order)
        body = to_json({"payload": orders.take_back(order)}).encode()
        with_tax = earns_with_tax(program.earn_on, is_tax_included=self.is_tax_included)
        return read_return(body, with_tax=with_tax).net

    def _redemption(self, kind: str, value: int, cart: Cart) -> Redemption:
        discount = (
            Discount(kind=DiscountKind.FIXED, amount=Money(amount=self.money(value), currency=self.currency))
            if kind == "fixed"
            else Discount(kind=DiscountKind.PERCENT, percent=Decimal(value))
        )
        return Redemption(
            state=State.REVEALED,
            discount=discount_to_json(discount),
            saving=saving_in(discount, cart)[0].amount,
            currency=self.currency,
            requested_at=timezone.now(),
        )


codes = st.lists(
    st.tuples(st.just("fixed"), st.integers(1, 30_000))
    | st.tuples(st.just("percentage"), st.integers(1, 99)),
    max_size=2,
).map(tuple)


def sales(*currencies: str) -> st.SearchStrategy[Sale]:
    """Return sales in these currencies."""
    return st.builds(
        Sale,
        currency=st.sampled_from(currencies),
        is_tax_included=st.booleans(),
        prices=st.lists(st.integers(0, 200_000), min_size=1, max_size=6).map(tuple),
        before=codes,
        after=codes,
        has_items=st.booleans(),
    )
