"""The server: token, gateway, routes. Strict about keys, tokens, fields and parameters, as the contract
is."""

import json
import secrets
import time
from collections.abc import Callable
from threading import Lock
from typing import Any

import jwt
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.answers import Json, answer
from loyaltyview.sandbox.vendors.base import Vendor, VendorSetup
from loyaltyview.sandbox.vendors.whitelabel import sample
from loyaltyview.sandbox.vendors.whitelabel.answers import Fail, gateway, success
from loyaltyview.sandbox.vendors.whitelabel.commands import Commands
from loyaltyview.sandbox.vendors.whitelabel.events import Events
from loyaltyview.sandbox.vendors.whitelabel.reads import Reads
from loyaltyview.sandbox.vendors.whitelabel.receipts import Receipts
from loyaltyview.sandbox.vendors.whitelabel.state import State
from loyaltyview.sandbox.vendors.whitelabel.webhooks import Webhooks

TOKEN_LIVES_S = 86_400
RATE_PER_S, BURST = 100, 400


class WhiteLabel(Vendor):
    """One tenant. Tests read `state` and set the switches of `reads`, `events`, `commands`, `receipts`."""

    kind = "whitelabel"

    def __init__(self, setup: VendorSetup) -> None:
        super().__init__(setup)
        self.webhooks = Webhooks(setup)
        self.state = State(self.webhooks.deliver)
        self.webhooks.is_on = bool(setup.webhook_url)
        self.reads = Reads(self.state)
        self.events = Events(self.state)
        self.commands = Commands(self.state)
        self.receipts = Receipts(self.state)
        self.tokens: dict[str, float] = {}
        self.tokens_given = 0
        self.lacks_scope = False
        # Console, Settings > Tenant: who signs the tokens of users.
        self.user_issuer = sample.USER_ISSUER
        self._bucket = _Bucket()
        self._routes = self._build_routes()

    def _build_routes(self) -> Map:
        reads, events, commands = self.reads, self.events, self.commands

        def rule(path: str, view: Callable[..., Response], *methods: str) -> Rule:
            return Rule(path, endpoint=view, methods=methods or ("GET",))

        return Map(
            [
                rule("/", self._health),
                rule("/users", reads.users, "GET", "POST"),
                rule("/users/<user_id>", reads.user),
                rule("/users/<user_id>/wallet", reads.wallet),
                rule("/consents", reads.consents, "GET", "POST"),
                rule("/consents/<consent_id>", reads.consent, "DELETE"),
                rule("/benefits", reads.benefits),
                rule("/benefits/<benefit_id>", reads.benefit),
                rule("/rewards", reads.rewards),
                rule("/rewards/<reward_id>", reads.reward),
                rule("/tiers", reads.tiers),
                rule("/venues", reads.venues),
                rule("/settings/<name>", reads.setting),
                rule("/events", events.collection, "GET", "POST"),
                rule("/events/test_reaction", events.test_reaction, "POST"),
                rule("/events/<event_id>", events.one),
                rule("/events/<event_id>/reactions", events.reactions),
                # The other API has a host of its own; here it lies below a path.
                rule("/receipts/v1/orders", self.receipts.place, "POST"),
                rule("/commands/purchase_reward", commands.purchase_reward, "POST"),
                rule("/commands/redeem_benefit", commands.redeem_benefit, "POST"),
                rule("/commands/validate_voucher", commands.validate_voucher, "POST"),
                rule("/commands/adjust_points", commands.adjust_points, "POST"),
            ],
            # The vendor's reference and guides differ in the slash at the end; both work.
            strict_slashes=False,
        )

    def respond(self, request: Request) -> Response:
        with self.lock:
            try:
                if request.path == "/oauth/token":
                    return self._token(request)
                return self._guarded(request)
            except Fail as fail:
                return fail.response()
            except HTTPException as error:
                return Fail(error.code or 500, error.name).response()

    def throttled(self) -> Response:
        return gateway(429, "Too Many Requests")

    def down(self) -> Response:
        return answer({"status": "error", "message": "Internal Server Error"}, 503)

    def is_read(self, request: Request) -> bool:
        """Tokens, test reactions and reads of a voucher are POSTs that change nothing."""
        if request.path in ("/oauth/token", "/events/test_reaction"):
            return True
        if request.path == "/commands/validate_voucher":
            return b'"allowFutureValidation":true' in request.get_data(cache=True).replace(b" ", b"")
        return super().is_read(request)

    def exhaust(self) -> None:
        """Use up all calls that the key may make at this moment."""
        self._bucket.exhaust()

    def _guarded(self, request: Request) -> Response:
        if not self._bucket.allows():
            return self.throttled()
        if not _same(request.headers.get("X-Api-Key", ""), self.setup.secret):
            return gateway(403, "Forbidden")
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer":
            raise Fail(401, "Unauthorized")
        is_admin = self.tokens.get(token, 0) > time.time()
        user = None if is_admin else self._user_of(token)
        if self.lacks_scope:
            raise Fail(403, "Forbidden")
        view, values = self._routes.bind_to_environ(request.environ).match()
        self.state.settle()
        if user is not None:
            if view != self.reads.rewards:
                raise Fail(403, "Forbidden")  # what else a user may do is not played here
            values = {"user": user}
        response: Response = view(request, **values)
        return response

    def _user_of(self, token: str) -> Json:
        """Return the user of a token that the tenant's identity provider has signed, by the shared key."""
        try:
            claims = jwt.decode(
                token,
                self.setup.secret,
                algorithms=["HS256"],
                issuer=self.user_issuer,
                options={"require": ["sub", "iss", "iat", "exp"]},
                leeway=5,
            )
        except jwt.InvalidTokenError as error:
            raise Fail(401, "Unauthorized") from error
        try:
            return self.state.login(claims["sub"])
        except Fail as error:
            raise Fail(401, "Unauthorized") from error

    def _health(self, request: Request) -> Response:
        return success({"name": "rewards"})

    def _token(self, request: Request) -> Response:
        if request.method != "POST":
            return answer({"error": "method_not_allowed"}, 405)
        try:
            body = json.loads(request.get_data())
        except ValueError:
            return answer({"error": "invalid_request"}, 400)
        wanted = {"client_id", "client_secret", "audience", "grant_type"}
        if not isinstance(body, dict) or not wanted <= set(body) <= wanted | {"scope"}:
            return answer({"error": "invalid_request"}, 400)
        if body["grant_type"] != "client_credentials":
            return answer({"error": "unsupported_grant_type"}, 400)
        secret = self.setup.secret
        if not (_same(body["client_id"], secret) and _same(body["client_secret"], secret)):
            return answer({"error": "access_denied", "error_description": "Unauthorized"}, 401)
        token = secrets.token_urlsafe(32)
        self.tokens[token] = time.time() + TOKEN_LIVES_S
        self.tokens_given += 1
        return answer(
            {
                "access_token": token,
                "scope": "admin",
                "expires_in": TOKEN_LIVES_S,
                "token_type": "Bearer",
            }
        )

    @property
    def consent_types(self) -> tuple[str, str]:
        """The ids of the tenant's consents to e-mails and to messages."""
        return sample.EMAIL_CONSENT, sample.SMS_CONSENT


class _Bucket:
    """100 requests a second with a burst of 400, counted per key; there is one key."""

    def __init__(self) -> None:
        self._tokens, self._at, self._lock = float(BURST), time.monotonic(), Lock()

    def exhaust(self) -> None:
        self._tokens = -RATE_PER_S * 10.0

    def allows(self) -> bool:
        with self._lock:
            now = time.monotonic()
            self._tokens = min(BURST, self._tokens + (now - self._at) * RATE_PER_S)
            self._at = now
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True


def _same(given: Any, secret: str) -> bool:
    return isinstance(given, str) and secrets.compare_digest(given.encode(), secret.encode())
