"""The sandbox: one NewStore tenant in memory, as a WSGI application.

For development and tests only. It is written from docs/contracts/newstore.md 12, knows nothing of the product
and refuses what NewStore refuses. All parts share one lock; nothing is stored on disk.
"""

import threading
import uuid
from collections.abc import Callable
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.answers import ApiError, answer, problem
from loyaltyview.sandbox.associate_app import AssociateApp
from loyaltyview.sandbox.carts import CartBook
from loyaltyview.sandbox.clock import Clock
from loyaltyview.sandbox.config import SandboxConfig
from loyaltyview.sandbox.coupons import CouponBook
from loyaltyview.sandbox.data_api import DataApi
from loyaltyview.sandbox.idp import IdentityProvider
from loyaltyview.sandbox.orders import OrderBook
from loyaltyview.sandbox.panel_pages import PanelPages
from loyaltyview.sandbox.profiles import ProfileBook
from loyaltyview.sandbox.rate import RateLimit
from loyaltyview.sandbox.staff import search_users
from loyaltyview.sandbox.stream import EventStream
from loyaltyview.sandbox.stream_api import StreamApi
from loyaltyview.sandbox.switches import fail_as_told
from loyaltyview.sandbox.vendors import Vendor, VendorSetup, build_vendor

__all__ = ["Sandbox", "SandboxConfig"]

View = Callable[..., Response]


class Sandbox:
    """`base_url` is its address for clients (the issuer of its tokens); `serve_in_thread` sets it.

    `webview_url` is the origin of the WebView proxy; empty without one.
    """

    def __init__(self, config: SandboxConfig | None = None) -> None:
        self.config = config or SandboxConfig()
        self.base_url = "http://127.0.0.1"
        self.webview_url = ""
        self.lock = threading.RLock()
        self.idp = IdentityProvider(self.config, lambda: self.base_url)
        self.stream = EventStream(self.config)
        self.clock = Clock()
        self.coupons = CouponBook(self.lock, self.clock)
        self.profiles = ProfileBook(self.lock)
        self.carts = CartBook(self.lock)
        self.orders = OrderBook(self.lock, self.stream.emit, self.config)
        self.app = AssociateApp(self.config, self.lock, self.idp, self.carts, self.coupons, self.orders)
        self._rate = RateLimit(self.config)
        if self.config.events_url:
            self.stream.register(
                self.config.events_url, self.config.event_key or None, integration_id="loyaltyview-acme"
            )
        self._routes = self._build_routes()
        self.vendor = self._build_vendor()

    def _build_vendor(self) -> Vendor | None:
        kind = self.config.vendor
        if not kind:
            return None
        setup = VendorSetup(
            secret=self.config.vendor_secret,
            webhook_url=self.config.vendor_webhook_url,
            feed_folder=self.config.vendor_feed_folder,
        )
        return build_vendor(kind, setup)

    def _build_routes(self) -> Map:
        realm = f"/auth/realms/{self.config.tenant}"
        stream, stream_api = "/api/v1/org/integrations/eventstream", StreamApi(self.stream)
        pages, data = PanelPages(self), DataApi(self.config, self.lock, self.orders)

        def rule(path: str, view: View, *methods: str) -> Rule:
            return Rule(path, endpoint=view, methods=methods or ("GET",))

        def api(path: str, view: View, *methods: str, scope: str = "") -> Rule:
            return rule(path, self._guarded(view, scope), *methods)

        return Map(
            [
                rule(f"{realm}/.well-known/openid-configuration", self.idp.discovery),
                rule(f"{realm}/protocol/openid-connect/certs", self.idp.certs),
                rule(f"{realm}/protocol/openid-connect/token", self.idp.token, "POST"),
                rule(f"{realm}/protocol/openid-connect/userinfo", self.idp.userinfo),
                api("/v0/promotions/coupon", self.coupons.search),
                api(
                    "/v0/promotions/coupon/<coupon_id>/code/<code_id>",
                    self.coupons.change_code,
                    "PATCH",
                ),
                api("/v0/promotions/loyalty", self.coupons.create_loyalty, "POST"),
                api("/customer/profiles", self.profiles.search, scope="customer:profile:read"),
                api(
                    "/customer/profiles",
                    self.profiles.get_or_create,
                    "POST",
                    scope="customer:profile:write",
                ),
                api("/customer/profiles/<profile_id>", self.profiles.read, scope="customer:profile:read"),
                api(
                    "/customer/profiles/<profile_id>",
                    self.profiles.change,
                    "PATCH",
                    scope="customer:profile:write",
                ),
                api("/checkout/carts/<cart_id>", self.carts.read, scope="checkout:carts:read"),
                api("/iam/users", search_users, scope="iam:users:read"),
                api("/api/v1/org/data/query", data.query, "POST"),
                api("/v0/orders", self.orders.search),
                api("/v0/orders/<order_id>", self.orders.read),
                api(stream, stream_api.collection, "GET", "POST"),
                api(f"{stream}/<integration_id>", stream_api.one, "GET", "PATCH"),
                api(f"{stream}/<integration_id>/_start", stream_api.start, "POST"),
                api(f"{stream}/<integration_id>/_stop", stream_api.stop, "POST"),
                rule("/", pages.index),
                rule("/favicon.ico", pages.icon),
                rule("/panel/<name>", pages.file),
                rule("/app/state", pages.state),
                rule("/app/<action>", pages.act, "POST"),
            ],
            strict_slashes=False,
        )

    def _guarded(self, view: View, scope: str) -> View:
        def guarded(request: Request, **values: Any) -> Response:
            if not self._rate.allows():
                raise problem(429, "too many requests", code="too_many_requests")
            fail_as_told(self.config)
            self.idp.verify(request, scope)
            return view(request, **values)

        return guarded

    @property
    def wsgi(self) -> Callable[..., Any]:
        """The WSGI callable."""
        newstore = Request.application(self._respond)
        if self.vendor is None:
            return newstore
        return DispatcherMiddleware(newstore, {f"/vendor/{self.vendor.kind}": self.vendor.wsgi})

    def _respond(self, request: Request) -> Response:
        try:
            view, values = self._routes.bind_to_environ(request.environ).match()
            response: Response = view(request, **values)
        except ApiError as error:
            response = error.response()
            if error.status == 429:
                response.headers["Retry-After"] = "1"
        except HTTPException as error:
            response = answer({"error_code": error.name, "message": error.description}, error.code or 500)
            for name, value in error.get_headers(request.environ):
                if name == "Allow":
                    response.headers[name] = value
        response.headers["X-Newstore-Request-Id"] = uuid.uuid4().hex
        return response
