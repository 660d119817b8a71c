"""Antavo's addresses, each of them signed, and the shapes of its refusals."""

from collections.abc import Callable
from pathlib import Path

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.vendors.antavo.answers import WRAPPED, Refusal, answer
from loyaltyview.sandbox.vendors.antavo.asynchronous import AsyncEvents
from loyaltyview.sandbox.vendors.antavo.claims import Claims
from loyaltyview.sandbox.vendors.antavo.escher import verify
from loyaltyview.sandbox.vendors.antavo.events import Events
from loyaltyview.sandbox.vendors.antavo.imports import Imports
from loyaltyview.sandbox.vendors.antavo.reads import Reads
from loyaltyview.sandbox.vendors.antavo.sample import fill
from loyaltyview.sandbox.vendors.antavo.state import Workspace
from loyaltyview.sandbox.vendors.antavo.webhooks import Webhooks
from loyaltyview.sandbox.vendors.base import Vendor, VendorSetup

ENVIRONMENT = "st9"
POST_READS = ("/offers/", "/extensions/automation/campaign-bonus", "/v1/auth/token")
# These take no signature: the token endpoint has Basic, the others a token.
WITH_OAUTH = ("/v1/auth/token", "/v1/async/")
View = Callable[..., Response]


class AntavoVendor(Vendor):
    """One workspace whose API key and secret both are `setup.secret`. `envelope` is the shape of refusals,
    `refuses_with_200` their status."""

    kind = "antavo"

    def __init__(self, setup: VendorSetup) -> None:
        super().__init__(setup)
        self.workspace = Workspace(setup.currency)
        fill(self.workspace)
        self.webhooks = Webhooks(setup.webhook_url, setup.secret, setup.sleep)
        self.workspace.tell = self.webhooks.tell
        self.claims = Claims(self.workspace)
        self.envelope = WRAPPED
        self.refuses_with_200 = False
        self.is_blocked = False
        self.events_api = Events(self.workspace)
        self.asynchronous = AsyncEvents(setup.secret, self.events_api.apply)
        self.imports = Imports(self.events_api.apply)
        self.imports.folder = Path(setup.feed_folder) if setup.feed_folder else None
        self._routes = self._build_routes()

    def _build_routes(self) -> Map:
        reads, claims, events, later = Reads(self.workspace), self.claims, self.events_api, self.asynchronous
        customer, rewards = "/customers/<customer_id>", "/customers/<customer_id>/activities/rewards"

        def rule(path: str, view: View, method: str = "GET") -> Rule:
            return Rule(path, endpoint=view, methods=(method,))

        return Map(
            [
                rule("/customers", reads.search),
                rule("/customers/-/count", reads.count),
                rule(customer, reads.customer),
                rule(f"{customer}/events", reads.events),
                rule(f"{customer}/transactions/<transaction_id>", reads.transaction),
                rule(f"{customer}/transactions/<transaction_id>/events", reads.transaction_events),
                rule(f"{customer}/coupons", reads.coupons_of),
                rule("/coupons", reads.coupons),
                rule("/offers/", reads.offers, "POST"),
                rule("/extensions/automation/campaign-bonus", reads.preview, "POST"),
                rule(rewards, claims.list),
                rule(f"{rewards}/<reward_id>/claim", claims.claim, "POST"),
                rule(f"{rewards}/<reward_id>/revoke", claims.revoke, "POST"),
                rule(f"{customer}/activities/offers/<offer_id>/claim", claims.claim_offer, "POST"),
                rule("/events", events.post, "POST"),
                rule("/events/bulk", events.bulk, "POST"),
                rule("/v1/auth/token", later.token, "POST"),
                rule("/v1/async/events", later.submit, "POST"),
                rule("/v1/async/events/<correlation_id>", later.status),
            ]
        )

    def respond(self, request: Request) -> Response:
        try:
            if not request.path.startswith(WITH_OAUTH):
                verify(request, self.setup.secret, self.setup.secret, ENVIRONMENT)
            view, values = self._routes.bind_to_environ(request.environ).match()
            with self.lock:
                self.asynchronous.process()
                self.imports.run()
                response: Response = view(request, **values)
        except Refusal as refusal:
            status = 200 if self.refuses_with_200 and refusal.status != 401 else refusal.status
            response = answer(refusal.body(self.envelope), status)
        except HTTPException as error:
            status = error.code or 500
            response = answer(Refusal(0, error.name, status, "NotFoundException").body(self.envelope), status)
        return response

    def is_read(self, request: Request) -> bool:
        return super().is_read(request) or request.path in POST_READS

    def throttled(self) -> Response:
        """Answer without Retry-After, and with a plain 403 in place of 429 (docs/contracts/antavo.md 10)."""
        return Response("<html>Forbidden</html>", 403 if self.is_blocked else 429, content_type="text/html")
