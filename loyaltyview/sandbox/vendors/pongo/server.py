"""Pongo's addresses: their scopes, their limit, and their handlers."""

import time
from collections import deque
from collections.abc import Callable

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.vendors.base import Vendor, VendorSetup
from loyaltyview.sandbox.vendors.pongo.customers import Customers
from loyaltyview.sandbox.vendors.pongo.oauth import OAuth, origin_of
from loyaltyview.sandbox.vendors.pongo.orders import Orders
from loyaltyview.sandbox.vendors.pongo.rewards import Rewards
from loyaltyview.sandbox.vendors.pongo.state import Book
from loyaltyview.sandbox.vendors.pongo.validation import Refused, answer, wrapped
from loyaltyview.sandbox.vendors.pongo.webhooks import Webhooks

View = Callable[..., Response]
MINUTE_S = 60


class PongoVendor(Vendor):
    """One merchant. `per_minute` is the limit of calls for one token. Pongo's limit is not known; this one
    is wide enough for a demo."""

    kind = "pongo"

    def __init__(self, setup: VendorSetup) -> None:
        super().__init__(setup)
        self.per_minute = 600
        self.book = Book()
        self.customers = Customers(self.book)
        self.rewards = Rewards(self.book)
        self.orders = Orders(self.book, self.rewards)
        self.oauth = OAuth(setup.secret, origin_of(setup.webhook_url))
        self.webhooks = Webhooks()
        self.book.tell = self.webhooks.tell
        self._calls: dict[str, deque[float]] = {}
        self._routes = self._build_routes()

    def _build_routes(self) -> Map:
        customers, rewards, orders = self.customers, self.rewards, self.orders

        def free(path: str, view: View, *methods: str) -> Rule:
            return Rule(f"/v1/{path}", endpoint=view, methods=methods)

        def api(path: str, view: View, scope: str, *methods: str) -> Rule:
            return Rule(f"/v1/{path}", endpoint=self._guarded(view, scope), methods=methods)

        return Map(
            [
                free("oauth/form", self.oauth.form, "GET", "POST"),
                free("oauth/token", self.oauth.token, "POST"),
                api("oauth/me", self.oauth.me, "", "GET"),
                api("stores", self._stores, "", "GET"),
                api("customers", customers.list, "customer.read", "GET"),
                api("customers", customers.create, "customer.create", "POST"),
                api("customers/phone/<phone>", customers.read_by_phone, "customer.read", "GET", "HEAD"),
                api("customers/<customer_id>", customers.read, "customer.read", "GET"),
                api("customers/<customer_id>", customers.update, "customer.update", "PUT", "PATCH"),
                api("customers/<customer_id>/rewards", rewards.list_won, "reward.read", "GET"),
                api("customers/<customer_id>/rewards/lock", rewards.lock, "reward.update", "POST", "DELETE"),
                api("rewards", rewards.list, "reward.read", "GET"),
                api("rewards/<reward_id>", rewards.buy, "reward.update", "POST"),
                api("rewards/<reward_id>", rewards.use, "reward.update", "PATCH"),
                api("orders", orders.create, "order.create", "POST"),
                api("orders/<order_id>", orders.update, "order.update", "PATCH"),
                api("webhooks", self.webhooks.subscribe, "", "POST"),
                api("webhooks/<webhook_id>", self.webhooks.unsubscribe, "", "DELETE"),
            ]
        )

    def respond(self, request: Request) -> Response:
        with self.lock:
            try:
                view, values = self._routes.bind_to_environ(request.environ).match()
                response: Response = view(request, **values)
                return response
            except Refused as refused:
                return refused.response()
            except HTTPException as error:
                return answer({"message": error.description or error.name}, error.code or 500)

    def throttled(self) -> Response:
        response = answer({"message": "Too Many Attempts."}, 429)
        response.headers["Retry-After"] = "1"
        response.headers["X-RateLimit-Limit"] = str(self.per_minute)
        response.headers["X-RateLimit-Remaining"] = "0"
        return response

    def down(self) -> Response:
        return answer({"message": "Server Error"}, 503)

    def _guarded(self, view: View, scope: str) -> View:
        def guarded(request: Request, **values: str) -> Response:
            token = self.oauth.check(request, scope)
            if not self._is_within_limit(token):
                return self.throttled()
            return view(request, **values)

        return guarded

    def _is_within_limit(self, token: str) -> bool:
        now = time.monotonic()
        calls = self._calls.setdefault(token, deque())
        while calls and calls[0] <= now - MINUTE_S:
            calls.popleft()
        if len(calls) >= self.per_minute:
            return False
        calls.append(now)
        return True

    def _stores(self, _request: Request) -> Response:
        return wrapped(
            [
                {"id": store.public_id, "slug": store.slug, "name": store.name, "country": "US"}
                for store in self.book.stores
            ]
        )
