"""The parts of Associate App that loyalty uses: log in, fill a cart, open the WebView, apply codes, sell,
return.

Every step is a method, called by the panel (over HTTP) and by tests.
Source: docs/contracts/newstore.md 1 to 3.
"""

import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import requests

from loyaltyview.sandbox import launches
from loyaltyview.sandbox.answers import Json
from loyaltyview.sandbox.carts import Cart, CartBook, Totals, price
from loyaltyview.sandbox.config import SandboxConfig
from loyaltyview.sandbox.coupons import CouponBook
from loyaltyview.sandbox.deeplink import Ignored, read_deeplink
from loyaltyview.sandbox.idp import IdentityProvider
from loyaltyview.sandbox.orders import Order, OrderBook, OrderError
from loyaltyview.sandbox.sample import ASSOCIATES, CARTS, CUSTOMERS, PRODUCTS, Associate

IDENTITY_TIMEOUT_S = 10
DEVICE_ID = "sandbox-ipad-1"

Screen = Literal["login", "cart", "webview", "receipt"]


class AppError(Exception):
    """The app refuses a step; the text is for the associate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The result of a callback. `refused` pairs code and reason; `ignored` says why nothing was done."""

    codes: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    ignored: str = ""


@dataclass(slots=True)
class AssociateApp:
    """One device. Its public fields are its state; only its methods change them."""

    config: SandboxConfig
    lock: threading.RLock
    idp: IdentityProvider
    carts: CartBook
    coupons: CouponBook
    orders: OrderBook
    associate: Associate | None = None
    external_identity: str = ""
    customer_key: str = "mia"
    ready_key: str = "shirts"
    cart: Cart | None = None
    order: Order | None = None
    token: str = ""
    opened: launches.Opened | None = None
    openings: int = 0
    screen: Screen = field(default="login")

    def log_in(self, associate_id: str) -> str:
        """Log in, call the identity callback, and return a note. A failing callback does not stop the
        login."""
        if associate_id not in ASSOCIATES:
            raise AppError("No associate has this id.")
        associate = ASSOCIATES[associate_id]
        identity, note = self._external_identity(associate)
        with self.lock:
            self.associate, self.external_identity = associate, identity
            self._fresh_cart()
        return note

    def log_out(self) -> None:
        with self.lock:
            self._leave_cart()
            self.associate, self.external_identity, self.order, self.screen = None, "", None, "login"

    def _external_identity(self, associate: Associate) -> tuple[str, str]:
        url = self.config.identity_callback_url
        if not url:
            return "", "Logged in; no identity callback is set up."
        body = {
            "device_id": DEVICE_ID,
            "identity": f"Bearer {self.idp.mint_associate_token(associate)}",
        }
        try:
            response = requests.post(url, json=body, timeout=IDENTITY_TIMEOUT_S, allow_redirects=False)
        except requests.RequestException as error:
            return "", f"Logged in, but the identity callback failed: {type(error).__name__}."
        try:
            identity = response.json()["external_identity"]
        except (ValueError, KeyError, TypeError):
            identity = None
        if response.status_code != 200 or not isinstance(identity, str):
            return "", f"Logged in, but the identity callback answered {response.status_code}."
        return identity, f"Logged in as {associate.name}."

    def new_cart(self, customer: str | None = None, cart: str | None = None) -> Cart:
        """Leave the cart or receipt and start a new cart; `customer` is a key or `none`."""
        with self.lock:
            self._need_login()
            if customer is not None and customer != "none" and customer not in CUSTOMERS:
                raise AppError("Unknown customer.")
            if cart is not None and cart not in CARTS:
                raise AppError("Unknown cart.")
            self.customer_key = customer if customer is not None else self.customer_key
            self.ready_key = cart if cart is not None else self.ready_key
            return self._fresh_cart()

    def totals(self) -> Totals:
        """Return the totals of the cart with its codes."""
        with self.lock:
            cart = self._open_cart()
            coupons = [self.coupons.codes[code] for code in cart.codes]
            return price(
                [item.product.price for item in cart.items],
                coupons,
                currency=cart.currency,
                is_tax_included=self.config.prices_with_tax,
            )

    def launch_url(self) -> str:
        """Open the WebView from the cart with a new security token, in the shape that the switch selects."""
        with self.lock:
            cart, page = self._open_cart(), self._page()
            self.token = secrets.token_hex(16)
            return self._open(
                launches.from_cart(
                    self.config.launch_shape,
                    page,
                    cart,
                    self.totals().total,
                    token=self.token,
                    external_identity=self.external_identity,
                )
            )

    def launch_from_profile(self) -> str:
        """Open the WebView from the profile of the cart's customer: without a token nothing can be
        applied."""
        with self.lock:
            cart, page = self._open_cart(), self._page()
            if not cart.customer:
                raise AppError("There is no customer in this cart.")
            self.token = ""
            return self._open(launches.from_profile(page, cart, external_identity=self.external_identity))

    def _page(self) -> str:
        if not self.config.loyalty_url:
            raise AppError("No loyalty page is set up.")
        return self.config.loyalty_url

    def _open(self, opened: launches.Opened) -> str:
        self.opened, self.screen = opened, "webview"
        self.openings += 1
        return opened.address

    def injected(self) -> Json:
        """Return `window.NEWSTORE` of the open page; empty when there is none."""
        with self.lock:
            return self.opened.injected if self.opened else {}

    def close_webview(self) -> None:
        """The app's own back control: nothing is applied, and the token is no longer valid."""
        with self.lock:
            if self.screen == "webview":
                self.token, self.opened, self.screen = "", None, "cart"

    def apply(self, deeplink: str) -> Applied:
        """Handle a callback: check it, close the WebView, redeem its codes."""
        with self.lock:
            try:
                callback = read_deeplink(deeplink)
            except Ignored as error:
                return Applied(ignored=str(error))
            is_known = secrets.compare_digest(callback.token.encode(), self.token.encode())
            if self.screen != "webview" or not self.token or not is_known:
                return Applied(ignored="The callback has another token than this launch.")
            cart = self._open_cart()
            if callback.cart_id != cart.cart_id:
                return Applied(ignored="The callback is for another cart.")
            self.close_webview()
            return self._redeem(cart, callback.codes)

    def _redeem(self, cart: Cart, codes: Sequence[str]) -> Applied:
        if self.config.coupon_mode == "replace":
            for code in [code for code in cart.codes if code not in codes]:
                self.remove_code(code)
        accepted, refused = [], []
        for code in codes:
            coupon = self.coupons.codes.get(code)
            if code not in cart.codes:
                reason = "This code does not exist."
                if coupon is not None:
                    reason = coupon.refusal(
                        cart_id=cart.cart_id,
                        remaining=self.totals().total,
                        currency=cart.currency,
                        profile_id=cart.profile_id,
                    )
                if coupon is None or reason:
                    refused.append((code, reason))
                    continue
                coupon.cart_id = cart.cart_id
                cart.codes.append(code)
            accepted.append(code)
        return Applied(codes=tuple(accepted), refused=tuple(refused))

    def remove_code(self, code: str) -> None:
        """The associate takes a code out of the cart."""
        with self.lock:
            cart = self._open_cart()
            if code in cart.codes:
                cart.codes.remove(code)
                self.coupons.codes[code].cart_id = ""

    def pay(self, *, hand_over: bool = True) -> Order:
        """Sell the cart; its codes are used up. With `hand_over` the order is complete at once."""
        with self.lock:
            cart = self._open_cart()
            expired = [code for code in cart.codes if self.coupons.codes[code].is_expired()]
            for code in expired:
                self.remove_code(code)
            if expired:
                raise AppError(
                    f"{', '.join(expired)} expired and was removed. Check the total and pay again."
                )
            self.close_webview()
            order = self.orders.place(cart, self.totals())
            cart.state = "closed"
            for code in cart.codes:
                self.coupons.codes[code].order_id = order.order_id
            self.cart, self.order, self.screen = None, order, "receipt"
            if hand_over:
                self.orders.complete(order)
            return order

    def hand_over(self) -> None:
        """Give the goods of an open order to the customer: the order is complete."""
        with self.lock:
            self._step(self.orders.complete, self._receipt())

    def return_items(self, item_ids: Sequence[str] | None = None) -> None:
        """Take back these items of the order on the receipt, or all that are left."""
        with self.lock:
            self._step(lambda order: self.orders.take_back(order, item_ids), self._receipt())

    def cancel(self) -> None:
        """Cancel the order on the receipt."""
        with self.lock:
            self._step(self.orders.cancel, self._receipt())

    def show_receipt(self, order_id: str) -> None:
        """Look up an older order, for a return or to cancel it."""
        with self.lock:
            self._need_login()
            if order_id not in self.orders.orders:
                raise AppError("Unknown order.")
            self._leave_cart()
            self.order, self.screen = self.orders.orders[order_id], "receipt"

    def _step(self, step: Callable[[Order], object], order: Order) -> None:
        try:
            step(order)
        except OrderError as error:
            raise AppError(str(error)) from error

    def _fresh_cart(self) -> Cart:
        associate = self._need_login()
        self._leave_cart()
        self.cart = self.carts.add(
            associate_id=associate.associate_id,
            customer=CUSTOMERS.get(self.customer_key),
            products=[PRODUCTS[product_id] for product_id in CARTS[self.ready_key].product_ids],
            currency=self.config.currency,
        )
        self.order, self.screen = None, "cart"
        return self.cart

    def _leave_cart(self) -> None:
        if self.cart:
            for code in list(self.cart.codes):
                self.remove_code(code)
            self.cart.state = "abandoned"
        self.cart, self.token, self.opened = None, "", None

    def _need_login(self) -> Associate:
        if not self.associate:
            raise AppError("Log in first.")
        return self.associate

    def _open_cart(self) -> Cart:
        self._need_login()
        if not self.cart:
            raise AppError("There is no open cart.")
        return self.cart

    def _receipt(self) -> Order:
        if not self.order:
            raise AppError("There is no order on the screen.")
        return self.order
