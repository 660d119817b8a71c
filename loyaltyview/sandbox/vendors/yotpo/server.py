"""The account's API: credentials, rate limit, addresses, customers, tiers.

Source: docs/contracts/yotpo.md 1 to 3 and 8.
"""

import hmac
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, get_args

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.answers import ApiError, answer
from loyaltyview.sandbox.config import SandboxConfig
from loyaltyview.sandbox.rate import RateLimit
from loyaltyview.sandbox.vendors.base import Vendor, VendorSetup
from loyaltyview.sandbox.vendors.yotpo.answers import (
    IDENTIFIERS,
    find_customer,
    no_customer,
    read_body,
    read_query,
)
from loyaltyview.sandbox.vendors.yotpo.orders import OrderDesk, Repeats
from loyaltyview.sandbox.vendors.yotpo.redemptions import RedemptionDesk
from loyaltyview.sandbox.vendors.yotpo.sample import sample_books
from loyaltyview.sandbox.vendors.yotpo.state import Customer
from loyaltyview.sandbox.vendors.yotpo.views import customer_json, tiers_json
from loyaltyview.sandbox.vendors.yotpo.webhooks import Webhooks

View = Callable[..., Response]
CUSTOMER = {
    "email": "string*",
    "id": "string",
    "first_name": "string",
    "last_name": "string",
    "phone_number": "string",
    "country_iso_code": "string",
    "has_account": "boolean",
    "platform_account_created_at": "string",
    "opted_in": "boolean|null",
    "opted_in_at": "string",
    "pos_account_id": "string",
    "tags": "string",
}


class Yotpo(Vendor):
    """So many look-ups miss a new customer: `hidden_reads`. So many of the next writes find the record
    locked: `busy`. `rate` counts calls per second; 0 is no limit."""

    kind = "yotpo"
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "repeated_orders": get_args(Repeats),
        "order_processing": ("at once", "later"),
    }
    steps = ("redeem_in_the_web_shop",)

    def __init__(self, setup: VendorSetup) -> None:
        super().__init__(setup)
        self.books = sample_books()
        self.webhooks = Webhooks(setup)
        self.redemptions = RedemptionDesk(books=self.books, webhooks=self.webhooks, currency=setup.currency)
        self.orders = OrderDesk(books=self.books, webhooks=self.webhooks)
        self.rate = SandboxConfig(rate_limit_per_s=10)
        self.hidden_reads = 0
        self.busy = 0
        self._limit = RateLimit(self.rate)
        self._routes = self._build_routes()

    @property
    def repeated_orders(self) -> Repeats:
        return self.orders.repeats

    @repeated_orders.setter
    def repeated_orders(self, value: Repeats) -> None:
        self.orders.repeats = value

    @property
    def order_processing(self) -> str:
        return "later" if self.orders.is_delayed else "at once"

    @order_processing.setter
    def order_processing(self, value: str) -> None:
        self.orders.is_delayed = value == "later"
        if not self.orders.is_delayed:
            self.orders.apply()

    def redeem_in_the_web_shop(self, email: str) -> None:
        """The customer makes another delayed redemption there, which cancels the one that waits here."""
        self.redemptions.cancel_pending(email)

    def _build_routes(self) -> Map:
        def rule(path: str, view: View, method: str = "GET") -> Rule:
            return Rule(path, endpoint=view, methods=[method])

        return Map(
            [
                rule("/customers", self.customer),
                rule("/customers", self.save_customer, "POST"),
                rule("/vip_tiers", self.tiers),
                rule("/redemption_options", self.redemptions.options),
                rule("/redemptions", self.redemptions.redeem, "POST"),
                rule(
                    "/redemptions/<int:redemption_id>/cancellation_completed", self.redemptions.cancel, "POST"
                ),
                rule("/redemption_codes", self.redemptions.code),
                rule("/redemption_codes", self.redemptions.upload, "POST"),
                rule("/orders", self.orders.create, "POST"),
                rule("/refunds", self.orders.refund, "POST"),
                rule("/points/adjust", self.orders.adjust, "POST"),
            ],
            strict_slashes=False,
        )

    def respond(self, request: Request) -> Response:
        with self.lock:
            try:
                response = self._routed(request)
            except ApiError as error:
                response = error.response()
            except HTTPException as error:
                response = Response(error.name, error.code, mimetype="text/plain")
        return self._counted(response)

    def throttled(self) -> Response:
        response = Response("Too Many Requests", 429, mimetype="text/plain")
        response.headers["ratelimit-remaining"] = "0"
        response.headers["ratelimit-reset"] = "1"
        return response

    def _routed(self, request: Request) -> Response:
        for name in ("x-guid", "x-api-key"):
            given = request.headers.get(name, "").encode()
            if not hmac.compare_digest(given, self.setup.secret.encode()):
                raise ApiError(401, {"error": "Unauthorized"})
        if not self._limit.allows():
            return self.throttled()
        view, values = self._routes.bind_to_environ(request.environ).match()
        if self.busy and not self.is_read(request):
            self.busy -= 1
            raise ApiError(423, {"error": "Locked"})
        response: Response = view(request, **values)
        return response

    def _counted(self, response: Response) -> Response:
        limit = self.rate.rate_limit_per_s
        if limit:
            headers: dict[str, Any] = {
                "ratelimit-limit": limit,
                "ratelimit-reset": 1,
                "x-ratelimit-limit-minute": limit * 60,
                "x-ratelimit-remaining-minute": limit * 60,
            }
            for name, value in headers.items():
                response.headers.setdefault(name, str(value))
        return response

    # --- Customers and tiers ----------------------------------------------------------------------

    def customer(self, request: Request) -> Response:
        known = (*IDENTIFIERS, "country_iso_code", "with_referral_code", "with_history")
        query = read_query(request, known)
        customer = find_customer(self.books, query)
        if customer.hidden_reads:
            customer.hidden_reads -= 1
            raise no_customer()
        return answer(customer_json(self.books, customer, with_history=query.get("with_history") == "true"))

    def save_customer(self, request: Request) -> Response:
        body = read_body(request, CUSTOMER)
        if "@" not in body["email"]:
            raise ApiError(422, {"email": ["is invalid"]})
        customer = self.books.customer("third_party_id", body["id"]) if body.get("id") else None
        customer = customer or self.books.customer("email", body["email"])
        if customer is None:
            customer = Customer(email=body["email"], opt_in=False, hidden_reads=self.hidden_reads)
            self.books.customers.append(customer)
        customer.email = body["email"]
        for name in ("first_name", "last_name", "phone_number", "pos_account_id", "tags"):
            if name in body:
                setattr(customer, name, body[name])
        customer.third_party_id = body.get("id") or customer.third_party_id
        if body.get("opted_in") is not None:
            customer.opt_in = body["opted_in"]
            customer.opted_in_at = self.books.clock() if customer.opt_in else None
        return answer({})

    def tiers(self, request: Request) -> Response:
        read_query(request, ())
        return answer(tiers_json(self.books))
